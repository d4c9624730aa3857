"""The real addresses and ports, the real resolver, and a worker without any exceptions."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError
from stillframe.image.render_result import RenderResult
from stillframe_renderer.browsers.engine import RenderEngine
from tests.security.attacks import VECTORS
from tests.support.canary import Canary
from tests.support.rendering import local_engine, render, render_all, render_error

from .conftest import EDGES, FORBIDDEN
from .names import METADATA, PUBLIC, Names

SETTLE: dict[str, Any] = {"waitUntil": "networkidle", "delayMs": 300, "timeoutMs": 15_000}


def in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.mark.parametrize("address", EDGES)
def test_an_address_just_outside_a_range_is_captured(engine: RenderEngine, address: str) -> None:
    assert render(engine, f"http://{in_url(address)}/").facts.title == "here"


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_page_at_a_special_address_is_refused(engine: RenderEngine, canary: Canary, address: str) -> None:
    canary.hits.clear()
    assert render_error(engine, f"http://{in_url(address)}/latest/meta-data/").code == "BLOCKED_ADDRESS"
    assert canary.hits == []


@pytest.fixture(scope="module")
def attacked(engine: RenderEngine, canary: Canary) -> tuple[dict[str, RenderResult | CaptureError], list[str]]:
    """The results of every vector on every special address, from a page at a public address."""
    canary.hits.clear()
    outcomes = render_all(engine, {vector: f"http://public.test/?way={vector}" for vector in VECTORS}, **SETTLE)
    return outcomes, list(canary.hits)


@pytest.mark.parametrize("vector", VECTORS)
def test_no_vector_leads_from_a_public_page_to_a_special_address(
    attacked: tuple[dict[str, RenderResult | CaptureError], list[str]], vector: str
) -> None:
    outcomes, hits = attacked
    result = outcomes[vector]
    assert isinstance(result, RenderResult)
    assert (result.facts.title, hits) == (vector, [])


@pytest.mark.parametrize("path", ["/2018-06-01/runtime/invocation/next", "/2020-01-01/extension/register", "/"])
@pytest.mark.parametrize("host", ["127.0.0.1:9001", "api.test:9001", "localhost:9001", "[::1]:9001"])
def test_the_lambda_runtime_api_is_out_of_reach(engine: RenderEngine, canary: Canary, host: str, path: str) -> None:
    canary.hits.clear()
    assert render_error(engine, f"http://{host}{path}").code == "BLOCKED_ADDRESS"
    assert canary.hits == []


@pytest.mark.parametrize(
    "name",
    ["inward.test", "mixed.test", "mixed-first.test", "mixed-six.test", "six.test", "mapped.test", "translated.test"],
)
def test_a_name_of_a_private_address_is_refused(engine: RenderEngine, canary: Canary, names: Names, name: str) -> None:
    # Given a name that the system's resolver resolves to an address that no page may reach
    names.queries.clear()
    canary.hits.clear()
    # When a page at that name is captured
    error = render_error(engine, f"http://{name}/")
    # Then it is refused after the lookup, and there is no connection
    assert (error.code, canary.hits) == ("BLOCKED_ADDRESS", [])
    assert any(each.startswith(name) for each in names.queries)


def test_a_name_that_is_rebound_during_a_capture_keeps_its_address(
    engine: RenderEngine, canary: Canary, names: Names
) -> None:
    # Given a name that resolves to a public address once, and to the metadata service from then on
    names.queries.clear()
    canary.hits.clear()
    # When its page requests its own host again and again
    result = render(engine, "http://rebind.test/?way=fetch", **SETTLE)
    # Then the capture looks its address up once, and no canary is hit
    assert (result.facts.title, canary.hits) == ("fetch", [])
    assert names.queries.count("rebind.test A") == 1
    # And the next capture checks the new address
    assert render_error(engine, "http://rebind.test/").code == "BLOCKED_ADDRESS"
    assert canary.hits == []


def test_a_name_that_does_not_exist_is_a_permanent_error(engine: RenderEngine) -> None:
    assert render_error(engine, "http://nx.test/").code == "UNKNOWN_HOST"


def test_the_answer_of_a_slow_name_server_is_awaited(engine: RenderEngine) -> None:
    assert render(engine, "http://slow.test/").facts.title == "here"


def test_a_silent_name_server_is_a_transient_error(engine: RenderEngine) -> None:
    assert render_error(engine, "http://silent.test/").code == "DNS_ERROR"


def test_the_canaries_work(chromium: str, canary: Canary, public_site: None, names: Names) -> None:
    """Every canary is hit if the policy allows all addresses."""
    everything = EgressPolicy.of((), ["0.0.0.0/0", "::/0"])
    with local_engine(chromium, policy=everything) as open_engine:
        for address in FORBIDDEN:
            canary.hits.clear()
            render(open_engine, f"http://{in_url(address)}/")
            assert canary.hits != [], address
    assert (PUBLIC in EDGES, METADATA in FORBIDDEN) == (True, True)
