"""`check` in the git repository of a small site, with a real browser; and its report, opened in one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from stillframe_cli.site_server import serve_directory
from tests.support.pixels import Pixels
from tests.support.rendering import local_engine, render
from tests.support.workers import environment

STYLE = "body { margin: 0; font: 16px sans-serif } .buy { background: #00aa00; width: 200px; height: 100px }"
CLOCK = "<p id=clock></p><script>clock.textContent = performance.timeOrigin</script>"
PAGE = "<!doctype html><link rel=stylesheet href=style.css><title>{0}</title><h1>{0}</h1>{1}"
BUTTON = "<div class=buy>Buy now</div>"
GREEN, BLUE = (0, 170, 0), (0, 0, 255)


@dataclass(frozen=True)
class Repository:
    """A site with its baseline."""

    folder: Path
    host: str

    def check(self, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
        """Run the command on both pages. Returns its exit status, its results, and what it says to people."""
        urls = [f"http://{self.host}/{name}.html" for name in ("index", "prices")]
        done = subprocess.run(
            [
                *(sys.executable, "-m", "stillframe_cli", "check", *urls, "--baseline", "baseline", "--json"),
                *("--allow-host", self.host, "--junit", "check.xml", "--ignore", "#clock", *arguments),
            ],
            cwd=self.folder,
            env=environment({}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout


@pytest.fixture(scope="module")
def make_repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Repository]]:
    folder = tmp_path_factory.mktemp("repository")
    site = folder / "site"
    site.mkdir()
    (site / "style.css").write_text(STYLE)
    (site / "index.html").write_text(PAGE.format("Shop", CLOCK))
    (site / "prices.html").write_text(PAGE.format("Prices", CLOCK + BUTTON))
    with serve_directory(site) as host:
        repository = Repository(folder, host)
        (folder / ".gitignore").write_text("check.*\n")
        repository.git("init", "-q")
        status, results, _ = repository.check("--update")
        assert (status, [each["status"] for each in results]) == (0, ["new", "new"])
        repository.git("add", ".")
        repository.git("commit", "-qm", "a baseline")

        def reset() -> Repository:
            repository.git("reset", "-q", "--hard")
            repository.git("clean", "-qfd")
            return repository

        yield reset


def test_a_site_that_is_the_same_passes(make_repository: Callable[[], Repository]) -> None:
    # Given a repository with a baseline, and pages with a clock that is ignored
    repository = make_repository()
    # When they are checked
    status, results, _ = repository.check()
    # Then they are the same, and the repository has no change
    assert (status, [each["status"] for each in results]) == (0, ["same", "same"])
    assert repository.git("status", "--porcelain") == ""


def test_a_changed_colour_fails_with_the_right_report(make_repository: Callable[[], Repository], chromium: str) -> None:
    # Given a commit that changes a colour
    repository = make_repository()
    (repository.folder / "site/style.css").write_text(STYLE.replace("#00aa00", "#0000ff"))
    # When the pages are checked
    status, results, _ = repository.check()
    # Then one has changed, where the button is
    assert (status, [each["status"] for each in results]) == (1, ["same", "changed"])
    (region,) = results[1]["regions"]
    left, top, right, bottom = region["box"]
    assert (left, right - left, bottom - top) == (0, 200, 100)
    assert (region["selector"], region["text"]) == ("body > div", "Buy now")
    # And the report for continuous integration has one failure
    suites = ET.parse(repository.folder / "check.xml").getroot()
    assert [suites.get(name) for name in ("tests", "failures", "errors")] == ["2", "1", "0"]
    # And the page shows the button before and after, in every view
    look_at_report(repository.folder, chromium)
    # And with --update the new colour is the baseline, of that page only
    status, _, told = repository.check("--update")
    assert (status, "1 of 2 images written" in told) == (0, True)
    assert [line.split("/")[-1][:16] for line in repository.git("diff", "--name-only").splitlines()] == [
        Path(results[1]["name"]).name[:16],
        "style.css",
    ]
    assert repository.check()[0] == 0


def look_at_report(folder: Path, chromium: str) -> None:
    with serve_directory(folder) as host, local_engine(chromium, host) as engine:

        def view(*keys: str) -> tuple[Pixels, str]:
            press = "".join(
                f"document.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}));"
                for key in keys
            )
            named = "document.title = document.querySelector('section:not([hidden]) h2').textContent;"
            result = render(engine, f"http://{host}/check.html", js=press + named)
            return Pixels(result.data), result.facts.title or ""

        side_by_side, title = view()
        assert "prices.html" in title
        assert min(side_by_side.count(GREEN), side_by_side.count(BLUE)) > 1000
        # The handle is in the middle, and the button to the left of it
        slider, _ = view("2")
        assert (slider.count(GREEN) > 1000, slider.count(BLUE)) == (True, 0)
        # Half of each
        overlay, _ = view("3")
        assert overlay.count(GREEN) == overlay.count(BLUE) == 0
        # Blue below the red tint
        changed, _ = view("4")
        assert changed.count((127, 0, 159)) > 1000
        # The next page is the one that is the same
        assert "index.html" in view("j")[1]
        assert "prices.html" in view("j", "k")[1]


def test_a_page_without_an_image_in_the_baseline_is_new(make_repository: Callable[[], Repository]) -> None:
    repository = make_repository()
    next((repository.folder / "baseline").glob("*prices*.png")).unlink()
    status, results, _ = repository.check()
    assert (status, [each["status"] for each in results]) == (1, ["same", "new"])


def test_an_image_of_a_page_that_is_not_checked_is_named(make_repository: Callable[[], Repository]) -> None:
    repository = make_repository()
    image = next((repository.folder / "baseline").glob("*index*.png"))
    (image.parent / "old.png").write_bytes(image.read_bytes())
    status, _, told = repository.check()
    assert (status, "not among the pages: old" in told) == (0, True)


def test_a_page_that_cannot_be_captured_is_a_failure(make_repository: Callable[[], Repository]) -> None:
    repository = make_repository()
    status, results, _ = repository.check("http://127.0.0.1:9/", "--allow-host", "127.0.0.1:9")
    assert (status, [each["status"] for each in results]) == (2, ["same", "same", "failed"])
    suites = ET.parse(repository.folder / "check.xml").getroot()
    assert suites.get("errors") == "1"
