"""What the idempotency utility's own DynamoDB layer does where Stillframe's claim differs.

Not a test of Powertools: it holds the comparison in docs/guarantees.md to the facts.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
)

from tests.support.cloud import Cloud
from tests.support.fakes import FakeContext

Work = Callable[[], str]
Run = Callable[..., str]


@pytest.fixture
def plainly(cloud: Cloud) -> Run:
    """Run work under plain idempotency, in an invocation with some seconds left."""
    table = f"plain-{uuid.uuid4().hex}"
    cloud.clients.dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )

    def run(work: Work, seconds: float = 60) -> str:
        def capture(*, request: dict[str, str]) -> str:
            return work()

        config = IdempotencyConfig(event_key_jmespath="id", lambda_context=FakeContext(seconds))  # type: ignore[arg-type]
        layer = DynamoDBPersistenceLayer(table_name=table, boto3_session=boto3.session.Session())
        protected = idempotent_function(
            capture, data_keyword_argument="request", persistence_store=layer, config=config, key_prefix="capture"
        )
        return str(protected(request={"id": "order-42"}))

    return run


def test_a_late_failure_releases_the_next_holders_claim(plainly: Run) -> None:
    # Given a holder whose lease is over in mid-work
    seen: list[str] = []
    first_under_way = threading.Event()
    second_under_way = threading.Event()
    first_failed = threading.Event()

    def first() -> str:
        first_under_way.set()
        assert second_under_way.wait(10)
        raise ValueError("late")

    def run_first() -> None:
        with contextlib.suppress(ValueError):
            plainly(first, seconds=0)
        first_failed.set()

    def second() -> str:
        second_under_way.set()
        assert first_failed.wait(10)
        # When the first one fails late, while the second one holds the claim
        seen.append(plainly(lambda: "third"))
        return "second"

    thread = threading.Thread(target=run_first)
    thread.start()
    assert first_under_way.wait(10)
    plainly(second)
    thread.join()
    # Then a third one ran beside the second
    assert seen == ["third"]


def test_a_late_completion_overwrites_the_next_holders_result(plainly: Run) -> None:
    # Given a first holder whose lease is over, and a second one that completed meanwhile
    def first() -> str:
        assert plainly(lambda: "second") == "second"
        return "first"

    # When the first one completes late
    plainly(first, seconds=0)
    # Then the next delivery is told the first one's result: the record no longer says what the second one did
    assert plainly(lambda: "third") == "first"


def test_a_duplicate_during_the_work_is_an_error(plainly: Run) -> None:
    # Given a holder in mid-work
    seen: list[type[Exception]] = []

    def work() -> str:
        # When a duplicate comes
        with pytest.raises(IdempotencyAlreadyInProgressError) as error:
            plainly(lambda: "duplicate")
        seen.append(error.type)
        return "done"

    # Then it is an error for every kind of duplicate alike: each one is delivered again, up to the dead-letter queue
    plainly(work)
    assert seen == [IdempotencyAlreadyInProgressError]


def test_a_result_is_forgotten_after_an_hour() -> None:
    assert IdempotencyConfig().expires_after_seconds == 3600
