"""Receives messages whenever a worker has room for them, so that its tabs are always busy.

Receiving batch after batch would leave tabs idle until the slowest capture of each batch has ended.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.outcome import Outcome

from .poller import Message, Poller

logger = logging.getLogger("stillframe.consumer")

# A message that waits here for a tab is hidden from all other workers, so no more of them wait than are being captured.
WAITING_PER_TAB = 1
# Pause after an error of AWS.
ERROR_PAUSE_SECONDS = 2.0
AWS_ERROR_MESSAGE = "AWS did not answer, will try again"
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
        self._tabs: Callable[[], int] = lambda: max_tabs
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
        self, poller: Poller, stop: threading.Event, wait_seconds: int, until_empty: bool, tabs: Callable[[], int]
    ) -> None:
        """Receive messages until `stop` is set, or with `until_empty` until the queue is empty; then finish the rest.

        `tabs` returns the present number of tabs, which may change. Errors of AWS are logged and retried; any other
        exception of the handler is raised.
        """
        self._tabs = tabs
        with ThreadPoolExecutor(self._max_tabs * (1 + WAITING_PER_TAB), thread_name_prefix="batch") as pool:
            while not stop.is_set() and not self._receive_once(poller, pool, stop, wait_seconds, until_empty):
                self._raise_failures()
        self._raise_failures()

    def _receive_once(
        self, poller: Poller, pool: ThreadPoolExecutor, stop: threading.Event, wait_seconds: int, until_empty: bool
    ) -> bool:
        """Receive messages if there is room for them. Returns whether the queue is empty and the loop should end."""
        room = self._wait_for_room(stop)
        if not room:
            return False
        try:
            is_empty = not self._start_batch(poller, pool, stop, wait_seconds, room)
            return is_empty and until_empty and self._is_drained(poller)
        except (ClientError, BotoCoreError) as error:
            logger.error(AWS_ERROR_MESSAGE, extra={"error": str(error)})
            stop.wait(ERROR_PAUSE_SECONDS)
            return False

    def _is_drained(self, poller: Poller) -> bool:
        with self._changed:
            is_idle = not self._in_progress
        return is_idle and poller.is_drained()

    def _wait_for_room(self, stop: threading.Event) -> int:
        """Wait briefly for room. Returns how many messages fit, or 0 when there is not enough room yet."""
        with self._changed:
            if self._room() < self._min_room() and not stop.is_set():
                self._changed.wait(STOP_CHECK_SECONDS)
            room = self._room()
            return room if room >= self._min_room() else 0

    def _room(self) -> int:
        return self._tabs() * (1 + WAITING_PER_TAB) - len(self._in_progress)

    def _min_room(self) -> int:
        """Receive at least one message per tab: a receive and a delete for each would cost as much as its claim.

        There is room for as many when no message waits any more and every tab is still busy.
        """
        return self._tabs()

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
            poller.process(messages, received_at)
        except (ClientError, BotoCoreError) as error:
            # Completed captures are recorded; their messages are delivered again and skipped.
            logger.error(AWS_ERROR_MESSAGE, extra={"error": str(error)})
        finally:
            self._remove({message["MessageId"] for message in messages})

    def _remove(self, message_ids: set[str]) -> None:
        with self._changed:
            self._in_progress -= message_ids
            # Only the loop waits for this, and waking it early only puts it back to sleep.
            if self._room() >= self._min_room():
                self._changed.notify()

    def _raise_failures(self) -> None:
        done = {batch for batch in self._batches if batch.done()}
        self._batches -= done
        for batch in done:
            batch.result()
