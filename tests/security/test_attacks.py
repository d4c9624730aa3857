"""Every vector by which a page makes requests, on every name of a forbidden address: no canary is hit."""

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

from .attacks import BLOCKED_BY_FLAGS, FEWER_REQUESTS, HOSTS, UNSUPPORTED, VECTORS, WITHOUT_PATH
from .conftest import Arena

BLOCKING_FLAGS = ("--block-new-web-contents", "--disable-quic", "--force-webrtc-ip-handling-policy", "--proxy-")
# After network idle, the delay leaves time for requests that a page starts late.
SETTLE: dict[str, Any] = {"waitUntil": "networkidle", "delayMs": 500, "timeoutMs": 15_000}


@dataclass(frozen=True)
class Attacked:
    """The results of the attacking pages by vector, and the hits of each on the canaries."""

    outcomes: dict[str, RenderResult | CaptureError]
    hits: dict[str, list[str]]

    @classmethod
    def run(cls, arena: Arena, engine: RenderEngine, paths: dict[str, str]) -> Attacked:
        """Render the pages: several at once if their hits can be told apart by path, else one at a time."""
        urls = {vector: f"http://{arena.site}{path}" for vector, path in paths.items()}
        arena.canary.hits.clear()
        outcomes = render_all(
            engine, {vector: url for vector, url in urls.items() if vector not in WITHOUT_PATH}, **SETTLE
        )
        hits = {vector: [hit for hit in arena.canary.hits if f" /{vector}/" in hit] for vector in outcomes}
        hits["unknown"] = [hit for hit in arena.canary.hits if "HTTP/" not in hit]
        for vector in urls.keys() & WITHOUT_PATH:
            arena.canary.hits.clear()
            outcomes |= render_all(engine, {vector: urls[vector]}, **SETTLE)
            hits[vector] = list(arena.canary.hits)
        return cls(outcomes, hits)


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
    """The results of every vector on every name of the canaries."""
    return Attacked.run(arena, guarded, {vector: f"/attack?way={vector}" for vector in VECTORS})


@pytest.fixture(scope="module")
def let_through(arena: Arena, lenient: RenderEngine) -> Attacked:
    """The results of every vector on the one canary that this guard allows."""
    return Attacked.run(arena, lenient, {vector: f"/attack?way={vector}&host=127.0.0.1" for vector in VECTORS})


@pytest.mark.parametrize("vector", VECTORS)
def test_no_vector_reaches_a_canary(attacked: Attacked, vector: str) -> None:
    # Given / When a page that requests every name of the canaries by one vector
    result = attacked.outcomes[vector]
    # Then the page is captured, and no canary is hit
    assert isinstance(result, RenderResult)
    assert attacked.hits[vector] == []
    # And every request that reached the guard was refused for its address
    if vector not in BLOCKED_BY_FLAGS | UNSUPPORTED:
        assert sum((result.facts.blocked or {}).values()) >= (1 if vector in FEWER_REQUESTS else len(HOSTS) - 4)


def test_no_canary_was_hit_at_all(attacked: Attacked) -> None:
    assert [hit for hits in attacked.hits.values() for hit in hits] == []


@pytest.mark.parametrize("vector", sorted(VECTORS.keys() - BLOCKED_BY_FLAGS - UNSUPPORTED))
def test_each_vector_works_without_the_guard(let_through: Attacked, vector: str) -> None:
    """A canary is hit: if the guard does not refuse it, the attack succeeds."""
    assert let_through.hits[vector] != []


def _let_popup_run(chromium: Chromium, _: str, session_id: str) -> None:
    chromium.connection.request("Runtime.runIfWaitingForDebugger", {}, session_id)


@pytest.fixture(scope="module")
def bare(arena: Arena) -> Attacked:
    """The vectors that flags block, in a browser without the guard and without these flags."""
    guard = NoGuard(EgressPolicy.of([arena.site, f"127.0.0.1:{arena.canary.port}"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flags, "FLAGS", tuple(flag for flag in flags.FLAGS if not flag.startswith(BLOCKING_FLAGS)))
        patch.setattr(flags, "PROXY_BYPASS", "")
        patch.setattr(Chromium, "_refuse_popup", _let_popup_run)
        with arena.engine(guard=guard) as engine:
            return Attacked.run(
                arena, engine, {vector: f"/attack?way={vector}&host=127.0.0.1" for vector in BLOCKED_BY_FLAGS}
            )


@pytest.mark.parametrize("vector", sorted(BLOCKED_BY_FLAGS))
def test_each_vector_that_flags_block_works_without_them(bare: Attacked, vector: str) -> None:
    assert bare.hits[vector] != []


@pytest.mark.parametrize("vector", sorted(BLOCKED_BY_FLAGS))
def test_a_vector_that_bypasses_proxies_is_blocked(arena: Arena, guarded: RenderEngine, vector: str) -> None:
    arena.canary.hits.clear()
    render(guarded, f"http://{arena.site}/attack?way={vector}&host=127.0.0.1", **SETTLE)
    assert arena.canary.hits == []


@pytest.mark.parametrize("host", HOSTS)
def test_a_page_at_a_canary_is_refused(arena: Arena, guarded: RenderEngine, host: str) -> None:
    # Given / When a page at a name of a canary
    arena.canary.hits.clear()
    error = render_error(guarded, f"http://{host}:{arena.canary.port}/")
    # Then the capture is refused permanently, without the address in its message
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
def test_a_page_cannot_navigate_to_a_canary(arena: Arena, guarded: RenderEngine, host: str, body: str) -> None:
    # Given a page that navigates to a canary
    arena.canary.hits.clear()
    page = quote(body.replace("URL", f"http://{host}:{arena.canary.port}/"), safe="")
    # When it is captured, then it fails or is captured where it was
    with contextlib.suppress(BlockedAddress, ConnectionFailed, CaptureTimeout):
        render(guarded, f"http://{arena.site}/page?body={page}", **SETTLE)
    # And no canary is hit
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
def test_a_scheme_other_than_http_or_https_is_refused(guarded: RenderEngine, url: str) -> None:
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


def test_a_refused_host_is_logged_once(arena: Arena, caplog: pytest.LogCaptureFixture) -> None:
    # Given / When a page that requests two refused hosts, one of them several times
    images = f'<img src="http://10.0.0.1:{arena.canary.port}/a?1"><img src="http://10.0.0.1:{arena.canary.port}/b">'
    body = quote(images + f'<img src="http://[::1]:{arena.canary.port}/">', safe="")
    with caplog.at_level(logging.WARNING), arena.engine() as engine:
        result = render(engine, f"http://{arena.site}/page?body={body}", **SETTLE)
    # Then there is one log line for each host, and the result counts the blocked requests
    lines = [line.__dict__ for line in caplog.records if line.message == "connection refused"]
    assert {(line["decision"], line["host"]) for line in lines} == {
        ("deny.private", "10.0.0.1"),
        ("deny.loopback", "::1"),
    }
    assert len(lines) == 2
    assert result.facts.blocked is not None
    assert result.facts.blocked.keys() == {"deny.private", "deny.loopback"}


def test_without_the_bypass_list_loopback_is_reached(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a browser that does not use its proxy for loopback, as is Chromium's default
    monkeypatch.setattr("stillframe_renderer.chromium.flags.PROXY_BYPASS", "")
    arena.canary.hits.clear()
    with arena.engine() as engine:
        render(engine, f"http://{arena.site}/attack?way=image", **SETTLE)
    # Then canaries are hit, which shows that the flag protects them
    assert arena.canary.hits != []


def test_without_address_classes_canaries_are_reached(arena: Arena) -> None:
    # Given a policy that allows every address
    arena.canary.hits.clear()
    everything = EgressPolicy.of([arena.site], ["0.0.0.0/0", "::/0"], ports=[arena.canary.port])
    with arena.engine(everything) as engine:
        render(engine, f"http://{arena.site}/attack?way=image", **SETTLE)
    # Then canaries are hit
    assert arena.canary.hits != []
