"""A worker of the embedded environment in a thread, which captures what a crawl sends."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import BrowserUnavailable
from stillframe.outcome import Outcome
from stillframe.settings import SettingsError
from stillframe_renderer.health import WorkerUnfit
from stillframe_renderer.observability import json_logger, log_outcome
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

from ..local.folder import RunStopped
from ..local.interruption import Interruption
from ..poller import Poller
from ..receive_loop import ReceiveLoop
from ..session import EmbeddedEnvironment

POLL_SECONDS = 1


class EmbeddedWorker:
    """Captures until it is stopped, or until it cannot go on."""

    def __init__(self, environment: EmbeddedEnvironment, interruption: Interruption) -> None:
        """Raises RunStopped if this machine cannot capture."""
        settings = environment.settings
        json_logger(settings.log_level, stream=sys.stderr)
        configure_process()
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._error: Exception | None = None
        self._loop = ReceiveLoop(settings.tabs_ceiling)
        observers = [self._observe, log_outcome, self._loop.observe]
        try:
            self._runtime = Runtime.build(settings, environment.clients, observers)
        except SettingsError as error:
            raise RunStopped(str(error)) from error
        interruption.attach(self._runtime, self._stop)
        self._environment = environment
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        try:
            self._runtime.engine.warm_up()
            self._runtime.health.require_check()
        except (WorkerUnfit, BrowserUnavailable) as error:
            self._runtime.close()
            raise _unfit(error) from error
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until a capture has ended, for so long at most. Raises RunStopped if the worker cannot go on."""
        self._ended.wait(seconds)
        self._ended.clear()
        self.check()

    def check(self) -> None:
        """Raises RunStopped if the worker cannot go on."""
        if isinstance(self._error, WorkerUnfit | BrowserUnavailable):
            raise _unfit(self._error) from self._error
        if isinstance(self._error, ClientError | BotoCoreError):
            raise RunStopped(f"The embedded AWS environment does not answer: {self._error}") from self._error
        if self._error is not None:
            raise self._error

    def finish(self) -> None:
        """Finish the captures that have begun, and begin no others."""
        self._stop.set()
        self._thread.join()

    def close(self) -> None:
        """Finish, and end the browser."""
        self.finish()
        self._runtime.close()

    def _observe(self, _outcome: Outcome) -> None:
        self._ended.set()

    def _run(self) -> None:
        try:
            self._loop.run(
                Poller(self._environment.clients, self._environment.settings, self._runtime.handler.handle),
                self._stop,
                POLL_SECONDS,
                until_empty=False,
                tabs=lambda: self._runtime.tabs.width,
                health=self._runtime.health,
            )
        except Exception as error:
            self._error = error
        self._ended.set()


@contextlib.contextmanager
def embedded_worker(environment: EmbeddedEnvironment, interruption: Interruption) -> Iterator[EmbeddedWorker]:
    """A worker until the end of the block. Raises RunStopped."""
    worker = EmbeddedWorker(environment, interruption)
    try:
        yield worker
    finally:
        worker.close()


def _unfit(error: Exception) -> RunStopped:
    return RunStopped(f"This machine cannot capture: {error}. `stillframe doctor` says more.")
