"""Keeps the tabs of a worker busy: messages are received as there is room for them, not batch after batch."""

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

# A message that waits for a tab is one that no other worker has: as many as are being worked on, and no more.
WAITING_FOR_EACH_TAB = 1
# After an error of AWS, before it is asked again.
ERROR_PAUSE_SECONDS = 2.0
UNANSWERED = "AWS did not answer, will try again"
BUSY_WAIT_SECONDS = 1
# How long a stop goes unnoticed while there is no room.
NOTICE_SECONDS = 0.1


class Intake:
    """Of one worker. `observe` has to be among the observers of its handler: it tells when there is room again."""

    def __init__(self, most_tabs: int) -> None:
        self._most = most_tabs
        self._tabs: Callable[[], int] = lambda: most_tabs
        self._under_way: set[str] = set()
        self._changed = threading.Condition()
        self._batches: set[Future[None]] = set()
        self.received = 0

    def observe(self, outcome: Outcome) -> None:
        """A message is done with."""
        self._release({outcome.message_id})

    @property
    def is_busy(self) -> bool:
        """Whether there is anything that was received and has not ended."""
        with self._changed:
            return bool(self._under_way)

    def run(
        self, poller: Poller, stop: threading.Event, wait_seconds: int, until_empty: bool, tabs: Callable[[], int]
    ) -> None:
        """Receive and have handled until told to stop, or the queue is empty; then finish what is under way.

        `tabs` says how many there are at the moment. Raises what a handler raised that is no error of AWS's.
        """
        self._tabs = tabs
        with ThreadPoolExecutor(self._most * (1 + WAITING_FOR_EACH_TAB), thread_name_prefix="batch") as pool:
            while not stop.is_set() and not self._step(poller, pool, stop, wait_seconds, until_empty):
                self._raise_failures()
        self._raise_failures()

    def _step(
        self, poller: Poller, pool: ThreadPoolExecutor, stop: threading.Event, wait_seconds: int, until_empty: bool
    ) -> bool:
        """Receive once, when there is room; whether it is over."""
        room = self._wait_for_room(stop)
        if not room:
            return False
        try:
            is_empty = not self._take(poller, pool, stop, wait_seconds, room)
            return is_empty and until_empty and self._is_over(poller)
        except (ClientError, BotoCoreError) as error:
            logger.error(UNANSWERED, extra={"error": str(error)})
            stop.wait(ERROR_PAUSE_SECONDS)
            return False

    def _is_over(self, poller: Poller) -> bool:
        with self._changed:
            is_idle = not self._under_way
        return is_idle and poller.is_drained()

    def _wait_for_room(self, stop: threading.Event) -> int:
        """How many messages there is room for; 0 when it is time to look around again."""
        with self._changed:
            if self._free() < self._least() and not stop.is_set():
                self._changed.wait(NOTICE_SECONDS)
            room = self._free()
            return room if room >= self._least() else 0

    def _free(self) -> int:
        return self._tabs() * (1 + WAITING_FOR_EACH_TAB) - len(self._under_way)

    def _least(self) -> int:
        """As many as there are tabs: a receive and a delete for each message would cost as much as its claim.

        There is room for so many when none waits any more, and every tab is still at work.
        """
        return self._tabs()

    def _take(
        self, poller: Poller, pool: ThreadPoolExecutor, stop: threading.Event, wait_seconds: int, room: int
    ) -> bool:
        """Whether there was anything."""
        # While there is work, a stop must be noticed soon: what is under way has to be finished after it.
        messages = poller.receive(min(wait_seconds, BUSY_WAIT_SECONDS) if self._under_way else wait_seconds, room)
        if messages and stop.is_set():
            # Told to stop while it was asking: these are another worker's.
            poller.hand_back(messages)
        elif messages:
            self.received += len(messages)
            with self._changed:
                self._under_way |= {message["MessageId"] for message in messages}
            self._batches.add(pool.submit(self._handle, poller, messages, time.monotonic()))
        return bool(messages)

    def _handle(self, poller: Poller, messages: list[Message], received_at: float) -> None:
        try:
            poller.handle(messages, received_at)
        except (ClientError, BotoCoreError) as error:
            # What was captured is recorded; its message comes again and is skipped.
            logger.error(UNANSWERED, extra={"error": str(error)})
        finally:
            self._release({message["MessageId"] for message in messages})

    def _release(self, message_ids: set[str]) -> None:
        with self._changed:
            self._under_way -= message_ids
            # Nobody else waits, and woken for less he would go back to sleep.
            if self._free() >= self._least():
                self._changed.notify()

    def _raise_failures(self) -> None:
        done = {batch for batch in self._batches if batch.done()}
        self._batches -= done
        for batch in done:
            batch.result()
