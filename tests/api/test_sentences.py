"""What is refused says what is right: in the project's words, and not in those of a library."""

from __future__ import annotations

import contextlib
import io
import socket
import struct

import pytest
from click.testing import CliRunner

from stillframe.request.options.wire import ID_RULE
from stillframe_cli.commands.sign import command

from .conftest import Client

TIME_RULE = "a time such as 2027-01-31T12:00:00Z"


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/screenshots?since=yesterday", f"since: must be {TIME_RULE}"),
        ("/v1/screenshots?since=2026-13-01T00:00", f"since: must be {TIME_RULE}"),
        ("/v1/screenshots?since=2026-11-26T00:00%2B99:99", f"since: must be {TIME_RULE}"),
        ("/v1/screenshots?status=done", "status: must be queued, processing, success or failed"),
        ("/v1/screenshots?cursor=", "cursor: must be 1 to 4096 characters that a list has returned"),
        ("/v1/screenshots/..", f"screenshot_id: must be {ID_RULE}"),
        (
            "/v1/screenshots/a/extras/video",
            "kind: must be thumbnail, html, text, mhtml, har, elements, links, difference, textDifference or element-N",
        ),
        ("/v1/i/a=/b", "payload: must be a part of a signed link, as `stillframe sign` writes it"),
    ],
)
def test_a_wrong_parameter_is_told_what_is_right(client: Client, path: str, detail: str) -> None:
    assert client.get(path).problem[2] == detail


def test_a_wrong_key_is_told_what_is_right(client: Client) -> None:
    problem = client.post({"url": "https://example.com/"}, Idempotency_Key="a b").problem
    assert problem == (400, "INVALID_PARAMETER", f"Idempotency-Key: must be {ID_RULE}")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"url": "https://example.com/\\ud800"}', "a character of it is half of a surrogate pair"),
        ("[" * 100_000, "it is nested too deeply"),
        (f'{{"freshFor": {"9" * 5000}}}', "a number of it has too many digits"),
    ],
)
def test_a_body_that_is_no_json_is_told_in_words(client: Client, body: str, reason: str) -> None:
    status, code, detail = client.post(body.encode()).problem
    assert (status, code) == (400, "UNPARSABLE_BODY")
    assert detail == f"the body is not JSON: {reason}"


def test_a_link_that_has_expired_already_is_not_signed() -> None:
    # Given a time of the past, with its year mistyped
    arguments = ["https://example.com", "--key", "k", "--api", "http://localhost", "--expires", "2020-01-31T12:00"]
    # When a link is signed, then it is refused here, and not in the page that shows it
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 2
    assert "2020-01-31T12:00 is past" in done.output


def test_a_client_that_hangs_up_is_no_error_of_the_server(client: Client) -> None:
    # Given a client that resets its connection in the middle of a request
    host, port = client.url.removeprefix("http://").split(":")
    log = io.StringIO()
    with contextlib.redirect_stderr(log):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"POST /v1/screenshots HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # When the server goes on
        assert client.get("/health").status == 200
    # Then its log has no traceback
    assert log.getvalue() == ""
