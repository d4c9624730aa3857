"""One run of `shoot`: captures requests in the embedded environment and writes the results to a directory."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stillframe.clients import Clients
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe.table.record import Record
from stillframe_renderer.observability import json_logger, log_outcome
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

from .archive import Archive
from .console import ProgressReport
from .emulator import running_emulator
from .filenames import filename_for
from .gallery import write_gallery
from .poller import Poller
from .producer import Producer, SentMessage
from .provision import QueuePolicy, provision

RESULTS_NAME = "results.jsonl"
POLL_SECONDS = 1
RESULT_FIELDS = (
    "id", "url", "outcome", "reason", "status", "path", "s3Url", "width", "height", "bytes", "sha256", "httpStatus",
    "title", "errorCode", "errorMessage", "durationMs",
)  # fmt: skip
STATUS_WITHOUT_RECORD = {OutcomeKind.CAPTURED: "success", OutcomeKind.FAILED: "failed"}


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
        # No host limit: a capture that waits for its host gets a new message, but this run waits for those it sent.
        quick["STILLFRAME_PER_HOST"] = "0"
        exports = provision(clients, QueuePolicy(max_receive_count=3))
        yield EmbeddedEnvironment(Settings.from_environment(**{**exports, **quick, **overrides}), clients)


class ShootSession:
    """Sends requests, captures them, and collects one result for each message in a directory that exists."""

    def __init__(self, environment: EmbeddedEnvironment, directory: Path) -> None:
        self._settings = environment.settings
        self._clients = environment.clients
        self._directory = directory
        self._archive = Archive(environment.clients, environment.settings)
        self._outcomes: dict[str, Outcome] = {}
        self._paths: dict[str, str] = {}
        self._extras: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def capture(self, requests: Sequence[CaptureRequest]) -> Iterator[dict[str, Any]]:
        """Capture the requests and yield their results in the same order. Writes images, results and gallery."""
        with ProgressReport("capturing", len(requests)) as progress:

            def observe(outcome: Outcome) -> None:
                with self._lock:
                    self._outcomes[outcome.message_id] = outcome
                if outcome.kind is not OutcomeKind.RETRY:
                    progress.advance(f"{outcome.kind.value} {outcome.reason or ''} {outcome.url}".replace("  ", " "))

            json_logger(self._settings.log_level, stream=sys.stderr)
            configure_process()
            runtime = Runtime.build(self._settings, self._clients, [observe, log_outcome])
            try:
                runtime.engine.warm_up()
                sent = list(Producer(self._clients, self._settings).send(requests))
                poller = Poller(self._clients, self._settings, runtime.handler.handle)
                while not self._are_finished(sent):
                    poller.poll(POLL_SECONDS)
            finally:
                runtime.close()
        yield from self._write_results(sent)

    def _are_finished(self, sent: Sequence[SentMessage]) -> bool:
        with self._lock:
            outcomes = [self._outcomes.get(each.message_id) for each in sent]
        return all(outcome is not None and self._is_final(outcome) for outcome in outcomes)

    def _is_final(self, outcome: Outcome) -> bool:
        return outcome.kind is not OutcomeKind.RETRY or outcome.receive_count >= self._settings.max_receive_count

    def _write_results(self, sent: Sequence[SentMessage]) -> Iterator[dict[str, Any]]:
        results = []
        with (self._directory / RESULTS_NAME).open("w", encoding="utf-8") as file:
            for each in sent:
                result = self._build_result(each)
                results.append(result)
                file.write(json.dumps(result, ensure_ascii=False) + "\n")
                yield {name: result.get(name) for name in RESULT_FIELDS}
        write_gallery(self._directory, results, f"Stillframe: {len(results)} messages")

    def _build_result(self, sent: SentMessage) -> dict[str, Any]:
        outcome = self._outcomes[sent.message_id]
        record = self._archive.record(outcome.id)
        result = {**(record.to_wire() if record else {}), **outcome.to_wire()}
        result["status"] = record.status.value if record else STATUS_WITHOUT_RECORD.get(outcome.kind)
        if record is not None and record.s3_key:
            result["path"] = self._save_image(record, outcome.url)
            result["file"] = Path(result["path"]).name
            result["extraFiles"] = self._extras[record.id]
        return result

    def _save_image(self, record: Record, url: str) -> str:
        """Download the image of an id, once however many messages named it. Returns its path."""
        if record.id not in self._paths:
            taken = {Path(path).name for path in self._paths.values()}
            name = filename_for(url, (record.s3_key or "").rpartition(".")[2], taken.__contains__)
            path = self._directory / name
            path.write_bytes(self._archive.image(record))
            self._paths[record.id] = str(path)
            self._extras[record.id] = self._save_extras(record, path)
        return self._paths[record.id]

    def _save_extras(self, record: Record, image: Path) -> dict[str, str]:
        """Download the extra objects beside the image. Returns their file names by kind."""
        names = {}
        for kind, url in sorted((record.extras or {}).items()):
            names[kind] = f"{image.name}.{url.rpartition('/')[2]}"
            (self._directory / names[kind]).write_bytes(self._archive.object_at(url))
        return names
