"""A run of `shoot` that is interrupted keeps what is done, and the next run does only the rest."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.pixels import Pixels
from tests.support.workers import ROOT, STILLFRAME, environment, wait_for

pytestmark = pytest.mark.usefixtures("chromium")

PAGES = 200
INTERRUPTED_AT = 70
# More pages than a worker has in progress at any moment.
MAX_IN_PROGRESS = 40


class CountingSite(http.server.ThreadingHTTPServer):
    """Pages at /1, /2 and so on, each in a color of its own. `visits` counts the requests for each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.visits: Counter[str] = Counter()
        self.host = f"127.0.0.1:{self.server_port}"


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, CountingSite)
        self.server.visits[self.path] += 1
        body = b'<!doctype html><link rel="icon" href="data:,"><body style="margin:0;background:#%06x">' % (
            int(self.path.strip("/")) * 7919
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # name given by the base class
        """Log nothing."""


@pytest.fixture
def counting_site() -> Iterator[CountingSite]:
    with CountingSite() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Run:
    """`shoot` for a list of pages, in a process of its own."""

    def __init__(self, site: CountingSite, folder: Path, pages: int = PAGES, *options: str) -> None:
        urls = folder / "urls.txt"
        urls.write_text("".join(f"{site.host}/{number}\n" for number in range(1, pages + 1)))
        self.out = folder / "out"
        small = ("--width", "64", "--height", "48", "--wait", "load", "--allow-host", site.host)
        self.process = subprocess.Popen(
            [*STILLFRAME, "shoot", "--file", str(urls), "--out", str(self.out), *small, *options],
            cwd=ROOT,
            env=environment({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_results(self, count: int) -> None:
        """Wait until so many results are saved."""
        wait_for(lambda: len(lines_of(self.out)) >= count or self.process.poll() is not None, 50, f"{count} results")
        assert self.process.poll() is None, self.process.communicate()

    def end(self) -> tuple[int, str, str]:
        """Wait for the end. Returns exit status, stdout and stderr."""
        out, err = self.process.communicate(timeout=55)
        assert "Traceback" not in err
        return self.process.returncode, out, err


def lines_of(out: Path) -> list[str]:
    """The whole lines of results.jsonl."""
    path = out / "results.jsonl"
    return path.read_text().split("\n")[:-1] if path.exists() else []


def results_of(out: Path) -> dict[str, dict[str, Any]]:
    """The results by the number of their page."""
    return {result["url"].rpartition("/")[2]: result for result in map(json.loads, lines_of(out))}


def assert_is_whole(out: Path, pages: int = PAGES) -> None:
    """Every page has one image with its color, one result, and one entry in the only gallery; nothing else is there."""
    results = results_of(out)
    assert sorted(results) == sorted(str(number) for number in range(1, pages + 1))
    assert len(lines_of(out)) == pages
    files = {path.name for path in out.iterdir()}
    assert files == {result["file"] for result in results.values()} | {"results.jsonl", "index.html"}
    assert len(files) == pages + 2
    for number, result in results.items():
        color = int(number) * 7919
        assert Pixels((out / result["file"]).read_bytes()).is_all((color >> 16, color >> 8 & 255, color & 255))
    assert (out / "index.html").read_text().count("<article") == pages


def test_after_ctrl_c_the_same_command_captures_only_the_rest(counting_site: CountingSite, tmp_path: Path) -> None:
    # Given a run of 200 pages that somebody interrupts
    run = Run(counting_site, tmp_path)
    run.wait_for_results(INTERRUPTED_AT)
    run.process.send_signal(signal.SIGINT)
    status, out, err = run.end()
    # Then it says what is saved and how to go on, and the gallery shows it
    saved = len(results_of(run.out))
    assert (status, INTERRUPTED_AT <= saved < PAGES) == (130, True)
    assert f"{saved} of {PAGES} saved; run it again to continue" in err
    assert (run.out / "index.html").read_text().count("<article") == saved
    # When the same command runs again
    status, out, err = Run(counting_site, tmp_path).end()
    # Then every page has its image, and none was visited twice
    assert (status, f"{saved} already in" in out) == (0, True), err
    assert_is_whole(run.out)
    assert set(counting_site.visits.values()) == {1}
    assert len(counting_site.visits) == PAGES


def test_after_kill_9_the_same_command_captures_only_the_rest(counting_site: CountingSite, tmp_path: Path) -> None:
    # Given a run of 200 pages that is killed, in the middle of writing a line and an image
    run = Run(counting_site, tmp_path)
    run.wait_for_results(INTERRUPTED_AT)
    run.process.kill()
    run.process.communicate()
    saved = results_of(run.out)
    with (run.out / "results.jsonl").open("a") as file:
        file.write('{"key": "half of a li')
    (run.out / ".half.png.part").write_bytes(b"half of an image")
    visited = counting_site.visits.copy()
    # When the same command runs again
    status, out, err = Run(counting_site, tmp_path).end()
    # Then every page has its image, and none whose result was saved was visited again
    assert (status, f"{len(saved)} already in" in out) == (0, True), err
    assert_is_whole(run.out)
    assert {counting_site.visits[f"/{number}"] for number in saved} == {1}
    again = [page for page, count in counting_site.visits.items() if count > 1]
    # Those in progress when the run was killed had to be visited again, and no others were.
    assert set(again) <= visited.keys()
    assert len(again) < MAX_IN_PROGRESS


def test_a_finished_run_captures_nothing_again_unless_it_is_told_to(
    counting_site: CountingSite, tmp_path: Path
) -> None:
    # Given a finished run
    first = Run(counting_site, tmp_path, 3)
    assert first.end()[0] == 0
    # When it runs again, with --json
    status, out, _ = Run(counting_site, tmp_path, 3, "--json").end()
    # Then it captures nothing, and still prints a line for each page
    assert (status, set(counting_site.visits.values())) == (0, {1})
    results = [json.loads(line) for line in out.splitlines()]
    assert [(each["outcome"], each["reason"]) for each in results] == [("skipped", "already_saved")] * 3
    assert all(Path(each["path"]).is_file() for each in results)
    # When it is told to
    assert Run(counting_site, tmp_path, 3, "--again").end()[0] == 0
    # Then it captures them again, in the place of the old images
    assert set(counting_site.visits.values()) == {2}
    assert_is_whole(first.out, 3)
    # And an image that is gone or damaged is captured again by itself
    images = sorted(first.out.glob("*.png"))
    images[0].unlink()
    images[1].write_bytes(b"damaged")
    assert Run(counting_site, tmp_path, 3).end()[0] == 0
    assert sorted(counting_site.visits.values()) == [2, 3, 3]
    assert_is_whole(first.out, 3)


def test_a_directory_belongs_to_one_run_at_a_time(counting_site: CountingSite, tmp_path: Path) -> None:
    # Given a run that is in progress
    run = Run(counting_site, tmp_path)
    run.wait_for_results(1)
    # When another one is started for the same directory
    status, out, err = Run(counting_site, tmp_path).end()
    # Then it ends with a sentence, and the first one goes on
    assert (status, out) == (4, "")
    assert f"Another run of `stillframe` is writing to {run.out}" in err
    assert run.process.poll() is None
    run.process.send_signal(signal.SIGINT)
    assert run.end()[0] == 130


def test_a_full_disk_is_a_sentence_and_keeps_what_is_done(counting_site: CountingSite, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    # Given an output directory on a disk with room for few files
    out = tmp_path / "out"
    out.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", str(out)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this container may not mount")
    try:
        # When more pages are captured than fit
        status, _, err = Run(counting_site, tmp_path, 60).end()
        # Then the run ends with a sentence, and no file is half written
        assert status == 4, err
        assert f"The disk is full: {out}" in err
        saved = results_of(out)
        assert f"{len(saved)} of 60 saved; run it again to continue" in err
        assert saved
        assert not list(out.glob(".*.part"))
        # When there is room, the same command does the rest
        subprocess.run(["mount", "-o", "remount,size=8m", str(out)], check=True)
        assert Run(counting_site, tmp_path, 60).end()[0] == 0
        assert_is_whole(out, 60)
    finally:
        subprocess.run(["umount", str(out)], check=True)
