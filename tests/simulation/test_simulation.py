"""The promises under all faults at once: 2,000 schedules for every change; `make simulate` runs many more."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache

import pytest

from stillframe.image.ownership import Owner
from stillframe.image.render_result import StoredImage
from stillframe.image.store import ImageStore
from stillframe.request.options import ImageFormat
from stillframe_renderer.message.wiring import CaptureParts
from tests.support.workers import ROOT, environment

from .browser import Mishap
from .bugs import BUGS, Bug
from .network import Fault
from .run import hunt
from .schedule import Result, run_schedule
from .scheduler import Defect
from .surroundings import Parts

SCHEDULES = 2000


@cache
def explored() -> tuple[Result, ...]:
    return tuple(run_schedule(seed) for seed in range(SCHEDULES))


def test_no_schedule_breaks_a_promise() -> None:
    # Given 2,000 schedules of the unchanged code
    # When they run
    broken = [result for result in explored() if result.violation is not None]
    # Then no promise is broken; otherwise the shortest story is shown
    broken.sort(key=lambda result: len(result.story))
    assert not broken, broken[0].to_text()


def test_a_broken_promise_is_reported_with_its_story() -> None:
    # Given / When a schedule that breaks a promise
    result = hunt(BUGS[0])
    # Then its story has every step, with time, actor and effect, up to the one that broke it
    assert result is not None
    lines = result.to_text().splitlines()
    assert lines[0].startswith(f"seed {result.plan.seed}: ids ")
    assert any("send_message_batch -> ok" in line and "producer1" in line for line in lines)
    assert "BROKEN" in lines[-1]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_simulation_catches(bug: Bug) -> None:
    # Given code with one plausible mistake
    # When schedules of it run
    result = hunt(bug)
    # Then one of them breaks the promise that the bug names, and its story ends with that
    assert result is not None, "the bug survived"
    assert f"BROKEN: {bug.breaks}" in result.to_text().splitlines()[-1]


def test_a_seeded_bug_that_only_crashes_is_not_caught_but_fails_the_run() -> None:
    # Given a "bug" that calls a method of the code under test with a missing argument
    class CallsWrongly(ImageStore):
        def find(self, owner: Owner, image_format: ImageFormat) -> StoredImage | None:
            return self._describe(owner.screenshot_id)  # type: ignore[call-arg]

    parts = Parts(capture=CaptureParts(images=CallsWrongly))
    # When schedules run until that code is reached
    with pytest.raises(Defect) as raised:
        all(run_schedule(seed, parts) for seed in range(SCHEDULES))
    # Then the run fails with the mistake itself, not with a broken promise
    assert "_describe() missing" in str(raised.value)


def test_every_fault_occurs() -> None:
    # Given / When the stories of those schedules
    steps = {what for result in explored() for _, _, what in result.story}
    # Then every fault and every mishap occurs in them
    assert [fault for fault in Fault if not any(fault.value in what for what in steps)] == []
    assert [mishap for mishap in Mishap if f"render {mishap.value}" not in steps] == []


@pytest.mark.parametrize(
    "what",
    [
        "= captured",
        "= skipped already_success",
        "= skipped already_processing",
        "= skipped race_condition_prevented",
        "= skipped already_failed",
        "= failed ID_CONFLICT",
        "= failed UNPARSABLE_BODY",
        "= failed UNREADABLE_RECORD",
        "= failed UNKNOWN_HOST",
        "= failed TIMEOUT",
        "= retry CLAIM_HELD",
        "= retry CLAIM_LOST",
        "= retry OUT_OF_TIME",
        "= retry HOST_BUSY",
        "= retry AWS_ERROR",
        "is killed: the function timed out",
        "the answer to a receive is lost",
        "put_object -> PreconditionFailed",
        "late put_object -> ok",
        "put_events -> ok",
        "late put_events -> ok",
        "late update_item -> ok",
        "an item expires",
    ],
)
def test_every_outcome_and_effect_occurs(what: str) -> None:
    # Given / When those schedules run, then at least one of them has this step
    assert any(line == what for result in explored() for _, _, line in result.story)


def test_batches_of_changes_end_half_way() -> None:
    # Given / When the stories of those schedules
    steps = {what for result in explored() for _, who, what in result.story if who.startswith("notifier")}
    # Then batches were done in part and not at all, some because the notifier was killed after it had sent events
    assert any(re.fullmatch(r"has dealt with [1-9]\d* of \d+ changes", what) for what in steps)
    assert any(re.fullmatch(r"has dealt with 0 of \d+ changes", what) for what in steps)
    assert "is killed: after put_events" in steps
    assert "is killed: before put_events" in steps


def test_a_window_names_messages_that_are_copied_and_redriven() -> None:
    # Given the schedules of which some messages have `freshFor` and no id
    fresh = [result for result in explored() if result.plan.fresh_probability > 0]
    # Then in some of them, such a message waits for its host, and is redriven
    assert any("= retry HOST_BUSY" in what for result in fresh for _, _, what in result.story)
    assert any(who == "operator" and what == "send_message -> ok" for result in fresh for _, who, what in result.story)


def test_a_seed_replays_exactly() -> None:
    # Given the schedule with the longest story
    story = max(explored(), key=lambda result: len(result.story)).to_text()
    seed = story.split(":", 1)[0].removeprefix("seed ")
    # When it runs again, in a process with another hash seed
    again = subprocess.run(
        [sys.executable, "-m", "tests.simulation.run", "--story", seed],
        cwd=ROOT,
        env={**environment({}), "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    # Then it is the same story, word for word
    assert again.stdout.rstrip("\n") == story
