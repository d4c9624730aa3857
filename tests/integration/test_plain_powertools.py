"""How the DynamoDB layer of the idempotency utility behaves where Stillframe's claim differs.

This does not test Powertools; it keeps the comparison in docs/guarantees.md correct.
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
def run_plainly(cloud: Cloud) -> Run:
    """Runs a function with plain Powertools idempotency, in an invocation with some seconds left."""
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


def test_a_late_failure_releases_the_next_holders_claim(run_plainly: Run) -> None:
    # Given a holder whose lease ends while it works
    seen: list[str] = []
    first_started = threading.Event()
    second_started = threading.Event()
    first_failed = threading.Event()

    def first() -> str:
        first_started.set()
        assert second_started.wait(10)
        raise ValueError("late")

    def run_first() -> None:
        with contextlib.suppress(ValueError):
            run_plainly(first, seconds=0)
        first_failed.set()

    def second() -> str:
        second_started.set()
        assert first_failed.wait(10)
        # When the first holder fails late, while the second one holds the claim
        seen.append(run_plainly(lambda: "third"))
        return "second"

    thread = threading.Thread(target=run_first)
    thread.start()
    assert first_started.wait(10)
    run_plainly(second)
    thread.join()
    # Then a third one runs at the same time as the second
    assert seen == ["third"]


def test_a_late_completion_overwrites_the_next_holders_result(run_plainly: Run) -> None:
    # Given a first holder whose lease has ended, and a second one that completed meanwhile
    def first() -> str:
        assert run_plainly(lambda: "second") == "second"
        return "first"

    # When the first one completes late
    run_plainly(first, seconds=0)
    # Then the next delivery gets the first holder's result: the second holder's result is overwritten
    assert run_plainly(lambda: "third") == "first"


def test_a_duplicate_during_the_work_is_an_error(run_plainly: Run) -> None:
    # Given a holder that is working
    seen: list[type[Exception]] = []

    def work() -> str:
        # When a duplicate is delivered
        with pytest.raises(IdempotencyAlreadyInProgressError) as error:
            run_plainly(lambda: "duplicate")
        seen.append(error.type)
        return "done"

    # Then it is an error, whatever kind of duplicate it is: each is delivered again, up to the dead-letter queue
    run_plainly(work)
    assert seen == [IdempotencyAlreadyInProgressError]


def test_a_result_is_forgotten_after_an_hour() -> None:
    assert IdempotencyConfig().expires_after_seconds == 3600
