"""What a newcomer types, line by line: exit status, message, and what is on the disk afterwards."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from stillframe_cli.emulator import Emulator
from stillframe_cli.provision import QueuePolicy
from tests.support.cloud import Cloud
from tests.support.desk import Desk
from tests.support.pixels import GREEN, Pixels
from tests.support.terminal import run_on_terminal
from tests.support.workers import STILLFRAME, environment


@pytest.fixture
def desk(tmp_path: Path, site: str) -> Desk:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "urls.txt").write_text("https://stillframe.invalid/a\nftp://stillframe.invalid/b\n")
    (tmp_path / "wrong.txt").write_text("ftp://a.example\n{\n")
    (tmp_path / "empty.txt").write_text("# nothing yet\n\n")
    (tmp_path / "latin.txt").write_bytes(b"https://example.com/\xe4\n")
    (tmp_path / "opts.json").write_text('{"fulPage": true}')
    (tmp_path / "page.html").write_text("<p>")
    return Desk(tmp_path, site)


# What was typed, the exit status, and a part of the answer. None of these lines needs a browser or a deployment.
WITHOUT_BROWSER = [
    ("stillframe", 2, "shoot"),
    ("stillframe --help", 0, "stillframe shoot example.com"),
    ("stillframe -h", 0, "Exit status"),
    ("stillframe --version", 0, "stillframe, version"),
    ("stillframe --verison", 2, "--version"),
    ("stillframe help", 2, "No such command 'help'"),
    ("stillframe shot https://example.com", 2, "Did you mean shoot?"),
    ("stillframe example.com", 2, "did you mean `stillframe shoot example.com`?"),
    ("stillframe https://example.com --full-page", 2, "did you mean `stillframe shoot https://example.com`?"),
    ("stillframe shoot", 2, "nothing to capture"),
    ("stillframe shoot --help", 0, "130 Ctrl-C"),
    ("stillframe shoot htps://example.com", 2, "did you mean https://example.com?"),
    ("stillframe shoot https:/example.com", 2, "did you mean https://example.com?"),
    ("stillframe shoot 'https://a.example https://b.example'", 2, "contains a space"),
    ("stillframe shoot ftp://example.com", 2, "only http and https pages"),
    ("stillframe shoot urls.txt", 2, "use --file urls.txt"),
    ("stillframe shoot page.html", 2, "python3 -m http.server"),
    ("stillframe shoot ./page.html", 2, "--allow-host localhost:8000"),
    ("stillframe shoot example", 2, "write http://example"),
    ("stillframe shoot ''", 2, "argument 1"),
    ("stillframe shoot --file nowhere.txt", 2, "nowhere.txt cannot be read: No such file"),
    ("stillframe shoot --file .", 2, "Is a directory"),
    ("stillframe shoot --file wrong.txt", 2, "line 2: is not JSON"),
    ("stillframe shoot --file empty.txt", 2, "nothing to capture"),
    ("stillframe shoot --file latin.txt", 2, "not text in UTF-8 (line 1)"),
    ("stillframe shoot --file urls.txt --strict", 2, "line 2: only http and https"),
    ("stillframe shoot - < /dev/null", 2, "nothing to capture"),
    ("printf 'nonsense\\n' | stillframe shoot -", 2, "line 1: is not a URL"),
    ("stillframe shoot https://example.com --fullpage", 2, "--full-page"),
    ("stillframe shoot https://example.com --options '{\"fulPage\": true}'", 2, "did you mean fullPage?"),
    ("stillframe shoot https://example.com --options @opts.json", 2, "did you mean fullPage?"),
    ("stillframe shoot https://example.com --options opts.json", 2, "use --options @FILE"),
    ("stillframe shoot https://example.com --options '{fullPage: true}'", 2, "--options is not JSON"),
    ("stillframe shoot https://example.com --device iphone15", 2, "did you mean iphone-15?"),
    ("stillframe shoot https://example.com --preset achive", 2, "did you mean archive?"),
    ("stillframe shoot https://example.com --width wide", 2, "--width"),
    ("stillframe shoot https://example.com --width 5", 2, "16<=x<=4096"),
    ("stillframe shoot https://example.com --quality 50", 2, "quality"),
    ("stillframe shoot https://example.com --allow-host 10.0.0.0/8", 2, "STILLFRAME_ALLOW_CIDRS"),
    ("stillframe shoot https://example.com --out notes.txt", 4, "a file is in its way"),
    ("stillframe shoot https://example.com --out notes.txt/deep", 4, "a file is in its way"),
    # Nobody may write there, root included.
    ("stillframe shoot https://example.com --out /sys/stillframe", 4, "Choose another directory with --out"),
    ("stillframe load-test 1 --out /sys/stillframe/load.json", 2, "is not a directory"),
    ("stillframe shoot https://example.com --out nowhere/page.png", 2, "nowhere is not a directory; create it first"),
    ("stillframe shoot https://a.example https://b.example --out page.png", 2, "name a directory"),
    ("stillframe shoot https://example.com --out page.png --format webp", 2, "contradict"),
    ("stillframe demo --out notes.txt", 4, "a file is in its way"),
    ("stillframe send https://example.com", 2, "No deployment selected"),
    ("stillframe status order-42", 2, "start `stillframe dev`"),
    ("stillframe status", 2, "ID"),
    ("stillframe consume", 2, "No deployment selected"),
    ("stillframe list --since yesterday", 2, "30m, 12h or 7d"),
    ("stillframe monitor --onc", 2, "--once"),
    ("stillframe diff notes.txt nowhere.png", 1, "notes.txt is not an image"),
    ("stillframe diff nowhere.png notes.txt", 1, "There is no file nowhere.png"),
    ("stillframe diff https://a.example https://b.example", 2, "Capture the pages first"),
    ("stillframe plan", 2, "--per-hour, --per-day and --preset"),
    ("stillframe plan --per-hour 100 --plot plan.doc", 2, "must end in .svg"),
    ("stillframe plan --per-hour 100 --write nowhere/plan.toml", 2, "nowhere is not a directory"),
    ("stillframe plan --per-hour 100 --write -", 2, "name a file, or use --json"),
    ("stillframe plan --per-hour 100 --from notes.txt", 2, "is not the output of `stillframe load-test --out`"),
    ("stillframe scale", 1, "Set AWS_REGION"),
    ("stillframe dev --state notes.txt", 2, "is a file"),
    ("stillframe dev --bind 192.0.2.1 --port 0", 1, "not an address of this machine"),
    ("stillframe dev stop", 1, "No `stillframe dev` runs"),
    ("stillframe dev sotp", 2, "sotp"),
]


@pytest.mark.parametrize(("line", "status", "words"), WITHOUT_BROWSER, ids=[line for line, _, _ in WITHOUT_BROWSER])
def test_a_line_is_answered_with_what_to_do(desk: Desk, line: str, status: int, words: str) -> None:
    before = sorted(desk.folder.iterdir())
    ending = desk.type(line)
    assert (ending.status, words in ending.text) == (status, True), ending.text
    # An answer to a mistake is for people: it goes to stderr, and nothing is left behind.
    if status:
        assert ending.out == "" or line == "stillframe"
        assert [path for path in sorted(desk.folder.iterdir()) if path.name != "stillframe"] == before


def test_a_port_in_use_is_a_sentence(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ending = desk.type(f"stillframe dev --port {port}")
    assert (ending.status, f"Port {port} of 127.0.0.1 is in use by another program" in ending.err) == (1, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_read_only_is_a_sentence(desk: Desk) -> None:
    (desk.folder / "locked").mkdir(mode=0o500)
    ending = desk.type("stillframe shoot https://example.com --out locked/out")
    assert (ending.status, "Choose another directory with --out" in ending.err) == (4, True)


@pytest.mark.usefixtures("chromium")
class TestWithBrowser:
    """Lines that capture pages."""

    def test_a_host_without_a_scheme_on_this_machine_names_the_flag_that_allows_it(self, desk: Desk, site: str) -> None:
        ending = desk.type("stillframe shoot 'SITE/colour?hex=00aa00'")
        assert (ending.status, f"add --allow-host {site}" in ending.err) == (1, True), ending.err
        assert ending.err.count("BLOCKED_ADDRESS") == 1
        assert (desk.folder / "out/index.html").exists()

    def test_a_file_from_another_system_is_captured_with_a_note_about_its_wrong_line(self, desk: Desk) -> None:
        # Given a file with a mark, Windows line ends, a comment, a repeated line and a wrong one
        lines = [
            "# colors",
            "SITE/colour?hex=00aa00",
            "",
            "http://SITE/colour?hex=00aa00",
            "ftp://SITE/",
            "SITE/slow?seconds=0",
        ]
        text = "\r\n".join(lines).replace("SITE", desk.site)
        (desk.folder / "list.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
        # When it is captured with flags
        ending = desk.type(
            "stillframe shoot --file list.txt --width 300 --height 200 --format jpg --out images "
            "--allow-host http://SITE/"
        )
        # Then both pages have their images, and the notes say what was left out
        assert ending.status == 1, ending.text
        assert "left out: line 5: only http and https pages can be captured, not ftp" in ending.err
        assert "1 line repeats another" in ending.err
        images = sorted((desk.folder / "images").glob("*.jpg"))
        assert [Pixels(path.read_bytes()).size for path in images] == [(300, 200)] * 2
        assert "2 pages: 2 captured" in ending.out

    def test_one_page_goes_to_a_file_or_to_a_pipe(self, desk: Desk) -> None:
        ending = desk.type("stillframe shoot 'SITE/colour?hex=00aa00' --allow-host SITE --out page.png")
        assert ending.status == 0, ending.err
        assert Pixels((desk.folder / "page.png").read_bytes()).is_all(GREEN)
        ending = desk.type("echo 'SITE/colour?hex=00aa00' | stillframe shoot - --allow-host SITE --out - > piped.png")
        assert ending.status == 0, ending.err
        assert Pixels((desk.folder / "piped.png").read_bytes()).is_all(GREEN)
        assert not (desk.folder / "out").exists()

    def test_a_page_that_answers_with_an_error_fails_only_when_that_is_asked_for(self, desk: Desk) -> None:
        line = "stillframe shoot 'SITE/status?code=404' --allow-host SITE"
        assert desk.type(line).status == 0
        ending = desk.type(f"{line} --fail-on-status --out strict")
        assert (ending.status, "STATUS_REFUSED" in ending.err) == (3, True), ending.err

    def test_a_browser_that_is_missing_is_a_sentence(self, desk: Desk) -> None:
        ending = desk.type("stillframe shoot https://example.com", STILLFRAME_CHROMIUM="/nowhere/chromium")
        assert (ending.status, "/nowhere/chromium is not an executable file" in ending.err) == (4, True)


@pytest.fixture(scope="module")
def office(emulator: Emulator, site: str, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a deployment, in which one request waits."""
    folder = tmp_path_factory.mktemp("office")
    cloud = Cloud.create(emulator, QueuePolicy(30, 5))
    desk = Desk(folder, site, cloud.exports)
    assert desk.type("stillframe send https://example.com --request-id order-42").status == 0
    return desk


WITH_DEPLOYMENT = [
    ("stillframe status order-42", 0, "https://example.com"),
    ("stillframe status order-43", 1, "no record with the id order-43"),
    ("stillframe get order-42 --out page.png", 1, "its status is queued"),
    ("stillframe get order-43 --out page.png", 1, "no record"),
    ("stillframe get order-42 --out .", 2, "is a directory"),
    ("stillframe get order-42 --out nowhere/page.png", 2, "create it first"),
    ("stillframe list", 0, "order-42\tqueued\t"),
    ("stillframe list --status sucess", 2, "success"),
    ("stillframe scale --stack Stillframe", 2, "has no stacks"),
    ("stillframe scale --function renderer", 1, "does not know"),
    ("stillframe audit --stack Stillframe", 2, "has no stacks"),
    ("stillframe status order-42 --table-name nowhere", 1, "ResourceNotFoundException"),
    ("stillframe cleanup", 2, "--all, --queue, --table or --bucket"),
    ("stillframe load-test 1 --plot load.doc", 2, "must end in .svg"),
    ("stillframe monitor", 2, "--once"),
    ("AWS_ENDPOINT_URL=nonsense stillframe list", 2, "AWS_ENDPOINT_URL: 'nonsense' is not a URL"),
    ("AWS_ENDPOINT_URL=http://127.0.0.1:1 stillframe list", 1, "still running?"),
    ("LOG_LEVEL=loud stillframe list", 2, "LOG_LEVEL"),
]


@pytest.mark.parametrize(("line", "status", "words"), WITH_DEPLOYMENT, ids=[line for line, _, _ in WITH_DEPLOYMENT])
def test_a_line_about_a_deployment_is_answered(office: Desk, line: str, status: int, words: str) -> None:
    ending = office.type(line)
    assert (ending.status, words in ending.text) == (status, True), ending.text


@pytest.mark.parametrize(
    ("variables", "is_colored"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colors_are_for_terminals_that_want_them(office: Desk, variables: dict[str, str], is_colored: bool) -> None:
    # Given / When a list on a terminal
    exports = environment({**office.exports, "COLUMNS": "100", **variables})
    status, shown = run_on_terminal([*STILLFRAME, "list"], office.folder, exports)
    # Then it has a header, ages and totals for people, and colours only where they are wanted
    assert status == 0
    assert "CHANGED" in shown
    assert " ago" in shown
    assert "1 queued" in shown
    assert ("\x1b[36m" in shown) == is_colored


def test_status_on_a_terminal_is_a_sentence(office: Desk) -> None:
    exports = environment({**office.exports, "TERM": "xterm", "COLUMNS": "100"})
    status, shown = run_on_terminal([*STILLFRAME, "status", "order-42"], office.folder, exports)
    assert (status, "order-42 is waiting on the queue since" in shown, "payloadHash" in shown) == (0, True, False)


def test_cleanup_says_where_and_how_much_before_it_asks(office: Desk) -> None:
    ending = office.type("echo n | stillframe cleanup --all")
    assert ending.status == 1
    assert "the emulator on 127.0.0.1:" in ending.err
    assert "1 message on the queue" in ending.err
    assert "0 objects under screenshots/" in ending.err
    assert office.type("stillframe status order-42").status == 0


def test_json_is_one_object_a_line_and_nothing_else(office: Desk) -> None:
    for line in ("list", "status order-42", "audit", "monitor --once", "redrive --list"):
        ending = office.type(f"stillframe {line} --json")
        assert [type(json.loads(each)) for each in ending.out.splitlines()] == [dict] * ending.out.count("\n")
