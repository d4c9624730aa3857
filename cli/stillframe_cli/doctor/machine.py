"""Examines this machine: temporary directory, memory, and the browser with its sandbox and fonts."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stillframe.clock import Deadline, SystemClock
from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError
from stillframe.request.options import RenderOptions
from stillframe.settings import SettingsError
from stillframe_renderer.browsers.engine import CHECK_URL, RenderEngine
from stillframe_renderer.checks import check_temporary_directory
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.chromium.executable import find_chromium, security_warning, version_of
from stillframe_renderer.chromium.flags import is_lambda, sandbox_works
from stillframe_renderer.chromium.memory import default_limit_mb
from stillframe_renderer.guard.server import EgressGuard

from .diagnosis import Diagnosis, Verdict

MB = 1 << 20
# What a browser with one tab needs beside the worker itself.
MIN_MEMORY_MB = 1024
# Less free space than this holds the profiles of few browsers.
MIN_FREE_MB = 512
# The browser's part of the memory: the worker and the kernel need the rest.
BROWSER_SHARE = 0.75
# cgroups(7), version 2: the limit of a container in bytes, or "max".
MEMORY_MAX = Path("/sys/fs/cgroup/memory.max")
FONT_SECONDS = 30
FONTS = "sudo apt-get install fonts-liberation fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji"
# A character of each script that the image of this project can show.
SCRIPTS = {
    "Latin": "A",
    "Greek": "Ω",
    "Cyrillic": "Ж",
    "Arabic": "ع",
    "Hebrew": "ש",
    "Devanagari": "क",
    "Thai": "ก",
    "Chinese": "漢",
    "Japanese": "か",
    "Korean": "한",
    "emoji": "😀",
}
# The title becomes the list of scripts whose character looks like one that no font has (U+0378 is not assigned).
FONT_PAGE = """<title></title><script>
const scratch = new OffscreenCanvas(48, 48).getContext('2d', { willReadFrequently: true });
const look = text => {
  scratch.clearRect(0, 0, 48, 48);
  scratch.font = '32px sans-serif';
  scratch.fillText(text, 4, 36);
  return scratch.getImageData(0, 0, 48, 48).data.join();
};
const blank = [look('\\u0378'), look(' ')];
document.title = Object.entries(%s).filter(([, text]) => blank.includes(look(text))).map(([name]) => name).join(', ');
</script>"""


def examine_machine(chromium_path: str = "", max_browser_mb: int | None = None) -> Iterator[Diagnosis]:
    """Everything that capturing needs of this machine. Starts a browser, which takes a second or two."""
    yield examine_temporary_directory()
    yield examine_memory(memory_mb(), max_browser_mb or default_limit_mb(None))
    yield from _examine_browser(chromium_path)


def examine_temporary_directory() -> Diagnosis:
    """Whether it can be written, and how much space is left."""
    subject, where = "temporary directory", tempfile.gettempdir()
    try:
        check_temporary_directory()
        free = shutil.disk_usage(where).free // MB
    except (CaptureError, OSError) as error:
        remedy = "free some space, or set TMPDIR to a directory that can be written"
        return Diagnosis(subject, Verdict.FAILED, f"{where}: {error}", remedy)
    if free < MIN_FREE_MB:
        return Diagnosis(subject, Verdict.WARNING, f"{where} has only {free} MB left", f"free {MIN_FREE_MB} MB")
    return Diagnosis(subject, Verdict.OK, f"{where}, {free} MB free")


def memory_mb() -> int:
    """The memory of this machine, or of this container if it has less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(MEMORY_MAX.read_text()))
    return total // MB


def examine_memory(total_mb: int, browser_mb: int) -> Diagnosis:
    """Whether a browser fits, and whether it is ended before the kernel would end the worker."""
    subject, detail = "memory", f"{total_mb} MB, of which the browser may use {browser_mb}"
    if total_mb < MIN_MEMORY_MB:
        return Diagnosis(subject, Verdict.FAILED, f"{total_mb} MB", f"give it {MIN_MEMORY_MB} MB or more")
    if browser_mb >= total_mb:
        remedy = f"export STILLFRAME_MAX_BROWSER_MB={int(total_mb * BROWSER_SHARE)}"
        return Diagnosis(subject, Verdict.WARNING, detail, remedy)
    return Diagnosis(subject, Verdict.OK, detail)


def _examine_browser(chromium_path: str) -> Iterator[Diagnosis]:
    try:
        executable = find_chromium(chromium_path)
    except SettingsError as error:
        problem, _, remedy = str(error).partition(". ")
        yield Diagnosis("browser", Verdict.FAILED, problem, remedy or "name the executable of a Chromium, or unset it")
        return
    engine = RenderEngine(functools.partial(Chromium.launch, executable), EgressGuard(EgressPolicy.of()))
    try:
        captures = _examine_capture(engine, executable)
        yield captures
        yield examine_sandbox()
        if captures.verdict is not Verdict.FAILED:
            yield _examine_fonts(engine)
    finally:
        engine.close()


def _examine_capture(engine: RenderEngine, executable: str) -> Diagnosis:
    version = version_of(executable)
    try:
        engine.check()
    except CaptureError as error:
        remedy = f"run it by hand to see more: {executable} --headless --dump-dom about:blank"
        return Diagnosis("browser", Verdict.FAILED, error.message, remedy)
    if warning := security_warning(version):
        problem, _, remedy = warning.partition(". ")
        return Diagnosis("browser", Verdict.WARNING, problem, remedy)
    return Diagnosis("browser", Verdict.OK, f"Chromium {version} ({executable}) has captured a page")


def examine_sandbox() -> Diagnosis:
    """Whether the browser's own sandbox is on."""
    if sandbox_works():
        return Diagnosis("sandbox", Verdict.OK, "Chromium's own sandbox is on")
    if is_lambda():
        return Diagnosis("sandbox", Verdict.OK, "Chromium's own sandbox is off: each function has a machine of its own")
    if os.geteuid() == 0:
        remedy = "run it as an ordinary user, or in a container that is confined as docs/container.md says"
        return Diagnosis("sandbox", Verdict.WARNING, "Chromium's own sandbox is off: it cannot run as root", remedy)
    detail = "Chromium's own sandbox is off: user namespaces are not allowed here"
    return Diagnosis("sandbox", Verdict.WARNING, detail, "allow them, or confine the container (docs/container.md)")


def _examine_fonts(engine: RenderEngine) -> Diagnosis:
    clock = SystemClock()
    options = {"html": FONT_PAGE % json.dumps(SCRIPTS), "offline": True, "viewport": {"width": 64, "height": 48}}
    deadline = Deadline(clock.now_ms() + FONT_SECONDS * 1000, clock)
    try:
        missing = engine.render(CHECK_URL, RenderOptions.parse(options), deadline).facts.title
    except CaptureError as error:
        return Diagnosis("fonts", Verdict.WARNING, f"they could not be examined: {error.message}")
    if missing:
        return Diagnosis("fonts", Verdict.WARNING, f"boxes are drawn in place of {missing}", FONTS)
    return Diagnosis("fonts", Verdict.OK, f"for {', '.join(SCRIPTS)}")
