"""Everything a page can ask with, on every name for what it must not reach: the canaries hear nothing."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from benchmarks.unguarded import NoGuard
from stillframe.egress.policy import EgressPolicy
from stillframe.errors import BlockedAddress, CaptureError, CaptureTimeout, ConnectionFailed
from stillframe.image.render_result import RenderResult
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium import flags
from stillframe_renderer.chromium.browser import Chromium
from tests.support.rendering import render, render_all, render_error

from .attacks import HOSTS, NOT_TAKEN, SHY, SPARING, WAYS, WORDLESS
from .conftest import Arena

HOLDING_FLAGS = ("--block-new-web-contents", "--disable-quic", "--force-webrtc-ip-handling-policy", "--proxy-")
# Long enough for what a page starts late; the capture's own waiting is for network idle before.
SETTLE: dict[str, Any] = {"waitUntil": "networkidle", "delayMs": 500, "timeoutMs": 15_000}


@dataclass(frozen=True)
class Attacked:
    """What became of the pages of some ways, and what the canaries heard of each."""

    outcomes: dict[str, RenderResult | CaptureError]
    heard: dict[str, list[str]]

    @classmethod
    def run(cls, arena: Arena, engine: RenderEngine, paths: dict[str, str]) -> Attacked:
        """Several at once where the canaries can tell them apart, one at a time where they cannot."""
        urls = {way: f"http://{arena.site}{path}" for way, path in paths.items()}
        arena.canary.hits.clear()
        outcomes = render_all(engine, {way: url for way, url in urls.items() if way not in WORDLESS}, **SETTLE)
        heard = {way: [hit for hit in arena.canary.hits if f" /{way}/" in hit] for way in outcomes}
        heard["of nobody"] = [hit for hit in arena.canary.hits if "HTTP/" not in hit]
        for way in urls.keys() & WORDLESS:
            arena.canary.hits.clear()
            outcomes |= render_all(engine, {way: urls[way]}, **SETTLE)
            heard[way] = list(arena.canary.hits)
        return cls(outcomes, heard)


@pytest.fixture(scope="module")
def guarded(arena: Arena) -> Iterator[RenderEngine]:
    with arena.engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def lenient(arena: Arena) -> Iterator[RenderEngine]:
    with arena.engine(arena.policy(f"127.0.0.1:{arena.canary.port}")) as engine:
        yield engine


@pytest.fixture(scope="module")
def attacked(arena: Arena, guarded: RenderEngine) -> Attacked:
    """Every way, each on every name of the canaries."""
    return Attacked.run(arena, guarded, {way: f"/attack?way={way}" for way in WAYS})


@pytest.fixture(scope="module")
def let_through(arena: Arena, lenient: RenderEngine) -> Attacked:
    """The same, on the one canary that this guard allows."""
    return Attacked.run(arena, lenient, {way: f"/attack?way={way}&host=127.0.0.1" for way in WAYS})


@pytest.mark.parametrize("way", WAYS)
def test_no_way_reaches_a_canary(attacked: Attacked, way: str) -> None:
    # Given / When a page that asks in one way for every name of the canaries
    shot = attacked.outcomes[way]
    # Then the page is pictured, and no canary heard of it
    assert isinstance(shot, RenderResult)
    assert attacked.heard[way] == []
    # And what came as far as the guard was refused for its address
    if way not in SHY | NOT_TAKEN:
        assert sum((shot.facts.blocked or {}).values()) >= (1 if way in SPARING else len(HOSTS) - 4)


def test_no_canary_heard_anything_at_all(attacked: Attacked) -> None:
    assert [hit for hits in attacked.heard.values() for hit in hits] == []


@pytest.mark.parametrize("way", sorted(WAYS.keys() - SHY - NOT_TAKEN))
def test_each_way_is_a_real_one(let_through: Attacked, way: str) -> None:
    """The canary hears it: without the guard's refusal the attack succeeds."""
    assert let_through.heard[way] != []


def _let_it_go(chromium: Chromium, _: str, session_id: str) -> None:
    chromium.connection.request("Runtime.runIfWaitingForDebugger", {}, session_id)


@pytest.fixture(scope="module")
def bare(arena: Arena) -> Attacked:
    """The shy ones in a browser with neither guard nor the flags that hold them."""
    guard = NoGuard(EgressPolicy.of([arena.site, f"127.0.0.1:{arena.canary.port}"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flags, "FLAGS", tuple(flag for flag in flags.FLAGS if not flag.startswith(HOLDING_FLAGS)))
        patch.setattr(flags, "PROXY_BYPASS", "")
        patch.setattr(Chromium, "_refuse_popup", _let_it_go)
        with arena.engine(guard=guard) as engine:
            return Attacked.run(arena, engine, {way: f"/attack?way={way}&host=127.0.0.1" for way in SHY})


@pytest.mark.parametrize("way", sorted(SHY))
def test_each_shy_way_is_a_real_one_without_the_flags_that_hold_it(bare: Attacked, way: str) -> None:
    assert bare.heard[way] != []


@pytest.mark.parametrize("way", sorted(SHY))
def test_a_way_past_any_proxy_is_closed(arena: Arena, guarded: RenderEngine, way: str) -> None:
    arena.canary.hits.clear()
    render(guarded, f"http://{arena.site}/attack?way={way}&host=127.0.0.1", **SETTLE)
    assert arena.canary.hits == []


@pytest.mark.parametrize("host", HOSTS)
def test_a_page_at_a_canary_is_refused(arena: Arena, guarded: RenderEngine, host: str) -> None:
    # Given / When a page whose address is a name for what it must not reach
    arena.canary.hits.clear()
    error = render_error(guarded, f"http://{host}:{arena.canary.port}/")
    # Then the capture is refused for good, and says of which class the address is
    assert (error.code, arena.canary.hits) == ("BLOCKED_ADDRESS", [])
    assert "127.0.0.1" not in error.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", HOSTS)
def test_a_redirect_to_a_canary_is_refused(arena: Arena, guarded: RenderEngine, host: str, status: int) -> None:
    arena.canary.hits.clear()
    target = quote(f"http://{host}:{arena.canary.port}/", safe="")
    error = render_error(guarded, f"http://{arena.site}/redirect?status={status}&to={target}")
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
    assert render_error(guarded, url).code == "BLOCKED_SCHEME"


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
    error = render_error(guarded, f"http://{host}/latest/meta-data/")
    assert (error.code, decision in error.message) == ("BLOCKED_ADDRESS", True)


@pytest.mark.parametrize("port", [22, 25, 3306, 6379, 9001, 9200])
def test_the_lambda_runtime_api_and_other_ports_are_refused(guarded: RenderEngine, port: int) -> None:
    error = render_error(guarded, f"http://127.0.0.1:{port}/2018-06-01/runtime/invocation/next")
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
    monkeypatch.setattr("stillframe_renderer.chromium.flags.PROXY_BYPASS", "")
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
