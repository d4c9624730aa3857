"""Whether this worker can work.

Told how every delivery ends, it says whether to receive, how long to pause, and when to end the process so that its
platform replaces it.

A queue shares its messages among its workers, and a worker that fails at once takes more than its share: one that is
unhealthy would receive most of a queue, again and again, until every message had used up its receives.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from enum import Enum

from stillframe import log_messages
from stillframe.errors import BrowserCrashed, WorkerFault, codes_of
from stillframe.outcome import Outcome, OutcomeKind

logger = logging.getLogger(__name__)

# This many faults of one kind in a row, without a success between them, are the worker's and not an accident.
FAULTS_IN_A_ROW = 3
# A pause doubles from the first to the longest.
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0
# After this many pauses without a success, about six minutes, somebody else has to help.
MAX_PAUSES = 16
FAULT_CODES = frozenset(codes_of(WorkerFault))
CAPTURES = "captures"
CRASHES = "crashes"

OnUnhealthy = Callable[[], None]


class WorkerUnfit(Exception):
    """The worker has been unhealthy for too long. The message is the last reason."""


class State(Enum):
    """What the worker may do: everything; nothing; or one message at a time, because only its checks have passed."""

    WELL = "well"
    UNHEALTHY = "unhealthy"
    ON_PROBATION = "on probation"


class WorkerHealth:
    """The state of one worker. Thread-safe.

    `check` tests what a capture needs and raises an error that says what is missing. `on_unhealthy` is called each
    time that the worker pauses.
    """

    def __init__(
        self,
        check: Callable[[], None] = lambda: None,
        on_unhealthy: OnUnhealthy = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._check = check
        self._on_unhealthy = on_unhealthy
        self._monotonic = monotonic
        self._uniform = uniform
        self._lock = threading.Lock()
        self._check_lock = threading.Lock()
        self._state = State.WELL
        self._in_a_row: Counter[str] = Counter()
        self._reason = ""
        self._pauses = 0
        self._check_at = 0.0

    @property
    def may_work(self) -> bool:
        """Whether a message may be processed."""
        return self._state is not State.UNHEALTHY

    @property
    def max_messages(self) -> int | None:
        """How many messages may be in progress; None when that is for others to decide."""
        return {State.WELL: None, State.UNHEALTHY: 0, State.ON_PROBATION: 1}[self._state]

    @property
    def reason(self) -> str:
        """Why the worker is, or was last, unhealthy."""
        return self._reason

    def observe(self, outcome: Outcome) -> None:
        """Note how a delivery ended: only a capture shows that everything works."""
        if outcome.error_code in FAULT_CODES:
            self.fault(CAPTURES, f"{outcome.error_code}: {outcome.error_message}")
        elif outcome.error_code == BrowserCrashed.code:
            self._suspect(f"{outcome.error_code}: {outcome.error_message}")
        elif outcome.kind is OutcomeKind.CAPTURED:
            self.success(CAPTURES)
        elif self._state is State.ON_PROBATION:
            self._recover()

    def fault(self, kind: str, reason: str, in_a_row: int = FAULTS_IN_A_ROW) -> None:
        """Note a fault of the worker. It becomes unhealthy at the given number in a row, or at once on probation."""
        with self._lock:
            self._reason = reason
            self._in_a_row[kind] += 1
            if self._state is State.UNHEALTHY:
                return
            # The first check need not wait: an accident is over by then, and the checks say so.
            is_relapse = self._state is State.ON_PROBATION or in_a_row == 1
            if self._in_a_row[kind] < in_a_row and not is_relapse:
                return
            self._state = State.UNHEALTHY
            self._check_at = self._monotonic() + (self._next_pause() if is_relapse else 0.0)
        if is_relapse:
            self._report()

    def success(self, kind: str) -> None:
        """Note that something of this kind has succeeded."""
        with self._lock:
            self._in_a_row.pop(kind, None)
            if kind == CAPTURES:
                self._in_a_row.pop(CRASHES, None)
            is_well = self._state is State.WELL
        if not is_well and not self._in_a_row:
            self._recover()

    def require_check(self) -> None:
        """Allow nothing before the first check: a worker that cannot work should not receive a message to find out."""
        with self._lock:
            self._state, self._check_at = State.UNHEALTHY, self._monotonic()

    def pause_seconds(self) -> float:
        """The time until the next check; 0 when there is nothing to wait for."""
        return max(0.0, self._check_at - self._monotonic()) if self._state is State.UNHEALTHY else 0.0

    def refresh(self) -> None:
        """Check an unhealthy worker when it is time. Raises WorkerUnfit when that has failed for too long."""
        with self._check_lock:
            if self._state is not State.UNHEALTHY or self.pause_seconds() > 0:
                return
            if self._pauses >= MAX_PAUSES:
                raise WorkerUnfit(self._reason)
            try:
                self._check()
            except Exception as error:
                with self._lock:
                    self._reason = f"{getattr(error, 'code', type(error).__name__)}: {error}"
                    self._check_at = self._monotonic() + self._next_pause()
                self._report()
            else:
                with self._lock:
                    self._in_a_row.pop(CRASHES, None)
                    self._state = State.ON_PROBATION if self._in_a_row else State.WELL

    def _suspect(self, reason: str) -> None:
        """A browser that crashed in a row is checked. It is most likely sound: pages can crash it."""
        with self._lock:
            self._in_a_row[CRASHES] += 1
            if self._in_a_row[CRASHES] >= FAULTS_IN_A_ROW and self._state is State.WELL:
                self._state, self._reason, self._check_at = State.UNHEALTHY, reason, self._monotonic()

    def _next_pause(self) -> float:
        ceiling = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._pauses)
        self._pauses += 1
        return self._uniform(ceiling * 0.75, ceiling)

    def _report(self) -> None:
        seconds = round(self.pause_seconds(), 1)
        logger.error(log_messages.WORKER_UNHEALTHY, extra={"reason": self._reason, "pauseSeconds": seconds})
        self._on_unhealthy()

    def _recover(self) -> None:
        with self._lock:
            self._state, self._pauses = State.WELL, 0
            self._in_a_row.clear()
        logger.info(log_messages.WORKER_RECOVERED, extra={"reason": self._reason})
