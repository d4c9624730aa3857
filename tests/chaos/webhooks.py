"""Webhooks under disturbances: their functions are killed, and their receiver fails a third of the time.

The event sources are those of Lambda: they keep their place while a function dies.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.clients import connect_secrets
from stillframe.events import event_id
from stillframe.settings import Settings
from stillframe.table.record import Record
from stillframe.webhooks.signing import WebhookSecret
from stillframe_cli.backlog import message_counts
from stillframe_cli.stream_reader import StreamReader, connect_streams
from stillframe_cli.webhook_poller import WebhookPoller
from stillframe_cli.webhook_provision import provision_webhooks
from tests.support.cloud import Cloud
from tests.support.receiver import ACCEPTED, Answer, Received, Receiver, receiving

from .invoked import Invocation, Invoked

FAILING_SHARE = 1 / 3
# Longer than an attempt, and short enough that the function's end is repaired during the run.
VISIBILITY_SECONDS = 20
FAILURES: tuple[Answer, ...] = (
    (500, {}, b""),
    (503, {"Retry-After": "1"}, b""),
    (302, {"Location": "/"}, b""),
    (0, {}, b""),
)
KILL_SECONDS = 3.0
PAUSE_SECONDS = 0.2
SETTLE_SECONDS = 240.0


@dataclass
class Webhooks:
    """The functions, their event sources, and the receiver with what it has accepted."""

    cloud: Cloud
    settings: Settings
    receiver: Receiver
    notifier: Invoked
    sender: Invoked
    rng: random.Random
    accepted: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _unread: threading.Event = field(default_factory=threading.Event)

    def answer(self, received: Received) -> Answer:
        """Accept two thirds; the others get an error, a redirect or no answer, although they were received."""
        if self.rng.random() < FAILING_SHARE:
            return self.rng.choice(FAILURES)
        self.accepted.add(received.event_id)
        return ACCEPTED

    def read_stream(self) -> None:
        reader = StreamReader(connect_streams(), self.settings.table_name, self.notifier.handle)
        while not self._stop.is_set():
            try:
                is_read = not reader.read()
            except (Invocation, ClientError, BotoCoreError):
                is_read = False
            (self._unread.clear if is_read else self._unread.set)()
            if is_read:
                self._stop.wait(PAUSE_SECONDS)

    def poll_queue(self) -> None:
        poller = WebhookPoller(self.cloud.clients, self.settings, self.sender)
        while not self._stop.is_set():
            with contextlib.suppress(Invocation, ClientError, BotoCoreError):
                poller.poll()

    def kill_now_and_then(self) -> None:
        while not self._stop.wait(self.rng.uniform(0.5, 1.5) * KILL_SECONDS):
            self.rng.choice((self.notifier, self.sender)).kill()

    def settle(self) -> None:
        """Wait until the stream is read and the queue of webhooks is empty."""
        give_up_at = time.monotonic() + SETTLE_SECONDS
        quiet = 0
        while quiet < 3 and time.monotonic() < give_up_at:
            is_busy = self._unread.is_set() or any(message_counts(self.cloud.clients, self.settings.webhook_queue_url))
            quiet = 0 if is_busy else quiet + 1
            time.sleep(1)

    def stop(self) -> None:
        self._stop.set()

    def account(self, records: Iterable[Record]) -> dict[str, int]:
        """What was expected, what is missing, and whatever is wrong about what arrived."""
        expected = {event_id(record) for record in records}
        contents: dict[str, set[bytes]] = defaultdict(set)
        events: dict[tuple[str, str], set[str]] = defaultdict(set)
        for each in self.receiver.received:
            contents[each.event_id].add(each.content)
            if each.event is not None and each.event["type"] == "screenshot.captured":
                events[each.event["type"], each.event["data"]["id"]].add(each.event_id)
        return {
            "webhooks": len(expected),
            "webhooksMissing": len(expected - self.accepted),
            "webhooksUnverified": len(self.receiver.received) - len(self.receiver.verified),
            "webhooksUnlike": sum(len(each) > 1 for each in contents.values())
            + sum(len(each) > 1 for each in events.values()),
            "webhookPosts": len(self.receiver.received),
            "webhooksBrokenOff": self.receiver.broken_off,
            "notifierKills": self.notifier.kills,
            "senderKills": self.sender.kills,
        }


@contextlib.contextmanager
def calling_webhooks(cloud: Cloud, exports: Mapping[str, str], rng: random.Random) -> Iterator[Webhooks]:
    """Run all of it until the block ends. `exports` lead through the proxy that fails calls."""
    logging.getLogger("botocore").setLevel(logging.ERROR)
    names = provision_webhooks(cloud.clients, cloud.settings.table_name, VISIBILITY_SECONDS)
    settings = Settings.from_environment(**{**cloud.exports, **names})
    secret = WebhookSecret(connect_secrets, settings.webhook_secret_arn)
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(receiving(secret.keys().secrets_of(None)[0]))
        functions = {**exports, **names, "STILLFRAME_ALLOW_HOSTS": receiver.address}
        notifier, sender = Invoked("notifier", functions), Invoked("webhooks", functions)
        stack.callback(sender.close)
        stack.callback(notifier.close)
        webhooks = Webhooks(cloud, settings, receiver, notifier, sender, rng)
        receiver.answer = webhooks.answer
        threads = [
            threading.Thread(target=each, daemon=True)
            for each in (webhooks.read_stream, webhooks.poll_queue, webhooks.kill_now_and_then)
        ]
        for thread in threads:
            thread.start()
        stack.callback(webhooks.stop)
        yield webhooks
