"""One run of `shoot`: captures what is planned in the embedded environment, and saves each result as it ends."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.errors import BrowserUnavailable
from stillframe.producer import Producer
from stillframe.settings import Settings, SettingsError
from stillframe_renderer.health import WorkerUnfit
from stillframe_renderer.observability import json_logger, log_outcome
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

from .console import print_note
from .emulator import running_emulator
from .local.folder import OutputFolder, RunStopped
from .local.interruption import Interruption
from .local.plan import CapturePlan
from .local.results import Result, SavedResults
from .local.saver import ResultSaver
from .local.tracker import RunTracker
from .poller import Poller
from .provision import QueuePolicy, provision
from .receive_loop import ReceiveLoop

POLL_SECONDS = 1


@dataclass(frozen=True, slots=True)
class EmbeddedEnvironment:
    """The embedded environment with its resources, ready for use by this process."""

    settings: Settings
    clients: Clients


@contextlib.contextmanager
def embedded_environment(**overrides: str) -> Iterator[EmbeddedEnvironment]:
    """Start the environment and point the AWS variables of this process to it. `overrides` are settings by variable."""
    with running_emulator() as emulator:
        emulator.use_in_this_process()
        clients = Clients.connect()
        # Only this process uses the queue, and somebody is waiting for the results: retry soon.
        quick = {"STILLFRAME_BACKOFF_BASE_SECONDS": "1", "STILLFRAME_BACKOFF_CAP_SECONDS": "8", "LOG_LEVEL": "ERROR"}
        # No host limit: the pages are the user's own choice.
        quick["STILLFRAME_PER_HOST"] = "0"
        exports = provision(clients, QueuePolicy(max_receive_count=3))
        yield EmbeddedEnvironment(Settings.from_environment(**{**exports, **quick, **overrides}), clients)


class ShootSession:
    """Sends requests, captures them, and saves one result for each in a directory."""

    def __init__(self, environment: EmbeddedEnvironment, folder: OutputFolder, results: SavedResults) -> None:
        self._settings = environment.settings
        self._clients = environment.clients
        self._folder = folder
        self._results = results

    def capture(self, plan: CapturePlan, interruption: Interruption, on_saved: Callable[[Result], None]) -> None:
        """Capture what is planned, until all is saved or `interruption` comes.

        `on_saved` is called with each result, on a thread of its own. Raises RunStopped when this machine cannot go on.
        """
        json_logger(self._settings.log_level, stream=sys.stderr)
        configure_process()
        tracker = RunTracker(plan.captures, self._settings.max_receive_count)
        loop = ReceiveLoop(self._settings.tabs_ceiling)
        try:
            runtime = Runtime.build(self._settings, self._clients, [tracker.observe, log_outcome, loop.observe])
        except SettingsError as error:
            raise RunStopped(str(error)) from error
        interruption.attach(runtime, tracker.stop)
        archive = Archive(self._clients, self._settings)
        try:
            runtime.engine.warm_up()
            runtime.health.require_check()
            saver = ResultSaver(archive, self._folder, self._results, tracker, len(plan.captures), on_saved)
            try:
                self._run(tracker, loop, runtime)
            finally:
                tracker.stop.set()
                runtime.handler.close()
                saver.close()
            if saver.error is not None:
                raise saver.error
        except (WorkerUnfit, BrowserUnavailable) as error:
            raise RunStopped(f"This machine cannot capture: {error}. `stillframe doctor` says more.") from error
        except (ClientError, BotoCoreError) as error:
            raise RunStopped(f"The embedded AWS environment does not answer: {error}") from error
        finally:
            runtime.close()

    def _run(self, tracker: RunTracker, loop: ReceiveLoop, runtime: Runtime) -> None:
        feeder = _Feeder(Producer(self._clients, self._settings), tracker)
        poller = Poller(self._clients, self._settings, runtime.handler.handle)
        loop.run(
            poller,
            tracker.stop,
            POLL_SECONDS,
            until_empty=False,
            tabs=lambda: runtime.tabs.width,
            health=runtime.health,
            # A long poll at the end of the run would only delay it.
            may_receive=lambda: tracker.has_deliverable(loop.received),
            beat=_HealthNotes().beat,
        )
        feeder.join()


class _HealthNotes:
    """Says once why nothing is captured at the moment."""

    def __init__(self) -> None:
        self._reason = ""

    def beat(self, reason: str) -> None:
        """Print a reason that is new."""
        if reason and reason != self._reason:
            print_note(f"waiting, because this machine cannot capture at the moment: {reason}")
        self._reason = reason


class _Feeder(threading.Thread):
    """Sends the requests while the first of them are being captured."""

    def __init__(self, producer: Producer, tracker: RunTracker) -> None:
        super().__init__(name="feeder", daemon=True)
        self._producer = producer
        self._tracker = tracker
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        """Send until all is sent, or the run ends."""
        try:
            for _ in self._producer.send(self._tracker.requests()):
                self._tracker.sent()
        except Exception as error:
            self._error = error
            self._tracker.stop.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended. Raises the error that ended it."""
        super().join(timeout)
        if self._error is not None:
            raise self._error
