"""Everything a page can ask with, on every name for what it must not reach: the canaries hear nothing."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from lambda_src.renderer.engine import RenderEngine
from stillframe.egress import EgressPolicy
from stillframe.errors import BlockedAddress, CaptureTimeout, ConnectionFailed
from tests.support.rendering import refusal, render

from .attacks import HOSTS, SHY, SPARING, WAYS
from .conftest import Arena

# Long enough for what a page starts late; the capture's own waiting is for network idle before.
SETTLE = {"waitUntil": "networkidle", "delayMs": 500, "timeoutMs": 15_000}


@pytest.fixture(scope="module")
def guarded(arena: Arena) -> Iterator[RenderEngine]:
    with arena.engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def lenient(arena: Arena) -> Iterator[RenderEngine]:
    with arena.engine(arena.policy(f"127.0.0.1:{arena.canary.port}")) as engine:
        yield engine


@pytest.mark.parametrize("way", WAYS)
def test_no_way_reaches_a_canary(arena: Arena, guarded: RenderEngine, way: str) -> None:
    # Given a page that asks in one way for every name of the canaries
    arena.canary.hits.clear()
    # When it is captured
    shot = render(guarded, f"http://{arena.site}/attack?way={way}", **SETTLE)
    # Then the page is pictured, and no canary heard anything
    assert arena.canary.hits == []
    # And what came as far as the guard was refused for its address
    if way not in SHY:
        assert sum((shot.facts.blocked or {}).values()) >= (1 if way in SPARING else len(HOSTS) - 4)


@pytest.mark.parametrize("way", sorted(WAYS.keys() - SHY))
def test_each_way_is_a_real_one(arena: Arena, lenient: RenderEngine, way: str) -> None:
    # Given the same page, and a guard that allows one of the canaries
    arena.canary.hits.clear()
    # When it is captured
    render(lenient, f"http://{arena.site}/attack?way={way}&host=127.0.0.1", **SETTLE)
    # Then the canary hears it: without the guard's refusal the attack succeeds
    assert arena.canary.hits != []


@pytest.mark.parametrize("host", HOSTS)
def test_a_page_at_a_canary_is_refused(arena: Arena, guarded: RenderEngine, host: str) -> None:
    # Given / When a page whose address is a name for what it must not reach
    arena.canary.hits.clear()
    error = refusal(guarded, f"http://{host}:{arena.canary.port}/")
    # Then the capture is refused for good, and says of which class the address is
    assert (error.code, arena.canary.hits) == ("BLOCKED_ADDRESS", [])
    assert "127.0.0.1" not in error.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", HOSTS)
def test_a_redirect_to_a_canary_is_refused(arena: Arena, guarded: RenderEngine, host: str, status: int) -> None:
    arena.canary.hits.clear()
    target = quote(f"http://{host}:{arena.canary.port}/", safe="")
    error = refusal(guarded, f"http://{arena.site}/redirect?status={status}&to={target}")
    assert (error.code, arena.canary.hits) == ("BLOCKED_ADDRESS", [])


@pytest.mark.parametrize(
    "body",
    [
        '<meta http-equiv="refresh" content="0;url=URL">',
        '<script>location = "URL"</script>',
        '<script>location.replace("URL")</script>',
        '<form id=f action="URL"></form><script>f.submit()</script>',
        '<a id=a href="URL">x</a><script>a.click()</script>',
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "inward.test", "[::ffff:127.0.0.1]"])
def test_a_page_that_goes_there_itself_gets_nothing(arena: Arena, guarded: RenderEngine, host: str, body: str) -> None:
    # Given a page that moves itself to a canary
    arena.canary.hits.clear()
    page = quote(body.replace("URL", f"http://{host}:{arena.canary.port}/"), safe="")
    # When it is captured, then it fails, or is pictured without
    with contextlib.suppress(BlockedAddress, ConnectionFailed, CaptureTimeout):
        render(guarded, f"http://{arena.site}/page?body={page}", **SETTLE)
    # And the canary hears nothing
    assert arena.canary.hits == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "view-source:file:///etc/passwd",
        "view-source:http://example.com/",
        "chrome://version/",
        "devtools://devtools/bundled/inspector.html",
        "ftp://example.com/",
        "javascript:alert(1)",
        "data:text/html,hello",
        "about:blank",
        "gopher://example.com/",
        "filesystem:http://example.com/",
        "blob:http://example.com/x",
        "chrome-extension://x/",
    ],
)
def test_a_scheme_that_is_no_page_is_refused(guarded: RenderEngine, url: str) -> None:
    assert refusal(guarded, url).code == "BLOCKED_SCHEME"


@pytest.mark.parametrize(
    ("host", "decision"),
    [
        ("169.254.169.254", "deny.link_local"),
        ("169.254.170.2", "deny.link_local"),
        ("[fd00:ec2::254]", "deny.unique_local"),
        ("10.0.0.1", "deny.private"),
        ("172.16.0.1", "deny.private"),
        ("192.168.0.1", "deny.private"),
        ("100.64.0.1", "deny.cgnat"),
        ("[64:ff9b::7f00:1]", "deny.loopback"),
        ("[2002:7f00:1::]", "deny.translated"),
        ("[2001:0:1::]", "deny.translated"),
        ("224.0.0.1", "deny.multicast"),
        ("255.255.255.255", "deny.multicast"),
        ("metadata.google.internal", "deny.local_name"),
        ("printer.local", "deny.local_name"),
    ],
)
def test_special_addresses_are_refused_by_class(guarded: RenderEngine, host: str, decision: str) -> None:
    error = refusal(guarded, f"http://{host}/latest/meta-data/")
    assert (error.code, decision in error.message) == ("BLOCKED_ADDRESS", True)


@pytest.mark.parametrize("port", [22, 25, 3306, 6379, 9001, 9200])
def test_the_lambda_runtime_api_and_other_ports_are_refused(guarded: RenderEngine, port: int) -> None:
    error = refusal(guarded, f"http://127.0.0.1:{port}/2018-06-01/runtime/invocation/next")
    assert error.code == "BLOCKED_ADDRESS"


def test_one_line_tells_of_a_refused_host(arena: Arena, caplog: pytest.LogCaptureFixture) -> None:
    # Given / When a page that asks for two hosts, one of them often
    images = f'<img src="http://10.0.0.1:{arena.canary.port}/a?1"><img src="http://10.0.0.1:{arena.canary.port}/b">'
    body = quote(images + f'<img src="http://[::1]:{arena.canary.port}/">', safe="")
    with caplog.at_level(logging.WARNING), arena.engine() as engine:
        shot = render(engine, f"http://{arena.site}/page?body={body}", **SETTLE)
    # Then there is a line for each, and the record counts what was blocked
    lines = [line.__dict__ for line in caplog.records if line.message == "connection refused"]
    assert {(line["decision"], line["host"]) for line in lines} == {
        ("deny.private", "10.0.0.1"),
        ("deny.loopback", "::1"),
    }
    assert len(lines) == 2
    assert shot.facts.blocked is not None
    assert shot.facts.blocked.keys() == {"deny.private", "deny.loopback"}


def test_without_the_bypass_list_loopback_is_reached(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a browser whose proxy leaves loopback out, as Chromium's default is
    monkeypatch.setattr("lambda_src.renderer.flags.PROXY_BYPASS", "")
    arena.canary.hits.clear()
    with arena.engine() as engine:
        render(engine, f"http://{arena.site}/attack?way=image", **SETTLE)
    # Then the canaries are hit: the flag is what keeps them safe
    assert arena.canary.hits != []


def test_without_the_classes_of_addresses_they_are_reached(arena: Arena) -> None:
    # Given a policy for which every address is public
    arena.canary.hits.clear()
    everything = EgressPolicy.of([arena.site], ["0.0.0.0/0", "::/0"], ports=[arena.canary.port])
    with arena.engine(everything) as engine:
        render(engine, f"http://{arena.site}/attack?way=image", **SETTLE)
    # Then the canaries are hit
    assert arena.canary.hits != []
