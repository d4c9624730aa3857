"""Which captures of a run have not ended yet."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence

from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest

from .plan import PlannedCapture

# How many captures may be on the queue at once: enough to keep every tab busy, few enough to stop at any moment.
MAX_AHEAD = 200
CHECK_SECONDS = 0.2


class RunTracker:
    """Gives out the requests of a run, and matches the outcomes of their deliveries with them.

    An outcome is matched by screenshot id, because a message that is postponed continues as another message.
    """

    def __init__(self, captures: Sequence[PlannedCapture], max_receives: int) -> None:
        self._captures = captures
        self._max_receives = max_receives
        self._open: dict[str, deque[PlannedCapture]] = defaultdict(deque)
        self._ended: set[str] = set()
        self._changed = threading.Condition()
        self._given_out = 0
        self._deliverable = 0
        self._done = 0
        self.stop = threading.Event()
        self.finished: queue.SimpleQueue[tuple[PlannedCapture, Outcome] | None] = queue.SimpleQueue()

    def requests(self) -> Iterator[CaptureRequest]:
        """Yield the requests, a limited number ahead of the outcomes, until `stop` is set."""
        for capture in self._captures:
            with self._changed:
                while self._given_out - self._done >= MAX_AHEAD and not self.stop.is_set():
                    self._changed.wait(CHECK_SECONDS)
                if self.stop.is_set():
                    return
                self._given_out += 1
                self._open[capture.request.id].append(capture)
            yield capture.request

    def sent(self) -> None:
        """Note that a message is on the queue."""
        with self._changed:
            self._deliverable += 1

    def observe(self, outcome: Outcome) -> None:
        """Note how a delivery ended."""
        with self._changed:
            if not self._is_final(outcome):
                self._deliverable += 1
                return
            waiting = self._open.get(outcome.id)
            if not waiting or outcome.message_id in self._ended:
                # A message that could not be deleted was delivered again.
                return
            self._ended.add(outcome.message_id)
            self._done += 1
            self._changed.notify_all()
            capture = waiting.popleft()
        self.finished.put((capture, outcome))

    def has_deliverable(self, received: int) -> bool:
        """Whether more messages were sent or put back than `received`: otherwise a receive would only wait."""
        with self._changed:
            return self._deliverable > received

    def _is_final(self, outcome: Outcome) -> bool:
        if outcome.kind is not OutcomeKind.RETRY:
            return True
        # After a stop, messages are handed back untouched.
        return outcome.receive_count >= self._max_receives and not self.stop.is_set()
