"""The health of a worker: when it stops, how long it pauses, and when it gives up. Time is the test's own."""

from __future__ import annotations

import logging

import pytest

from stillframe.outcome import Outcome, OutcomeKind
from stillframe_renderer.health import FAULTS_IN_A_ROW, MAX_PAUSES, WorkerHealth, WorkerUnfit
from stillframe_renderer.observers import Observers


class Worker:
    """A worker whose checks and clock are set by the test."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.problem: Exception | None = None
        self.pauses = 0
        self.health = WorkerHealth(self._check, self._count, lambda: self.seconds, lambda _, ceiling: ceiling)

    def end(self, kind: OutcomeKind, code: str | None = None, times: int = 1) -> None:
        for _ in range(times):
            self.health.observe(
                Outcome(kind=kind, acknowledge=False, id="a", url="", message_id="m", error_code=code, reason=code)
            )

    def fail(self, times: int = FAULTS_IN_A_ROW) -> None:
        self.end(OutcomeKind.RETRY, "AWS_ERROR", times)

    def check(self) -> None:
        """Wait until it is time, and check."""
        self.seconds += self.health.pause_seconds()
        self.health.refresh()

    def _check(self) -> None:
        if self.problem is not None:
            raise self.problem

    def _count(self) -> None:
        self.pauses += 1


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_a_few_faults_are_an_accident(worker: Worker) -> None:
    worker.fail(FAULTS_IN_A_ROW - 1)
    # A capture shows that all is well, and the count begins again.
    worker.end(OutcomeKind.CAPTURED)
    worker.fail(FAULTS_IN_A_ROW - 1)
    assert worker.health.may_work


def test_neither_a_skip_nor_a_failed_page_shows_that_the_worker_is_well(worker: Worker) -> None:
    for _ in range(FAULTS_IN_A_ROW):
        worker.fail(1)
        worker.end(OutcomeKind.SKIPPED)
        worker.end(OutcomeKind.FAILED, "UNKNOWN_HOST")
    assert not worker.health.may_work


@pytest.mark.parametrize(
    "code", ["TIMEOUT", "CONNECTION_RESET", "CLAIM_HELD", "AWS_REFUSED", "UNEXPECTED", "HOST_BUSY"]
)
def test_faults_of_messages_are_not_the_workers(worker: Worker, code: str) -> None:
    worker.end(OutcomeKind.RETRY, code, times=100)
    assert worker.health.may_work


def test_pauses_double_up_to_half_a_minute_and_then_it_is_unfit(worker: Worker) -> None:
    # Given a worker whose checks fail as well
    worker.problem = OSError("No space left on device")
    worker.fail()
    # When it is checked again and again
    pauses = []
    for _ in range(MAX_PAUSES):
        worker.check()
        pauses.append(worker.health.pause_seconds())
    # Then the pauses grow, each was reported, and after the last one the process should end with the reason
    assert pauses[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert worker.pauses == MAX_PAUSES
    with pytest.raises(WorkerUnfit, match="No space left"):
        worker.check()


def test_nothing_is_checked_before_it_is_time(worker: Worker) -> None:
    worker.problem = OSError("full")
    worker.fail()
    worker.check()
    worker.problem = None
    worker.health.refresh()
    assert not worker.health.may_work


def test_after_a_check_one_message_shows_whether_it_is_well(worker: Worker) -> None:
    # Given a worker whose checks pass
    worker.fail()
    worker.check()
    assert worker.health.max_messages == 1
    # When a capture succeeds, then everything is as before
    worker.end(OutcomeKind.CAPTURED)
    assert worker.health.max_messages is None


def test_a_relapse_pauses_longer_and_longer(worker: Worker) -> None:
    # Given a worker whose checks pass, but whose captures go on failing
    worker.fail()
    worker.check()
    # When each message that it takes meets the fault again, then it pauses at once, longer each time
    for seconds in (1, 2, 4, 8):
        worker.fail(1)
        assert worker.health.pause_seconds() == seconds
        worker.check()
    # And after a success, everything begins anew: the first check comes at once
    worker.end(OutcomeKind.CAPTURED)
    worker.fail()
    assert worker.health.pause_seconds() == 0


def test_crashed_browsers_in_a_row_are_checked_and_no_more(worker: Worker) -> None:
    # Pages can crash a browser: whoever sends such pages must not stop the worker.
    for _ in range(20):
        worker.end(OutcomeKind.RETRY, "BROWSER_CRASHED", times=FAULTS_IN_A_ROW)
        assert worker.health.max_messages == 0
        worker.check()
        assert worker.health.max_messages is None
    assert worker.pauses == 0
    # Unless the browser cannot capture the worker's own page either.
    worker.end(OutcomeKind.RETRY, "BROWSER_CRASHED", times=FAULTS_IN_A_ROW)
    worker.problem = OSError("no browser")
    worker.check()
    assert (worker.pauses, worker.health.may_work) == (1, False)


def test_a_refused_deletion_is_not_made_good_by_a_capture(worker: Worker) -> None:
    for _ in range(FAULTS_IN_A_ROW):
        worker.end(OutcomeKind.CAPTURED)
        worker.health.fault("deletions", "AccessDenied")
    assert not worker.health.may_work
    worker.health.success("deletions")
    assert worker.health.may_work


def test_a_required_check_comes_before_the_first_message(worker: Worker) -> None:
    worker.health.require_check()
    assert worker.health.max_messages == 0
    worker.check()
    assert worker.health.max_messages is None


def test_an_observer_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    # Given an observer that fails each time, before one that does not
    seen: list[Outcome] = []

    def fail(_: Outcome) -> None:
        raise OSError("No space left on device")

    observe = Observers([fail, seen.append])
    outcome = Outcome(kind=OutcomeKind.CAPTURED, acknowledge=True, id="a", url="", message_id="m")
    # When two deliveries end
    observe(outcome)
    observe(outcome)
    # Then the other one is told of both, and the failure is logged once
    assert seen == [outcome, outcome]
    assert [record.message for record in caplog.records] == ["logs or metrics are incomplete"]


def test_an_observer_may_fail_while_the_log_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a log that raises, as nothing but a broken handler does
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("full")

    logger = logging.getLogger("stillframe_renderer.observers")
    monkeypatch.setattr(logger, "handlers", [Broken()])

    def fail(_: Outcome) -> None:
        raise OSError("full")

    # When an observer fails as well, then nothing is raised
    Observers([fail])(Outcome(kind=OutcomeKind.CAPTURED, acknowledge=True, id="a", url="", message_id="m"))
