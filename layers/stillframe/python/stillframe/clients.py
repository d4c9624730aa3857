"""The AWS clients of a worker, with timeouts and retries that fit its deadlines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import botocore
from botocore.config import Config
from botocore.handlers import convert_body_to_file_like_object

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# With its four attempts, a call that AWS does not answer fails after about half a minute.
READ_SECONDS = 7
# The polls of commands wait for up to 5 s.
POLL_READ_SECONDS = 12


class EventBusClient(Protocol):
    """What is used of the client of EventBridge."""

    def put_events(self, *, Entries: Any) -> Any:  # noqa: N803  # boto3's own name
        """Put up to ten entries. The answer has a result for each, in their order."""


@dataclass(frozen=True, slots=True)
class Clients:
    """The three AWS services that a message passes through. boto3 clients are thread-safe; sessions are not."""

    sqs: SQSClient
    dynamodb: DynamoDBClient
    s3: S3Client

    @classmethod
    def connect(cls, connections: int = 32) -> Clients:
        """Create clients from the standard AWS environment variables. Nothing is contacted yet."""
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 4},
            connect_timeout=3,
            read_timeout=READ_SECONDS,
            max_pool_connections=connections,
            # botocore assembles its own user agent from twenty parts, twice per call. That and the validation of
            # arguments, which mypy has already checked, take a tenth of the time of a call.
            user_agent=f"Boto3/{boto3.__version__} Botocore/{botocore.__version__} stillframe",
            parameter_validation=False,
            # Path addressing works with every endpoint; emulators have no wildcard DNS names. Uploads carry their
            # SHA-256 in a header, which is signed, so the signature need not hash the body again.
            s3={"addressing_style": "path", "payload_signing_enabled": False},
        )
        session: Any = boto3.session.Session()
        s3 = session.client("s3", config=config)
        # This handler wraps the body in a file, which waits for "100 Continue" and is sent in chunks of 8 KB: an extra
        # round trip, and more than seventy writes for an image of 600 KB.
        s3.meta.events.unregister("before-parameter-build.s3.PutObject", convert_body_to_file_like_object)
        return cls(
            sqs=session.client("sqs", config=config.merge(Config(read_timeout=POLL_READ_SECONDS))),
            dynamodb=session.client("dynamodb", config=config),
            s3=s3,
        )


def connect_receiver(wait_seconds: int) -> SQSClient:
    """A client for long polls of up to `wait_seconds`. The caller repeats them, so each fails at its first error."""
    session: Any = boto3.session.Session()
    client: SQSClient = session.client(
        "sqs",
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=3,
            read_timeout=wait_seconds + READ_SECONDS,
            parameter_validation=False,
        ),
    )
    return client


def connect_presigner(origin: str | None = None) -> S3Client:
    """A client that only makes presigned URLs, of the signature that objects with a KMS key need (AWS4).

    They lead to `origin` if it is given: where callers reach an emulator that has another address inside its network.
    """
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    session: Any = boto3.session.Session()
    client: S3Client = session.client("s3", endpoint_url=origin, config=config)
    return client


def connect_secrets() -> SecretsManagerClient:
    """A client for workers that look up secrets, which few do."""
    session: Any = boto3.session.Session()
    client: SecretsManagerClient = session.client(
        "secretsmanager", config=Config(retries={"mode": "standard"}, connect_timeout=3, read_timeout=READ_SECONDS)
    )
    return client


def connect_event_bus() -> EventBusClient:
    """A client for putting events on EventBridge."""
    session: Any = boto3.session.Session()
    client: EventBusClient = session.client(
        "events", config=Config(retries={"mode": "standard"}, connect_timeout=3, read_timeout=READ_SECONDS)
    )
    return client


def connect_cloudwatch() -> CloudWatchClient:
    """A client for publishing and reading metrics."""
    session: Any = boto3.session.Session()
    client: CloudWatchClient = session.client(
        "cloudwatch", config=Config(retries={"mode": "standard"}, connect_timeout=3, read_timeout=READ_SECONDS)
    )
    return client
