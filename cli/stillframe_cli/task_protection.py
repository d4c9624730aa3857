"""Protects an ECS task from scale-in while it captures."""

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


class TaskProtection:
    """Keeps the task protected while `is_busy` returns true. Does nothing outside ECS."""

    def __init__(self, is_busy: Callable[[], bool], check_seconds: float = CHECK_SECONDS) -> None:
        self._is_busy = is_busy
        self._check_seconds = check_seconds
        self._agent = os.environ.get(AGENT_VARIABLE, "")
        self._is_protected = False
        self._set_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._update_regularly, name="protection", daemon=True)
        if self._agent:
            self._thread.start()

    def close(self) -> None:
        """End the protection. Idempotent."""
        self._stop.set()
        if self._agent:
            self._thread.join()
            self._set_protection(False)

    def _update_regularly(self) -> None:
        while not self._stop.wait(self._check_seconds):
            is_busy = self._is_busy()
            is_old = time.monotonic() - self._set_at > RENEW_SECONDS
            if is_busy != self._is_protected or (is_busy and is_old):
                self._set_protection(is_busy)

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
                self._is_protected, self._set_at = is_protected, time.monotonic()
        except OSError as error:
            # Not an error: an unprotected task that is stopped returns its messages, and only loses work.
            logger.warning("could not change the scale-in protection of the task", extra={"error": str(error)})
