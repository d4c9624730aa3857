"""One run of `shoot`: the embedded environment, the real handler, and the results in a directory."""

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
from stillframe_renderer.runtime import Runtime

from .archive import Archive
from .console import ProgressReport
from .emulator import running_emulator
from .filenames import filename_for
from .gallery import write_gallery
from .poller import Poller
from .producer import Producer, Sent
from .provision import QueuePolicy, provision

RESULTS_NAME = "results.jsonl"
POLL_SECONDS = 1
RESULT_FIELDS = (
    "id", "url", "outcome", "reason", "status", "path", "s3Url", "width", "height", "bytes", "sha256", "httpStatus",
    "title", "errorCode", "errorMessage", "durationMs",
)  # fmt: skip
STATUS_OF = {OutcomeKind.CAPTURED: "success", OutcomeKind.FAILED: "failed"}


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embedded environment with its resources, ready to be used by this process."""

    settings: Settings
    clients: Clients


@contextlib.contextmanager
def embedded(**overrides: str) -> Iterator[Embedded]:
    """Start the environment; the AWS variables of this process point at it until the end."""
    with running_emulator() as emulator:
        emulator.adopt_process()
        clients = Clients.connect()
        # One process works on the queue, and someone is waiting: retry soon.
        quick = {"STILLFRAME_BACKOFF_BASE_SECONDS": "1", "STILLFRAME_BACKOFF_CAP_SECONDS": "8", "LOG_LEVEL": "ERROR"}
        # It waits for the very messages that it sends; a page's turn would come as another one.
        quick["STILLFRAME_PER_HOST"] = "0"
        exports = provision(clients, QueuePolicy(max_receive_count=3))
        yield Embedded(Settings.from_environment(**{**exports, **quick, **overrides}), clients)


class Session:
    """Sends requests, captures them, and collects one result for each message."""

    def __init__(self, environment: Embedded, directory: Path) -> None:
        self._settings = environment.settings
        self._clients = environment.clients
        self._directory = directory
        self._archive = Archive(environment.clients, environment.settings)
        self._outcomes: dict[str, Outcome] = {}
        self._paths: dict[str, str] = {}
        self._extras: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def run(self, requests: Sequence[CaptureRequest]) -> Iterator[dict[str, Any]]:
        """Yield the result of each message, in the order of the requests; writes images, results, gallery."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with ProgressReport("capturing", len(requests)) as progress:

            def observe(outcome: Outcome) -> None:
                with self._lock:
                    self._outcomes[outcome.message_id] = outcome
                if outcome.kind is not OutcomeKind.RETRY:
                    progress.step(f"{outcome.kind.value} {outcome.reason or ''} {outcome.url}".replace("  ", " "))

            json_logger(self._settings.log_level, stream=sys.stderr)
            runtime = Runtime.build(self._settings, self._clients, [observe, log_outcome])
            try:
                runtime.engine.warm_up()
                sent = list(Producer(self._clients, self._settings).send(requests))
                poller = Poller(self._clients, self._settings, runtime.handler.handle)
                while not self._is_settled(sent):
                    poller.poll(POLL_SECONDS)
            finally:
                runtime.close()
        yield from self._write_results(sent)

    def _is_settled(self, sent: Sequence[Sent]) -> bool:
        with self._lock:
            outcomes = [self._outcomes.get(each.message_id) for each in sent]
        return all(outcome is not None and self._is_end(outcome) for outcome in outcomes)

    def _is_end(self, outcome: Outcome) -> bool:
        return outcome.kind is not OutcomeKind.RETRY or outcome.receive_count >= self._settings.max_receive_count

    def _write_results(self, sent: Sequence[Sent]) -> Iterator[dict[str, Any]]:
        results = []
        with (self._directory / RESULTS_NAME).open("w", encoding="utf-8") as file:
            for each in sent:
                result = self._result(each)
                results.append(result)
                file.write(json.dumps(result, ensure_ascii=False) + "\n")
                yield {name: result.get(name) for name in RESULT_FIELDS}
        write_gallery(self._directory, results, f"Stillframe: {len(results)} messages")

    def _result(self, sent: Sent) -> dict[str, Any]:
        outcome = self._outcomes[sent.message_id]
        record = self._archive.record(outcome.id)
        result = {**(record.to_wire() if record else {}), **outcome.to_wire()}
        result["status"] = record.status.value if record else STATUS_OF.get(outcome.kind)
        if record is not None and record.s3_key:
            result["path"] = self._save(record, outcome.url)
            result["file"] = Path(result["path"]).name
            result["extraFiles"] = self._extras[record.id]
        return result

    def _save(self, record: Record, url: str) -> str:
        """The image of an id, downloaded once however many messages named it."""
        if record.id not in self._paths:
            taken = {Path(path).name for path in self._paths.values()}
            name = filename_for(url, (record.s3_key or "").rpartition(".")[2], taken.__contains__)
            path = self._directory / name
            path.write_bytes(self._archive.image(record))
            self._paths[record.id] = str(path)
            self._extras[record.id] = self._save_extras(record, path)
        return self._paths[record.id]

    def _save_extras(self, record: Record, image: Path) -> dict[str, str]:
        """What belongs to an image, beside it: names by kind."""
        names = {}
        for kind, url in sorted((record.extras or {}).items()):
            names[kind] = f"{image.name}.{url.rpartition('/')[2]}"
            (self._directory / names[kind]).write_bytes(self._archive.object_at(url))
        return names
