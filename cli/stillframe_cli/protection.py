"""A task of ECS that renders is not chosen when a service shrinks."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import urllib.request
from collections.abc import Callable

logger = logging.getLogger("stillframe.consumer")

# Where the agent is, for tasks of ECS ("Task scale-in protection endpoint").
AGENT_VARIABLE = "ECS_AGENT_URI"
LOOK_SECONDS = 5.0
# Protection ends by itself, should this process not end it; it is asked for again well before.
EXPIRES_MINUTES = 10
RENEW_SECONDS = 300.0
AGENT_SECONDS = 5.0


class TaskProtection:
    """Follows whether the worker is busy. Does nothing outside of ECS."""

    def __init__(self, is_busy: Callable[[], bool], look_seconds: float = LOOK_SECONDS) -> None:
        self._is_busy = is_busy
        self._look_seconds = look_seconds
        self._agent = os.environ.get(AGENT_VARIABLE, "")
        self._is_protected = False
        self._asked_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="protection", daemon=True)
        if self._agent:
            self._thread.start()

    def close(self) -> None:
        """Give it up. Idempotent."""
        self._stop.set()
        if self._agent:
            self._thread.join()
            self._ask(False)

    def _run(self) -> None:
        while not self._stop.wait(self._look_seconds):
            is_busy = self._is_busy()
            is_old = time.monotonic() - self._asked_at > RENEW_SECONDS
            if is_busy != self._is_protected or (is_busy and is_old):
                self._ask(is_busy)

    def _ask(self, is_protected: bool) -> None:
        body = {"ProtectionEnabled": is_protected, **({"ExpiresInMinutes": EXPIRES_MINUTES} if is_protected else {})}
        request = urllib.request.Request(  # noqa: S310  # the agent's address, from the task's own environment
            f"{self._agent}/task-protection/v1/state",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="PUT",
        )
        try:
            # The agent is link-local: never through a proxy.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=AGENT_SECONDS):
                self._is_protected, self._asked_at = is_protected, time.monotonic()
        except OSError as error:
            # A task that is stopped hands back what it has: this only spares work.
            logger.warning("the task could not be protected", extra={"error": str(error)})
