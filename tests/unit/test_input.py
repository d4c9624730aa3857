"""What people type and what becomes of it: URLs, lines of files, options."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from stillframe_cli.input.options import parse_options, parse_wait, render_options
from stillframe_cli.input.requests import Reading, read_requests
from stillframe_cli.input.scheme_probe import SchemeProbe
from stillframe_cli.input.urls import complete_url


class Network:
    """Hosts and ports that accept connections; all others refuse them. `asked` are those that were contacted."""

    def __init__(self, *accepting: tuple[str, int]) -> None:
        self._accepting = accepting
        self.asked: list[tuple[str, int]] = []

    def dial(self, host: str, port: int) -> socket.socket:
        self.asked.append((host, port))
        if (host, port) not in self._accepting:
            raise ConnectionRefusedError
        return socket.socket()


def silent(host: str, port: int) -> socket.socket:
    raise TimeoutError


def read(*urls: str, file: Path | None = None, options: dict[str, Any] | None = None, strict: bool = False) -> Reading:
    probe = SchemeProbe(Network(("example.com", 443)).dial)
    return read_requests(urls, str(file) if file else None, options or {}, strict=strict, probe=probe)


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://example.com/a?b#c", "https://example.com/a?b#c"),
        ("HTTP://Example.com", "HTTP://Example.com"),
        ("example.com", "https://example.com"),
        ("//example.com/a", "https://example.com/a"),
        ("example.com/a?b=c:d", "https://example.com/a?b=c:d"),
        ("old.example", "http://old.example"),
        ("gone.example", "https://gone.example"),
        ("localhost", "http://localhost"),
        ("localhost:3000/docs", "http://localhost:3000/docs"),
        ("localhost:443", "https://localhost:443"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080/x", "http://[::1]:8080/x"),
        ("192.168.1.20", "http://192.168.1.20"),
        ("example.com:443", "https://example.com:443"),
        ("example.com:80", "http://example.com:80"),
        ("bücher.example", "https://bücher.example"),
        ("site:8000", "http://site:8000"),
    ],
)
def test_a_bare_host_gets_the_scheme_that_it_speaks(typed: str, url: str) -> None:
    network = Network(("example.com", 443), ("old.example", 80))
    assert complete_url(typed, SchemeProbe(network.dial)) == url


def test_a_host_that_does_not_answer_gets_https_and_is_asked_once() -> None:
    asked: list[str] = []

    def dial(host: str, port: int) -> socket.socket:
        asked.append(host)
        return silent(host, port)

    probe = SchemeProbe(dial)
    assert [complete_url(f"slow.example/{n}", probe) for n in range(3)] == [
        f"https://slow.example/{n}" for n in range(3)
    ]
    assert asked == ["slow.example"]


@pytest.mark.parametrize("host", ["localhost", "10.0.0.7", "169.254.169.254", "printer.local", "[::1]", "127.1"])
def test_a_host_that_is_not_public_is_never_contacted_to_find_its_scheme(host: str) -> None:
    network = Network()
    complete_url(host, SchemeProbe(network.dial))
    assert network.asked == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("htps://example.com", "did you mean https://example.com?"),
        ("htp://example.com", "did you mean http://example.com?"),
        ("https:/example.com", "did you mean https://example.com?"),
        ("http:example.com", "did you mean http://example.com?"),
        ("ftp://example.com", "only http and https pages can be captured, not ftp"),
        ("file:///etc/passwd", "only http and https pages can be captured, not file"),
        ("javascript:alert(1)", "not javascript"),
        ("https://a.example https://b.example", "contains a space"),
        ("example", "write http://example"),
        ("", "is not a URL"),
        ("???", "is not a URL"),
        ("1,example.com", "is not a URL"),
        ("example.com:99999", "is not a URL"),
        ("./index.html", "is a path on this machine"),
        ("/home/me/index.html", "is a path on this machine"),
    ],
)
def test_what_is_no_url_is_refused_with_what_to_write_instead(typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        complete_url(typed, SchemeProbe(Network().dial))
    assert words in str(caught.value)


def test_a_file_in_the_place_of_a_url_is_named_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text("https://example.com")
    (tmp_path / "page.html").write_text("<p>")
    for name, words in (("urls.txt", "use --file "), ("page.html", "python3 -m http.server")):
        with pytest.raises(ValueError, match=words):
            complete_url(str(tmp_path / name), SchemeProbe(Network().dial))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_any_system_is_read(tmp_path: Path, encoding: str, end: str) -> None:
    # Given a file with comments, blank lines and a JSON request, as an editor of another system writes it
    request = {"url": "example.com/ü\u2028", "options": {"fullPage": True}}
    lines = ["https://a.example/x#part", "# a comment", "", "  ", "\thttps://b.example  # the second"]
    file = tmp_path / "urls.txt"
    file.write_bytes(
        end.join([*lines, json.dumps(request | {"url": "example.com/ü"}, ensure_ascii=False), ""]).encode(encoding)
    )
    # When / Then
    requests = read(file=file).requests
    assert [each.url for each in requests] == ["https://a.example/x#part", "https://b.example", "https://example.com/ü"]
    assert [each.options for each in requests] == [{}, {}, {"fullPage": True}]


def test_a_wrong_line_names_its_number_and_does_not_refuse_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "urls.txt"
    file.write_text('https://a.example\nftp://b.example\n{"url": \n{"url": "https://c.example", "optoins": {}}\n[]\n')
    reading = read(file=file)
    assert [each.url for each in reading.requests] == ["https://a.example"]
    noted = capsys.readouterr().err
    for number, words in (
        (2, "not ftp"),
        (3, "is not JSON"),
        (4, "did you mean options?"),
        (5, "is not a JSON object"),
    ):
        assert f"left out: line {number}: " in noted
        assert words in noted


def test_strict_refuses_all_lines_when_one_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("https://a.example\nftp://b.example\n")
    with pytest.raises(click.UsageError, match="line 2: only http and https"):
        read(file=file, strict=True)


def test_a_file_without_any_right_line_is_wrong_usage_and_lists_only_some(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("ftp://b.example\n" * 3 + "nonsense\n" * 40)
    with pytest.raises(click.UsageError) as caught:
        read(file=file)
    assert caught.value.message.count("\n") == 10
    assert "and 33 more" in caught.value.message


def test_identical_lines_are_captured_once_with_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    # Given the same page three times, in two ways of writing it, and once with other options
    same = ["https://example.com", "example.com", '{"url": "https://example.com", "options": {"fullPage": false}}']
    reading = read(*same, '{"url": "https://example.com", "options": {"fullPage": true}}')
    # Then the page is there once with each set of options
    assert (len(reading.requests), reading.repeated) == (2, 2)
    assert "2 lines repeat others" in capsys.readouterr().err
    # And every request gets an id of its own
    assert len({each.request_id for each in reading.with_ids()}) == 2


def test_an_id_of_two_pages_is_a_wrong_line() -> None:
    one, other = ('{"url": "https://a.example", "requestId": "x"}', '{"url": "https://b.example", "requestId": "x"}')
    reading = read(one, other)
    assert reading.problems == ["argument 2: requestId x is that of another page, of argument 1"]


def test_a_hyphen_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfhttps://a.example\r\n")))
    assert [each.url for each in read("-").requests] == ["https://a.example"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), (b"https://a.example\n\xff\xfe\x00", r"not text in UTF-8 \(line 2\)")],
)
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "urls.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(click.UsageError, match=words):
        read(file=file)
    with pytest.raises(click.UsageError, match="Is a directory"):
        read(file=tmp_path)


def options_of(*arguments: str) -> dict[str, Any]:
    """The options that a command with the flags gets. Raises click.UsageError."""
    received: dict[str, Any] = {}

    @click.command()
    @render_options
    def command(options: dict[str, Any]) -> None:
        received.update(options)

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return received


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], {}),
        (["--full-page", "--format", "jpg", "--quality", "70"], {"fullPage": True, "format": "jpeg", "quality": 70}),
        (["--width", "600"], {"viewport": {"width": 600}}),
        (
            ["--device", "iphone-15", "--width", "400"],
            {"device": "iphone-15", "viewport": {"width": 400, "height": 852}},
        ),
        (
            ["--preset", "link-preview", "--height", "600"],
            {"preset": "link-preview", "viewport": {"width": 1200, "height": 600}},
        ),
        (["--options", '{"viewport": {"width": 500}}', "--height", "300"], {"viewport": {"width": 500, "height": 300}}),
        (["--options", '{"fullPage": false}', "--full-page"], {"fullPage": True}),
        (["--wait", "2s"], {"delayMs": 2000}),
        (["--wait", "#done", "--dark"], {"waitForSelector": "#done", "colorScheme": "dark"}),
        (
            ["--selector", "h1", "--scale", "2", "--fail-on-status"],
            {"selector": "h1", "deviceScaleFactor": 2.0, "failOnStatus": True},
        ),
    ],
)
def test_flags_are_merged_with_the_json(arguments: list[str], options: dict[str, Any]) -> None:
    assert options_of(*arguments) == options


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--options", '{"fulPage": true}'], "did you mean fullPage?"),
        (["--options", "opts.json"], "use --options @FILE"),
        (["--options", "@nowhere.json"], "nowhere.json cannot be read: No such file"),
        (["--options", "[]"], "must be a JSON object"),
        (["--device", "iphone15"], "did you mean iphone-15?"),
        (["--preset", "archve"], "did you mean archive?"),
        (["--format", "pngg"], "did you mean png?"),
        (["--fullPage"], "--full-page"),
        (["--quality", "50"], "quality"),
    ],
)
def test_wrong_options_are_refused_with_the_nearest_right_one(arguments: list[str], words: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        options_of(*arguments)
    assert words in caught.value.format_message()


def test_options_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "opts.json"
    file.write_bytes(b"\xef\xbb\xbf" + b'{"fullPage": true}\r\n')
    assert parse_options(f"@{file}") == {"fullPage": True}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("500", {"delayMs": 500}),
        ("500ms", {"delayMs": 500}),
        ("1.5s", {"delayMs": 1500}),
        ("networkidle", {"waitUntil": "networkidle"}),
        (".card > img", {"waitForSelector": ".card > img"}),
    ],
)
def test_wait_takes_a_time_a_state_or_a_selector(text: str, options: dict[str, Any]) -> None:
    assert parse_wait(text) == options
