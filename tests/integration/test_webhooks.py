"""Webhooks, with a real queue, table and secret, and a receiver that checks them with the specification's library."""

from __future__ import annotations

import http.server
import json
import time
from typing import Any

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.request.envelope import EventKind, Webhook
from stillframe.table import transitions
from stillframe.webhooks.attempts import AttemptResult
from stillframe.webhooks.outbox import WebhookOutbox
from stillframe_cli.dead_letters import DeadLetters
from stillframe_cli.redriver import Redriver, RedriveResult
from stillframe_webhooks.pauses import MAX_AGE_SECONDS, Pauses
from tests.support.cloud import Cloud
from tests.support.post import URL, Post, captured, request_with
from tests.support.receiver import ACCEPTED, Receiver, receiving
from tests.support.serving import serving


def test_the_receiver_is_told_of_the_capture_with_a_signature_that_verifies(post: Post, receiver: Receiver) -> None:
    # Given a request with a webhook, which was captured
    event = captured(post.cloud, request_with(receiver.url("/hook?token=t0p"), metadata={"order": "42"}))
    # When its event is sent and its message is tried
    assert post.outbox.send([event]) == set()
    assert post.deliver() == 1
    # Then the receiver has it once, verified, with the record
    (received,) = receiver.received
    assert received.path == "/hook?token=t0p"
    assert received.event is not None
    assert (received.event_id, received.event["type"]) == (event.id, "screenshot.captured")
    assert received.event["data"]["id"] == "order-42"
    assert received.event["data"]["metadata"] == {"order": "42"}
    assert received.event["data"]["s3Url"].startswith("s3://")
    # And neither the token of the claim nor the URL of the webhook, whose path is a secret
    assert b"claimToken" not in received.content
    assert b"t0p" not in received.content
    # And the message is gone, and what was tried is known
    assert post.deliver() == 0
    (attempt,) = post.attempts("order-42")
    assert (attempt.result, attempt.http_status, attempt.host) == (AttemptResult.DELIVERED, 204, receiver.address)


def test_a_receiver_that_fails_is_tried_again_with_the_same_id_and_content(post: Post, receiver: Receiver) -> None:
    # Given a receiver that fails twice
    receiver.answer = lambda _: (503, {}, b"") if len(receiver.received) < 3 else ACCEPTED
    event = captured(post.cloud, request_with(receiver.url()))
    # When its message is tried as often as it comes
    post.outbox.send([event])
    while len(receiver.received) < 3:
        post.deliver(wait=2)
    # Then each attempt verified and was the same message, and the last one ended it
    assert len(receiver.verified) == 3
    assert len({(each.event_id, each.content) for each in receiver.received}) == 1
    assert post.deliver() == 0
    results = [(each.result, each.http_status) for each in post.attempts("order-42")]
    failed = (AttemptResult.FAILED, 503)
    assert results == [failed, failed, (AttemptResult.DELIVERED, 204)]


@pytest.mark.parametrize(("status", "max_age_seconds"), [(410, MAX_AGE_SECONDS), (404, 0)])
def test_what_is_given_up_is_a_dead_letter_with_its_reason(
    post: Post, receiver: Receiver, status: int, max_age_seconds: float
) -> None:
    # Given a receiver that is gone for good, or one that has not accepted the message for as long as it may take
    receiver.answer = lambda _: (status, {}, b"")
    post.outbox.send([captured(post.cloud, request_with(receiver.url()))])
    # When it is tried
    post.allow(receiver.address, pauses=Pauses(max_age_seconds=max_age_seconds))
    post.deliver()
    # Then it was tried once, and is a dead letter that says why
    assert len(receiver.received) == 1
    (letter,) = post.letters()
    reason = {name: each.get("StringValue") for name, each in letter["MessageAttributes"].items()}
    assert reason["errorCode"] == "WEBHOOK_GIVEN_UP"
    assert f"HTTP status {status}" in str(reason["errorMessage"])
    assert [each.result for each in post.attempts("order-42")] == [AttemptResult.GIVEN_UP]
    assert post.deliver() == 0


def test_what_was_given_up_is_listed_without_its_path_and_comes_again_by_a_redrive(
    post: Post, receiver: Receiver
) -> None:
    # Given a webhook that was given up
    receiver.answer = lambda _: (410, {}, b"") if len(receiver.received) == 1 else ACCEPTED
    post.outbox.send([captured(post.cloud, request_with(receiver.url("/s3cret")))])
    post.deliver()
    # When the dead letters are listed
    settings = post.settings.of_webhooks()
    (letter,) = DeadLetters(post.cloud.clients, settings).read_all()
    # Then it is named, without the path of its URL
    assert (letter.id, letter.url, letter.error_code) == ("order-42", receiver.address, "WEBHOOK_GIVEN_UP")
    # And a redrive sends it again, with the same id
    assert Redriver(post.cloud.clients, settings).redrive() == RedriveResult(moved=1, kept=0)
    assert post.deliver() == 1
    assert len({each.event_id for each in receiver.verified}) == 1
    assert [each.result.value for each in post.attempts("order-42")] == ["given up", "delivered"]


def test_a_redirect_is_not_followed(post: Post, receiver: Receiver) -> None:
    # Given a receiver that redirects to another path
    receiver.answer = lambda received: (307, {"Location": "/elsewhere"}, b"") if received.path == "/hook" else ACCEPTED
    # When its message is tried
    post.outbox.send([captured(post.cloud, request_with(receiver.url()))])
    post.deliver()
    # Then nobody was asked elsewhere, and it is no success
    assert [each.path for each in receiver.received] == ["/hook"]
    assert [(each.result, each.http_status) for each in post.attempts("order-42")] == [(AttemptResult.FAILED, 307)]


def test_a_receiver_that_asks_for_time_gets_it(post: Post, receiver: Receiver) -> None:
    # Given a receiver that asks for ten minutes
    receiver.answer = lambda _: (429, {"Retry-After": "600"}, b"")
    post.outbox.send([captured(post.cloud, request_with(receiver.url()))])
    # When it is tried
    post.deliver()
    # Then the next attempt is no earlier
    (attempt,) = post.attempts("order-42")
    assert attempt.next_at is not None
    assert attempt.next_at - attempt.at == 600_000


def test_a_webhook_of_the_deployment_is_told_beside_that_of_the_request(cloud: Cloud) -> None:
    # Given a webhook for every screenshot, of failures only
    first = Post(cloud)
    with receiving(first.key_of()) as receiver:
        post = Post(cloud, STILLFRAME_WEBHOOK_URL=receiver.url("/every"), STILLFRAME_WEBHOOK_EVENTS="failed, captured")
        post.allow(receiver.address)
        event = captured(cloud, request_with(receiver.url("/own")))
        # When an event is sent, and one that only the deployment wants
        only_captured = Webhook(url=receiver.url("/own"), events=(EventKind.FAILED,))
        other = captured(cloud, CaptureRequest(url=URL, request_id="other", webhook=only_captured))
        post.outbox.send([event, other])
        while post.deliver():
            pass
        # Then each is told of what it wants
        told = sorted((each.path, each.event_id) for each in receiver.verified)
    assert told == sorted([("/every", event.id), ("/own", event.id), ("/every", other.id)])


def test_what_is_no_webhook_message_is_a_dead_letter(post: Post) -> None:
    # Given a message that somebody else has sent to the queue
    post.cloud.clients.sqs.send_message(QueueUrl=post.settings.webhook_queue_url, MessageBody='{"url": "https://a.de"}')
    # When it is received
    post.deliver()
    # Then it is out of the way, with its reason
    (letter,) = post.letters()
    assert letter["MessageAttributes"]["errorCode"]["StringValue"] == "UNPARSABLE_BODY"
    assert post.deliver() == 0


def test_an_endless_answer_ends_the_attempt_in_time(post: Post) -> None:
    # Given a receiver that sends its header line by line, for ever
    class Slow(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            try:
                while True:
                    self.wfile.write(b"x: y\r\n")
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Log nothing."""

    with serving(Slow) as address:
        post.allow(address)
        post.handler._sender._endpoint._total_seconds = 1.0
        post.outbox.send([captured(post.cloud, request_with(f"http://{address}/"))])
        # When it is tried
        post.deliver()
    # Then the attempt has ended after its time, without a success
    (attempt,) = post.attempts("order-42")
    assert attempt.result is AttemptResult.FAILED
    assert attempt.reason == "no answer in time"
    assert 900 <= attempt.ms < 4000


def test_an_event_whose_message_cannot_be_sent_is_named(post: Post) -> None:
    # Given a webhook queue that is gone
    event = captured(post.cloud, request_with("https://hooks.example/"))
    quiet = captured(post.cloud, CaptureRequest(url=URL, request_id="quiet"))
    outbox = WebhookOutbox(post.cloud.clients.sqs, f"{post.settings.webhook_queue_url}-gone")
    # When events are sent, one of which nobody wants to be told of
    # Then only the other one has failed
    assert outbox.send([event, quiet]) == {event.id}


def test_the_messages_of_a_tenant_are_a_group_of_their_own(post: Post) -> None:
    # Given the event of a tenant, which may have thousands of slow receivers
    post.outbox.send([captured(post.cloud, request_with("http://127.0.0.1/", tenant="acme"))])
    # Then SQS can tell its message from those of others (fair queues), and delivers theirs first
    queue_url = post.settings.webhook_queue_url
    (message,) = post.cloud.receive(queue_url=queue_url, wait=0)
    assert message["Attributes"]["MessageGroupId"] == "acme"
    post.cloud.clients.sqs.change_message_visibility(
        QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    # And the letter that it becomes when it is given up, so that a redrive brings it back into that group
    post.deliver()
    (letter,) = post.letters()
    assert letter["Attributes"]["MessageGroupId"] == "acme"


def test_the_webhook_is_kept_in_the_record_and_shown_to_nobody(cloud: Cloud) -> None:
    # Given a record with a webhook
    request = request_with("https://hooks.example/s3cret")
    cloud.table.update(request.id, transitions.queue(request, 1, 1000))
    # Then it is there for whoever sends it
    record = cloud.record(request.id)
    assert record.webhook == request.webhook
    # And no form of the record shows it
    assert "s3cret" not in json.dumps(record.to_wire())
