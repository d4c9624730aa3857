"""`shoot` and `demo` as a user runs them: the command in a process, images on disk."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pixels import GREEN, Pixels
from tests.support.workers import ROOT, environment, wait_for

pytestmark = pytest.mark.usefixtures("chromium")


def stillframe(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stillframe_cli", *arguments],
        cwd=ROOT,
        env=environment({}),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_twenty_pages_give_twenty_correct_images(site: str, tmp_path: Path) -> None:
    # Given 20 pages with different colors and sizes
    pages = {f"{n * 12:02x}{255 - n * 12:02x}80": (200 + 10 * n, 100 + 5 * n) for n in range(20)}
    lines = [
        json.dumps(
            {
                "url": f"http://{site}/colour?hex={color}",
                "requestId": color,
                "options": {"viewport": {"width": width, "height": height}},
            }
        )
        for color, (width, height) in pages.items()
    ]
    # When they are captured
    run = stillframe(
        "shoot", "--file", "-", "--out", str(tmp_path), "--allow-host", site, "--json", stdin="\n".join(lines)
    )
    # Then each line of the output, in the order in which captures end, names an image as its page is
    assert (run.returncode, "Traceback" in run.stderr) == (0, False)
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert sorted(result["id"] for result in results) == sorted(pages)
    assert len({result["path"] for result in results}) == 20
    for result in results:
        pixels = Pixels(Path(result["path"]).read_bytes())
        assert pixels.size == pages[result["id"]] == (result["width"], result["height"])
        assert pixels.is_all(tuple(bytes.fromhex(result["id"])))
        assert (result["outcome"], result["status"], result["httpStatus"]) == ("captured", "success", 200)
        assert result["bytes"] == Path(result["path"]).stat().st_size
    # And results.jsonl has them in the order of the requests
    saved = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [result["id"] for result in saved] == list(pages)
    assert (tmp_path / "index.html").read_text().count("<article") == 20


def test_a_failure_is_a_one_line_error_and_exit_status_one(site: str, tmp_path: Path) -> None:
    # Given a page that can be captured and two that cannot
    urls = [
        f"http://{site}/colour?hex=00aa00",
        "http://stillframe.invalid/",
        "http://169.254.169.254/latest/meta-data/",
    ]
    # When they are captured
    run = stillframe("shoot", *urls, "--out", str(tmp_path), "--allow-host", site, "--json")
    # Then the first has its image, and the others have the reason of their failure
    results = {result["url"]: result for result in map(json.loads, run.stdout.splitlines())}
    assert run.returncode == 1
    assert [results[url]["errorCode"] for url in urls] == [None, "UNKNOWN_HOST", "BLOCKED_ADDRESS"]
    assert Pixels(Path(results[urls[0]]["path"]).read_bytes()).is_all(GREEN)
    assert "failed: http://stillframe.invalid/: UNKNOWN_HOST" in run.stderr
    assert "169.254" not in results[urls[2]]["errorMessage"]


def test_a_transient_failure_is_retried_until_the_receive_limit(site: str, tmp_path: Path) -> None:
    # Given a page that drops every connection
    run = stillframe("shoot", f"http://{site}/drop", "--out", str(tmp_path), "--allow-host", site, "--json")
    # Then it is received until the limit of the queue, and ends as failed
    (result,) = map(json.loads, run.stdout.splitlines())
    assert (run.returncode, result["outcome"], result["errorCode"]) == (1, "failed", "CONNECTION_RESET")
    full = json.loads((tmp_path / "results.jsonl").read_text())
    assert (full["attempts"], full["receiveCount"]) == (3, 3)


def test_options_apply_to_every_page(site: str, tmp_path: Path) -> None:
    options = '{"fullPage": true, "format": "webp", "viewport": {"width": 300}}'
    url = f"http://{site}/tall?bands=3"
    run = stillframe("shoot", url, "--options", options, "--out", str(tmp_path), "--allow-host", site, "--json")
    (result,) = map(json.loads, run.stdout.splitlines())
    pixels = Pixels(Path(result["path"]).read_bytes())
    assert (pixels.encoding, pixels.size, Path(result["path"]).suffix) == ("WEBP", (300, 3000), ".webp")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shoot"], "nothing to capture"),
        (["shoot", "https://example.com", "--options", "{"], "--options is not JSON"),
        (["shoot", "https://example.com", "--options", "[]"], "must be a JSON object"),
        (["shoot", "https://example.com", "--options", '{"quality": 500, "format": "jpeg"}'], "range 1 to 100"),
        (["shoot", "--file", "/nowhere"], "/nowhere"),
        (["send", "https://example.com"], "QUEUE_URL"),
        (["status", "x", "--stack"], "--stack"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_wrong_usage_exits_with_two_and_says_what_to_do(arguments: list[str], words: str) -> None:
    run = stillframe(*arguments)
    assert run.returncode == 2
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_a_killed_run_leaves_no_process_behind(site: str, tmp_path: Path) -> None:
    # Given a run during a capture, with its emulator and its browser
    url = f"http://{site}/slow?seconds=20"
    run = subprocess.Popen(
        [sys.executable, "-m", "stillframe_cli", "shoot", url, "--out", str(tmp_path), "--allow-host", site],
        cwd=ROOT,
        env=environment({}),
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: any("headless" in name for name in children_of(run.pid)), what="the browser")
    children = children_of(run.pid)
    assert any("emulator_process" in name for name in children)
    # When it is killed without a chance to clean up
    run.kill()
    run.wait()
    # Then its children end by themselves
    wait_for(lambda: not any(map(is_alive, children.values())), what="the end of the child processes")


def children_of(pid: int) -> dict[str, Path]:
    """The live direct children under /proc, by their command lines."""
    children = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if is_alive(process) and stat_of(process)[1] == str(pid):
                children[(process / "cmdline").read_text().replace("\0", " ")] = process
    return children


def is_alive(process: Path) -> bool:
    """Whether the process is running; a zombie has ended."""
    try:
        return stat_of(process)[0] != "Z"
    except OSError:
        return False


def stat_of(process: Path) -> list[str]:
    """The fields of /proc/PID/stat from the state and the parent on (proc(5))."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def test_the_demo_captures_its_site_and_skips_every_duplicate(tmp_path: Path) -> None:
    # Given / When the demo runs
    run = stillframe("demo", "--out", str(tmp_path), "--json")
    # Then each of the four pages is captured once and skipped once
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0
    by_page: dict[str, list[str]] = {}
    for result in results:
        by_page.setdefault(result["url"].rpartition("/")[2], []).append(result["outcome"])
    assert sorted(by_page) == ["article.html", "dashboard.html", "languages.html", "tall.html"]
    assert [sorted(outcomes) for outcomes in by_page.values()] == [["captured", "skipped"]] * 4
    # And the images show the pages: the lazy plates, the SVG chart, the header with the web font
    images = {Path(r["path"]).stem: Pixels(Path(r["path"]).read_bytes()) for r in results if r["outcome"] == "captured"}
    tall = images["127-0-0-1-tall"]
    assert (tall.size[0], tall.size[1] > 6000) == (1280, True)
    assert tall.at(640, -30) == (18, 52, 59)
    assert tall.at(200, tall.size[1] - 480) == (192, 110, 82)
    assert images["127-0-0-1-dashboard"].at(1000, 400)[1] > 150
    # And without --json a table is printed, which names the gallery
    table = stillframe("demo", "--out", str(tmp_path))
    assert (table.returncode, f"Gallery: {tmp_path}/index.html" in table.stdout) == (0, True)
    assert [line.split("\t")[0] for line in table.stdout.splitlines()].count("skipped") == 4
    # And the second demo is in the place of the first, whose pages had another port
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == sorted(images)
    # And each page has one card, into which its duplicate is folded
    page = (tmp_path / "index.html").read_text()
    assert (page.count("<article"), page.count("and 1 more message: skipped")) == (4, 4)


def test_an_output_directory_that_cannot_be_created_is_one_clear_line(site: str, tmp_path: Path) -> None:
    # Given a file where a directory would have to be
    (tmp_path / "notes.txt").write_text("mine")
    out = tmp_path / "notes.txt" / "images"
    # When
    run = stillframe("shoot", f"http://{site}/colour?hex=008000", "--out", str(out), "--allow-host", site)
    # Then the only output names the path and what is wrong with it
    assert (run.returncode, run.stdout) == (4, "")
    assert run.stderr == (
        f"Error: {out} cannot be a directory, because a file is in its way. Choose another one with --out.\n"
    )


def test_a_line_that_is_no_request_has_a_result_of_its_own(site: str, tmp_path: Path) -> None:
    # Given a file with a good line, one with an invalid option, and one that is not JSON
    good = {"requestId": "good", "url": f"http://{site}/colour?hex=008000"}
    wrong = {"requestId": "wrong", "url": f"http://me:secret@{site}/", "options": {"css": "@import url(more.css);"}}
    lines = tmp_path / "lines.jsonl"
    lines.write_text(f"{json.dumps(good)}\n{json.dumps(wrong)}\n{{not json\n")
    out = tmp_path / "out"
    command = ("shoot", "--file", str(lines), "--out", str(out), "--allow-host", site, "--json")
    # When it is captured, and once more after the last line was mended
    first = stillframe(*command)
    lines.write_text(f"{json.dumps(good)}\n{json.dumps(wrong)}\n")
    stillframe(*command)
    # Then what was printed and what was saved say of each line how it ended, without the password
    said = {each["id"]: each["errorCode"] for each in map(json.loads, first.stdout.splitlines())}
    assert (first.returncode, said) == (1, {"good": None, "wrong": "INVALID_REQUEST", "line 3": "INVALID_REQUEST"})
    saved = {each["id"]: each for each in map(json.loads, (out / "results.jsonl").read_text().splitlines())}
    assert saved.keys() == {"good", "wrong"}
    assert "secret" not in (out / "results.jsonl").read_text() + first.stdout + first.stderr
    assert "url" in saved["wrong"]["errorMessage"]
