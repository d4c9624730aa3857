"""Renderers in Lambda: forked from the zygote where that works, and from scratch where it does not."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stillframe import log_messages
from stillframe.egress.policy import EgressPolicy
from stillframe.errors import BrowserUnavailable
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium import zygote
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard
from tests.support.pixels import GREEN, Pixels
from tests.support.rendering import render

PAGE = "<!doctype html><body style='margin:0;background:#00aa00'>"
# How a browser with a zygote fails: at its start, without a word; or with each renderer, so that no page loads.
AT_START = "echo 'no zygote here' >&2; exit 1"
WITH_EACH_RENDERER = 'exec {chromium} --renderer-cmd-prefix=/bin/false "$@"'


@pytest.fixture(autouse=True)
def in_lambda(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A new process in a new execution environment."""
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(zygote, "TRIAL", zygote.ZygoteTrial())


@pytest.fixture
def make_browser(chromium: str, tmp_path: Path) -> Callable[[str], str]:
    """Makes the browser, which notes how it was started, and does something else if it has a zygote."""

    def make(otherwise: str) -> str:
        path = tmp_path / "chromium"
        log = tmp_path / "starts"
        path.write_text(
            f"""#!/bin/sh
case "$*" in
*--no-zygote*) echo scratch >> {log} ;;
*) echo zygote >> {log}; {otherwise.format(chromium=chromium)} ;;
esac
exec {chromium} "$@"
"""
        )
        path.chmod(0o755)
        return str(path)

    return make


def starts(tmp_path: Path) -> list[str]:
    return (tmp_path / "starts").read_text().split()


def captures(executable: str) -> bool:
    """Whether a page is captured with this browser."""
    guard = EgressGuard(EgressPolicy.of([]))

    async def launch() -> Chromium:
        return await Chromium.launch(executable)

    engine = RenderEngine(launch, guard)
    try:
        engine.warm_up()
        return Pixels(render(engine, "http://example.com/", html=PAGE).data).is_all(GREEN)
    finally:
        engine.close()


def test_a_zygote_that_works_is_used_from_then_on(make_browser: Callable[[str], str], tmp_path: Path) -> None:
    # Given a browser whose zygote works, when two browsers are started
    browser = make_browser(":")
    assert captures(browser)
    assert captures(browser)
    # Then both have it, and only the first was on trial
    assert starts(tmp_path) == ["zygote", "zygote"]
    assert (tmp_path / zygote.NAME).read_text() == zygote.WORKS


@pytest.mark.parametrize("failure", [AT_START, WITH_EACH_RENDERER], ids=["at its start", "with each renderer"])
def test_where_the_zygote_fails_renderers_are_started_from_scratch(
    make_browser: Callable[[str], str], tmp_path: Path, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    # Given a browser that fails with a zygote
    browser = make_browser(failure)
    # When a page is captured, and with another browser of the same process a second one
    with caplog.at_level(logging.WARNING):
        assert captures(browser)
    assert captures(browser)
    # Then it was tried once, and both pages were captured without it
    assert starts(tmp_path) == ["zygote", "scratch", "scratch"]
    assert [record.message for record in caplog.records].count(log_messages.NO_ZYGOTE) == 1


def test_a_process_that_takes_the_place_of_one_that_failed_does_not_try_again(
    make_browser: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a process that ended during the trial, as Lambda ends an initialisation that takes too long
    assert zygote.TRIAL.has_zygote()
    assert zygote.TRIAL.is_under_way
    # When another one takes its place in the same environment
    monkeypatch.setattr(zygote, "TRIAL", zygote.ZygoteTrial())
    assert captures(make_browser(AT_START))
    # Then it does not try
    assert starts(tmp_path) == ["scratch"]


def test_one_that_takes_the_place_of_one_that_worked_has_no_trial(
    make_browser: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zygote.TRIAL.has_zygote()
    zygote.TRIAL.conclude(works=True)
    monkeypatch.setattr(zygote, "TRIAL", zygote.ZygoteTrial())
    assert captures(make_browser(":"))
    assert not zygote.TRIAL.is_under_way
    assert starts(tmp_path) == ["zygote"]


def test_a_browser_that_does_not_start_either_way_is_reported(make_browser: Callable[[str], str]) -> None:
    browser = make_browser(AT_START)
    Path(browser).write_text("#!/bin/sh\necho 'a library is missing' >&2\nexit 1\n")
    with pytest.raises(BrowserUnavailable, match="a library is missing"):
        asyncio.run(Chromium.launch(browser))


def test_without_a_place_to_note_it_there_is_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    assert not zygote.TRIAL.has_zygote()
    assert not zygote.TRIAL.is_under_way


def test_an_initialisation_that_fails_for_another_reason_leaves_the_trial_open(tmp_path: Path) -> None:
    # Given a trial under way, when something else ends the initialisation
    zygote.TRIAL.has_zygote()
    zygote.TRIAL.forget()
    # Then the next process tries
    assert not (tmp_path / zygote.NAME).exists()
    assert zygote.ZygoteTrial().has_zygote()
