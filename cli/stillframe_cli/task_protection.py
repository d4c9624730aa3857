"""Protects an ECS task from scale-in while it captures, but never for long without a break.

ECS waits for a protected task, with a scale-in and with a deployment ("Task scale-in protection"). Under constant load
a task would never be idle, so from time to time it receives nothing, finishes what it has, and gives its protection up.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import urllib.request
from collections.abc import Callable

logger = logging.getLogger("stillframe.consumer")

# Address of the agent, which ECS sets for its tasks ("Task scale-in protection endpoint").
AGENT_VARIABLE = "ECS_AGENT_URI"
CHECK_SECONDS = 5.0
# Protection expires by itself in case this process cannot end it; it is renewed well before.
EXPIRES_MINUTES = 10
RENEW_SECONDS = 300.0
AGENT_TIMEOUT_SECONDS = 5.0
# How long the task stays unprotected, and receives nothing: the service scheduler needs a moment to notice.
BREAK_SECONDS = 10.0


class TaskProtection:
    """Keeps the task protected while `is_busy` returns true. Does nothing outside ECS.

    After `max_seconds` of protection without a break, `may_receive` is false until the task has finished its captures
    and was unprotected for a moment.
    """

    def __init__(
        self,
        is_busy: Callable[[], bool],
        max_seconds: float,
        check_seconds: float = CHECK_SECONDS,
        break_seconds: float = BREAK_SECONDS,
    ) -> None:
        self._is_busy = is_busy
        self._max_seconds = max_seconds
        self._check_seconds = check_seconds
        self._break_seconds = break_seconds
        self._agent = os.environ.get(AGENT_VARIABLE, "")
        self._is_protected = False
        self._set_at = 0.0
        self._protected_since = 0.0
        # When the present break ends; infinite until the captures have ended. None outside a break.
        self._break_ends_at: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._update_regularly, name="protection", daemon=True)
        if self._agent:
            self._thread.start()

    def may_receive(self) -> bool:
        """Whether the worker may receive messages: not before and during a break."""
        return self._break_ends_at is None

    def close(self) -> None:
        """End the protection. Idempotent."""
        self._stop.set()
        if self._agent:
            self._thread.join()
            self._set_protection(False)

    def _update_regularly(self) -> None:
        while not self._stop.wait(self._check_seconds):
            self._update(time.monotonic())

    def _update(self, now: float) -> None:
        is_busy = self._is_busy()
        if self._break_ends_at is not None and now >= self._break_ends_at:
            self._break_ends_at = None
        elif self._is_protected and now - self._protected_since >= self._max_seconds and self._break_ends_at is None:
            self._break_ends_at = float("inf")
        is_old = now - self._set_at > RENEW_SECONDS
        if is_busy != self._is_protected or (is_busy and is_old):
            self._set_protection(is_busy)
        if self._break_ends_at == float("inf") and not is_busy:
            # Also when the agent did not answer: the next break then comes as late as after any other.
            self._break_ends_at, self._protected_since = now + self._break_seconds, now

    def _set_protection(self, is_protected: bool) -> None:
        body = {"ProtectionEnabled": is_protected, **({"ExpiresInMinutes": EXPIRES_MINUTES} if is_protected else {})}
        request = urllib.request.Request(  # noqa: S310  # the agent's address, from the task's own environment
            f"{self._agent}/task-protection/v1/state",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="PUT",
        )
        try:
            # The agent has a link-local address, which no proxy can reach.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=AGENT_TIMEOUT_SECONDS):
                now = time.monotonic()
                if is_protected and not self._is_protected:
                    self._protected_since = now
                self._is_protected, self._set_at = is_protected, now
        except OSError as error:
            # Not an error: an unprotected task that is stopped returns its messages, and only loses work.
            logger.warning("could not change the scale-in protection of the task", extra={"error": str(error)})
