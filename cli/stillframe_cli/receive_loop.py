"""Receives messages whenever a worker has room for them, so that its tabs are always busy.

Receiving batch after batch would leave tabs idle until the slowest capture of each batch has ended. A worker that
cannot work receives nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.aws_errors import is_refusal
from stillframe.outcome import Outcome
from stillframe_renderer.health import WorkerHealth

from .poller import Message, Poller

logger = logging.getLogger("stillframe.consumer")

# A message that waits here for a tab is hidden from all other workers, so no more of them wait than are being captured.
WAITING_PER_TAB = 1
SILENT = "AWS did not answer"
REFUSED = "AWS refused the call"
# The calls whose faults are counted apart from those of captures.
RECEIVES = "receives"
DELETIONS = "deletions"
# Longest long poll while captures are running: after a stop, their results must be processed soon.
BUSY_WAIT_SECONDS = 1
# How long a stop may go unnoticed while there is no room.
STOP_CHECK_SECONDS = 0.1


class ReceiveLoop:
    """The receive loop of one worker.

    `observe` must be one of the observers of the worker's handler: it tells the loop that a message has ended and that
    there is room for another one.
    """

    def __init__(self, max_tabs: int) -> None:
        self._max_tabs = max_tabs
        self._health = WorkerHealth()
        self._may_receive: Callable[[], bool] = lambda: True
        self._beat: Callable[[str], None] = lambda _: None
        self._tabs: Callable[[], int] = lambda: max_tabs
        self._waiting_per_tab = WAITING_PER_TAB
        self._in_progress: set[str] = set()
        self._changed = threading.Condition()
        self._batches: set[Future[None]] = set()
        self.received = 0

    def observe(self, outcome: Outcome) -> None:
        """Note that a message has ended."""
        self._remove({outcome.message_id})

    @property
    def is_busy(self) -> bool:
        """Whether a received message has not ended yet."""
        with self._changed:
            return bool(self._in_progress)

    def run(
        self,
        poller: Poller,
        stop: threading.Event,
        wait_seconds: int,
        until_empty: bool,
        tabs: Callable[[], int],
        health: WorkerHealth | None = None,
        may_receive: Callable[[], bool] = lambda: True,
        beat: Callable[[str], None] = lambda _: None,
        has_short_leases: bool = False,
    ) -> None:
        """Receive messages until `stop` is set, or with `until_empty` until the queue is empty; then finish the rest.

        `tabs` returns the present number of tabs, which may change. `health` is the worker's. While `may_receive`
        returns false, nothing is received. `beat` is called again and again, with the reason while the worker cannot
        work. With `has_short_leases`, every message is captured at once: its lease runs while it waits. Errors of AWS
        are logged and retried, more and more rarely; with `until_empty`, a refused receive is raised as ClientError or
        BotoCoreError. Any other exception of the handler is raised, and WorkerUnfit when the worker cannot work for too
        long.
        """
        self._tabs, self._health, self._may_receive = tabs, health or WorkerHealth(), may_receive
        self._beat = beat
        self._waiting_per_tab = 0 if has_short_leases else WAITING_PER_TAB
        with ThreadPoolExecutor(self._max_tabs * (1 + WAITING_PER_TAB), thread_name_prefix="batch") as pool:
            while not stop.is_set() and not self._receive_once(poller, pool, stop, wait_seconds, until_empty):
                self._raise_failures()
        self._raise_failures()

    def _receive_once(
        self, poller: Poller, pool: ThreadPoolExecutor, stop: threading.Event, wait_seconds: int, until_empty: bool
    ) -> bool:
        """Receive messages if there is room for them. Returns whether the queue is empty and the loop should end."""
        self._health.refresh()
        self._beat("" if self._health.may_work else self._health.reason)
        if pause := self._health.pause_seconds():
            stop.wait(pause)
            return False
        room = self._wait_for_room(stop)
        if not room:
            return False
        try:
            is_empty = not self._start_batch(poller, pool, stop, wait_seconds, room)
            is_done = is_empty and until_empty and self._is_drained(poller)
        except (ClientError, BotoCoreError) as error:
            if until_empty and is_refusal(error):
                raise
            # The next poll would fail in the same way: one error is enough to pause.
            self._health.fault(RECEIVES, _reason(error), in_a_row=1)
            return False
        self._health.success(RECEIVES)
        return is_done

    def _is_drained(self, poller: Poller) -> bool:
        with self._changed:
            is_idle = not self._in_progress
        return is_idle and poller.is_drained()

    def _wait_for_room(self, stop: threading.Event) -> int:
        """Wait briefly for room. Returns how many messages fit, or 0 when there is not enough room yet."""
        with self._changed:
            if not self._has_room() and not stop.is_set():
                self._changed.wait(STOP_CHECK_SECONDS)
            return self._room() if self._has_room() else 0

    def _has_room(self) -> bool:
        return self._may_receive() and self._room() >= self._min_room() > 0

    def _room(self) -> int:
        limit = self._tabs() * (1 + self._waiting_per_tab)
        allowed = self._health.max_messages
        return (limit if allowed is None else min(allowed, limit)) - len(self._in_progress)

    def _min_room(self) -> int:
        """Receive at least one message per tab: a receive and a delete for each would cost as much as its claim.

        There is room for as many when no message waits any more and every tab is still busy.
        """
        if not self._waiting_per_tab:
            return 1
        allowed = self._health.max_messages
        return self._tabs() if allowed is None else max(1, min(allowed, self._tabs()))

    def _start_batch(
        self, poller: Poller, pool: ThreadPoolExecutor, stop: threading.Event, wait_seconds: int, room: int
    ) -> bool:
        """Receive up to `room` messages and start them. Returns whether there were any."""
        messages = poller.receive(min(wait_seconds, BUSY_WAIT_SECONDS) if self._in_progress else wait_seconds, room)
        if messages and stop.is_set():
            # The stop came while the receive was waiting: leave these messages to another worker.
            poller.return_to_queue(messages)
        elif messages:
            self.received += len(messages)
            with self._changed:
                self._in_progress |= {message["MessageId"] for message in messages}
            self._batches.add(pool.submit(self._process, poller, messages, time.monotonic()))
        return bool(messages)

    def _process(self, poller: Poller, messages: list[Message], received_at: float) -> None:
        try:
            if poller.process(messages, received_at):
                self._health.success(DELETIONS)
        except (ClientError, BotoCoreError) as error:
            # Completed captures are recorded; their messages are delivered again and skipped.
            logger.error("messages could not be deleted", extra={"error": _reason(error)})
            self._health.fault(DELETIONS, _reason(error))
        finally:
            self._remove({message["MessageId"] for message in messages})

    def _remove(self, message_ids: set[str]) -> None:
        with self._changed:
            self._in_progress -= message_ids
            # Only the loop waits for this, and waking it early only puts it back to sleep.
            if self._has_room():
                self._changed.notify()

    def _raise_failures(self) -> None:
        done = {batch for batch in self._batches if batch.done()}
        self._batches -= done
        for batch in done:
            batch.result()


def _reason(error: ClientError | BotoCoreError) -> str:
    """AWS's own words, and whether AWS said anything."""
    return f"{REFUSED if is_refusal(error) else SILENT}: {error}"
