"""Saves each result when its capture ends: image, extra objects, shots, then the line that says that they are there."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from stillframe.archive import Archive
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.table.record import Record, Status

from .folder import OutputFolder
from .plan import PlannedCapture
from .results import Result, SavedResults
from .tracker import RunTracker

STATUS_WITHOUT_RECORD = {OutcomeKind.CAPTURED: "success", OutcomeKind.FAILED: "failed"}
UNFINISHED = (Status.QUEUED, Status.PROCESSING)


class ResultSaver:
    """A thread that saves what the tracker reports as finished. The first error ends the run and is kept in `error`."""

    def __init__(
        self,
        archive: Archive,
        folder: OutputFolder,
        results: SavedResults,
        tracker: RunTracker,
        total: int,
        on_saved: Callable[[Result], None],
    ) -> None:
        self._archive = archive
        self._folder = folder
        self._results = results
        self._tracker = tracker
        self._total = total
        self._on_saved = on_saved
        self._files: dict[str, dict[str, Any]] = {}
        self._postponed: dict[str, list[tuple[PlannedCapture, Outcome]]] = defaultdict(list)
        self.count = 0
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="saver", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Save what has ended, and stop."""
        self._tracker.finished.put(None)
        self._thread.join()

    def _run(self) -> None:
        if not self._total:
            self._tracker.stop.set()
        while (finished := self._tracker.finished.get()) is not None:
            if self.error is None:
                self._try_to_save(*finished)
        for postponed in self._postponed.values():
            for each in postponed:
                if self.error is None:
                    self._try_to_save(*each, is_last=True)

    def _try_to_save(self, capture: PlannedCapture, outcome: Outcome, is_last: bool = False) -> None:
        try:
            self._save(capture, outcome, is_last)
        except Exception as error:
            self.error = error
            self._tracker.stop.set()

    def _save(self, capture: PlannedCapture, outcome: Outcome, is_last: bool) -> None:
        record = self._archive.record(outcome.id)
        if outcome.kind is OutcomeKind.SKIPPED and record and record.status in UNFINISHED and not is_last:
            # A duplicate of a capture that is still running has its image too, soon.
            self._postponed[outcome.id].append((capture, outcome))
        else:
            self._add(capture, outcome, record)
        if outcome.kind is not OutcomeKind.SKIPPED:
            for each, skipped in self._postponed.pop(outcome.id, []):
                self._add(each, skipped, record)

    def _add(self, capture: PlannedCapture, outcome: Outcome, record: Record | None) -> None:
        result = {**(record.to_wire() if record else {}), **outcome.to_wire()}
        result["status"] = record.status.value if record else STATUS_WITHOUT_RECORD.get(outcome.kind)
        if record is not None and record.s3_key:
            result |= self._files_of(record, capture.stem)
        self._results.add(capture.key, result)
        self._on_saved(result)
        self.count += 1
        if self.count == self._total:
            self._tracker.stop.set()

    def _files_of(self, record: Record, stem: str) -> dict[str, Any]:
        """Download image, extra objects and shots of an id, once however many messages named it."""
        if record.id not in self._files:
            name = f"{stem}.{(record.s3_key or '').rpartition('.')[2]}"
            extras = {}
            for kind, url in sorted((record.extras or {}).items()):
                extras[kind] = f"{name}.{url.rpartition('/')[2]}"
                self._folder.write(extras[kind], self._archive.object_at(url))
            shots = {}
            for shot in record.shots or ():
                shots[shot.name] = f"{name}.{shot.s3_url.rpartition('/')[2]}"
                self._folder.write(shots[shot.name], self._archive.object_at(shot.s3_url))
            path = self._folder.write(name, self._archive.image(record))
            self._files[record.id] = {"path": str(path), "file": name, "extraFiles": extras, "shotFiles": shots}
        return self._files[record.id]
