"""The scheduler of one machine beside a watch that it cannot read."""

from __future__ import annotations

from typing import cast

import pytest

from stillframe.intake import Accepted, Intake
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from stillframe.watches.declared import Declared
from stillframe.watches.store import WatchStore
from stillframe.watches.watch import Watch
from stillframe_cli.watching.scheduler import Scheduler
from tests.support.fakes import FakeClock

URL = "https://example.com/"


class Store:
    """Watches, of which one has a time zone that this machine does not know."""

    def __init__(self) -> None:
        watch = Watch.new(Declared.of("shop", {"urls": [URL], "every": "1m"}), FakeClock().ms)
        era = watch.eras[0].model_copy(update={"timezone": "Europe/Newtown"})
        self._watches = [watch.model_copy(update={"name": "a", "eras": (era,)}), watch]

    def list(self) -> list[Watch]:
        return self._watches


class Queue:
    """Accepts everything."""

    def __init__(self) -> None:
        self.accepted: list[str] = []

    def accept(self, requests: list[CaptureRequest]) -> list[Accepted]:
        self.accepted += [request.id for request in requests]
        return [Accepted(request, Status.QUEUED) for request in requests]


def test_a_watch_that_cannot_be_read_keeps_no_other_from_being_sent(caplog: pytest.LogCaptureFixture) -> None:
    # Given a watch that somebody has made where more time zones are known, and another one
    clock, queue = FakeClock(), Queue()
    store = Store()
    scheduler = Scheduler(cast(WatchStore, store), cast(Intake, queue), clock)
    # When some periods begin
    for _ in range(3):
        clock.ms += 60_000
        scheduler.tick()
    # Then those of the other one are sent
    assert len(queue.accepted) == 3
    # And the log says once which watch is not served, and why
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert said[0].startswith("the watch a is not served: ")
    assert "Europe/Newtown" in said[0]
