"""The wiring: settings and clients in, a batch handler out. The only place that knows every part."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from stillframe.artifact import ArtifactStore
from stillframe.claim import Claim
from stillframe.clock import Clock, SystemClock
from stillframe.delivery import Delivery
from stillframe.egress import EgressPolicy
from stillframe.queue import Backoff, CaptureQueue
from stillframe.settings import Settings

from .batch import BatchHandler
from .capture import Capture
from .chromium import Chromium, find_chromium
from .engine import RenderEngine
from .observability import Observer
from .work import Work

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

READ_SECONDS = 10
# A long poll is answered after up to 20 s.
LONG_POLL_READ_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Clients:
    """The three AWS services of the way. boto3 clients are thread-safe; sessions are not."""

    sqs: SQSClient
    dynamodb: DynamoDBClient
    s3: S3Client

    @classmethod
    def connect(cls, connections: int = 16) -> Clients:
        """Clients from the standard AWS environment. Nothing is contacted yet."""
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 4},
            connect_timeout=3,
            read_timeout=READ_SECONDS,
            max_pool_connections=connections,
            user_agent_extra="stillframe",
            # S3's own addressing works on every endpoint; emulators have no wildcard names.
            s3={"addressing_style": "path"},
        )
        session: Any = boto3.session.Session()
        return cls(
            sqs=session.client("sqs", config=config.merge(Config(read_timeout=LONG_POLL_READ_SECONDS))),
            dynamodb=session.client("dynamodb", config=config),
            s3=session.client("s3", config=config),
        )


@dataclass(frozen=True, slots=True)
class Runtime:
    """A worker: the handler of events and the browser behind it."""

    handler: BatchHandler
    engine: RenderEngine

    @classmethod
    def build(
        cls,
        settings: Settings,
        clients: Clients,
        observers: Iterable[Observer],
        clock: Clock | None = None,
    ) -> Runtime:
        """Put a worker together. Raises SettingsError when there is no browser; nothing is started yet."""
        clock = clock or SystemClock()
        engine = RenderEngine(
            launch=functools.partial(Chromium.launch, find_chromium(settings.chromium_path)),
            policy=EgressPolicy(settings.allow_hosts),
        )
        artifacts = ArtifactStore(clients.s3, settings.bucket_name, settings.key_prefix)

        def claim_for(delivery: Delivery) -> Claim:
            return Claim(clients.dynamodb, settings, clock, delivery)

        capture = Capture(
            settings=settings,
            claim_for=claim_for,
            work=Work(engine, artifacts, settings.max_receive_count),
            queue=CaptureQueue(clients.sqs, settings.queue_url, settings.dead_letter_queue_url),
            backoff=Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds),
            clock=clock,
        )
        return cls(BatchHandler(capture, observers, settings.tabs, clock), engine)

    def close(self) -> None:
        """Finish what is under way and end the browser."""
        self.handler.close()
        self.engine.close()
