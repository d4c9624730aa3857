"""What one run of `shoot` captures, under which names, and what it finds done."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from stillframe.request.capture_request import CaptureRequest

from ..input.request_key import request_key
from .folder import OutputFolder
from .names import NamePool
from .results import Result, SavedResults


@dataclass(frozen=True, slots=True)
class PlannedCapture:
    """A request with the key of its result and the name of its image without extension."""

    key: str
    request: CaptureRequest
    stem: str


@dataclass(slots=True)
class CapturePlan:
    """The captures of a run in order, and the results that an earlier run has left."""

    captures: list[PlannedCapture] = field(default_factory=list)
    saved: list[Result] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many results the run ends with."""
        return len(self.captures) + len(self.saved)


def plan_captures(
    requests: Sequence[CaptureRequest], folder: OutputFolder, results: SavedResults, again: bool
) -> CapturePlan:
    """Plan a run. Names are chosen in the order of the requests, so that every run of the same list chooses the same.

    Requests without an id get a new one. A request that is there several times, as in the demo, is planned as often.
    """
    plan = CapturePlan()
    names = NamePool(results.stems())
    if results.is_new:
        for path in folder.path.iterdir():
            # These files are somebody else's.
            names.take(path.stem)
    chosen: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for request in requests:
        base = request_key(request)
        seen[base] += 1
        key = base if seen[base] == 1 else f"{base}#{seen[base]}"
        plan.keys.append(key)
        saved = None if again else results.finished(key)
        if saved is not None:
            plan.saved.append(saved)
            continue
        if base not in chosen:
            chosen[base] = results.stem(base) or names.choose(request.recorded_url)
        plan.captures.append(PlannedCapture(key, _with_id(request), chosen[base]))
    return plan


def _with_id(request: CaptureRequest) -> CaptureRequest:
    return request if request.request_id else request.model_copy(update={"request_id": uuid.uuid4().hex})
