"""The keys of webhooks: of a deployment, of its tenants, and rotated; and the commands that show them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import Any

from stillframe.request.capture_request import CaptureRequest
from tests.support.cloud import Cloud
from tests.support.post import URL, Post, captured, request_with
from tests.support.receiver import Receiver
from tests.support.workers import ROOT, environment


def test_each_tenant_has_its_own_key_and_keys_are_rotated_without_a_gap(post: Post, receiver: Receiver) -> None:
    # Given a receiver that has the key of its tenant
    receiver.secret = post.key_of("acme")
    assert receiver.secret != post.key_of()
    event = captured(post.cloud, request_with(receiver.url(), tenant="acme"))
    post.outbox.send([event])
    post.deliver()
    # When the keys are rotated
    post.secret.write(post.secret.read().rotated())
    post.allow(receiver.address)
    post.outbox.send([event])
    post.deliver()
    # Then the receiver verifies with the old key and with the new one
    assert len(receiver.verified) == 2
    receiver.secret = post.secret.read().secrets_of("acme")[0]
    post.outbox.send([event])
    post.deliver()
    assert len(receiver.verified) == 3
    # And another tenant's key verifies nothing
    receiver.secret = post.secret.read().secrets_of("other")[0]
    post.outbox.send([event])
    post.deliver()
    assert (len(receiver.received), len(receiver.verified)) == (4, 3)


def test_keys_have_the_length_that_the_specification_asks_for(post: Post) -> None:
    # "between 24 bytes (192 bits) and 64 bytes (512 bits)"
    for tenant in (None, "acme"):
        key = post.key_of(tenant)
        assert key.startswith("whsec_")
        assert 24 <= len(base64.b64decode(key.removeprefix("whsec_"))) <= 64


def run(post: Post, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
    """The JSON lines that a command prints; it must end with the given status."""
    names = {
        "WEBHOOK_QUEUE_URL": post.settings.webhook_queue_url,
        "WEBHOOK_DEAD_LETTER_QUEUE_URL": post.settings.webhook_dead_letter_queue_url,
        "WEBHOOK_SECRET_ARN": post.settings.webhook_secret_arn,
    }
    command = [sys.executable, "-m", "stillframe_cli", *arguments, "--json"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment({**post.cloud.exports, **names}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_commands_show_keys_and_attempts(post: Post, receiver: Receiver) -> None:
    # Given a screenshot whose webhook has failed once
    receiver.answer = lambda _: (500, {}, b"")
    post.outbox.send([captured(post.cloud, request_with(receiver.url("/s3cret")))])
    post.deliver()
    # When its attempts are asked for, and those of a screenshot without any
    (attempt,) = run(post, "webhooks", "order-42", status=1)
    post.cloud.send(CaptureRequest(url=URL, request_id="other"))
    assert run(post, "webhooks", "other") == []
    # And those of an id that nobody has, which is no screenshot without any
    assert run(post, "webhooks", "ordre-42", status=1) == []
    # Then the attempt is told, without the path
    assert (attempt["result"], attempt["httpStatus"], attempt["host"]) == ("failed", 500, receiver.address)
    assert "s3cret" not in json.dumps(attempt)
    # And the keys are those that webhooks are signed with, before a rotation and after it
    (keys,) = run(post, "webhook-keys")
    assert keys == {"current": receiver.secret, "previous": None}
    (rotated,) = run(post, "webhook-keys", "--rotate", "--tenant", "acme")
    assert rotated["previous"] == post.secret.read().secrets_of("acme")[1]
    assert rotated["current"] != rotated["previous"]


def test_a_deployment_without_webhooks_says_so(cloud: Cloud) -> None:
    # Given a deployment without webhooks
    # When the keys are asked for
    done = subprocess.run(
        [sys.executable, "-m", "stillframe_cli", "webhook-keys"],
        cwd=ROOT,
        env=environment(cloud.exports),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Then the answer is one line
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        'This deployment sends no webhooks: set webhooks = "on" in its environment file.'
    )
