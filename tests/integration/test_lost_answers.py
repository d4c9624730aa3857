"""A call that took effect although its answer was lost: the SDK retries it, and it meets its own effect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stillframe.clients import Clients
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message
from tests.support.proxy import Call, Verdict, proxying

REQUEST = CaptureRequest(url="https://example.com/", request_id="order-42")


@pytest.mark.parametrize("previous_attempts", [0, 1])
def test_a_claim_whose_answer_was_lost_is_not_mistaken_for_another_holders(
    cloud: Cloud, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, previous_attempts: int
) -> None:
    # Given a connection that breaks after the claim took effect, so that boto3 retries the claim
    lost = []

    def lose_the_first_answer(call: Call) -> Verdict:
        lost.append(call)
        return Verdict.DROP if len(lost) == 1 else Verdict.PASS

    cloud.send(REQUEST)
    if previous_attempts:
        cloud.clients.dynamodb.update_item(
            TableName=cloud.settings.table_name,
            Key={"id": {"S": REQUEST.id}},
            UpdateExpression="SET attempts = :n",
            ExpressionAttributeValues={":n": {"N": str(previous_attempts)}},
        )
    renderer = FakeRenderer()
    with proxying(cloud.exports["AWS_ENDPOINT_URL"], after=lose_the_first_answer) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        clients = replace(cloud.clients, dynamodb=Clients.connect().dynamodb)
        # When a message is processed
        outcome = capture_with(clients, cloud.settings, renderer, clock).process(message(REQUEST), FakeContext())
    # Then it is captured at once
    assert (outcome.kind, outcome.attempts) == (OutcomeKind.CAPTURED, previous_attempts + 1)
    assert len(renderer.rendered) == 1


@pytest.mark.parametrize(("number", "adopted"), [(1, False), (2, True), (3, False)], ids=["claim", "put", "completion"])
def test_a_capture_survives_the_loss_of_any_answer(
    cloud: Cloud, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, number: int, adopted: bool
) -> None:
    # Given a connection that breaks after one of the three calls took effect
    calls = []

    def lose_one_answer(call: Call) -> Verdict:
        calls.append(call)
        return Verdict.DROP if len(calls) == number else Verdict.PASS

    renderer = FakeRenderer()
    with proxying(cloud.exports["AWS_ENDPOINT_URL"], after=lose_one_answer) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        # When a message is processed
        outcome = capture_with(Clients.connect(), cloud.settings, renderer, clock).process(
            message(REQUEST), FakeContext()
        )
    # Then it is captured once; a put that finds its own object adopts it
    assert (outcome.kind, outcome.adopted, len(renderer.rendered)) == (OutcomeKind.CAPTURED, adopted, 1)
    assert cloud.record(REQUEST.id).status is Status.SUCCESS
    assert len(cloud.versions()) == 1
    assert cloud.audit().is_clean
