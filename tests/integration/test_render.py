"""The render engine with a real browser: pixels and dimensions, errors, crashes."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from stillframe.errors import BlockedAddress, BlockedScheme, ContentRefused
from stillframe_renderer.browsers.engine import RenderEngine
from tests.support.pixels import BLUE, GREEN, RED, WHITE, Pixels
from tests.support.rendering import local_engine, render, render_error


@pytest.fixture(scope="module")
def engine(chromium: str, site: str) -> Iterator[RenderEngine]:
    with local_engine(chromium, site) as running:
        yield running


def test_the_default_is_a_png_of_the_viewport(engine: RenderEngine, site: str) -> None:
    result = render(engine, f"http://{site}/colour?hex=00aa00")
    pixels = Pixels(result.data)
    assert (pixels.encoding, pixels.size, result.width, result.height) == ("PNG", (1280, 800), 1280, 800)
    assert pixels.is_all(GREEN)
    assert (result.facts.http_status, result.facts.title) == (200, "Color 00aa00")
    assert result.facts.final_url == f"http://{site}/colour?hex=00aa00"


@pytest.mark.parametrize(
    ("viewport", "scale", "size"),
    [((320, 240), 1, (320, 240)), ((320, 240), 2, (640, 480)), ((333, 77), 1.5, (500, 116)), ((16, 16), 0.5, (8, 8))],
)
def test_the_image_has_the_size_of_the_viewport_times_the_scale(
    engine: RenderEngine, site: str, viewport: tuple[int, int], scale: float, size: tuple[int, int]
) -> None:
    width, height = viewport
    result = render(
        engine,
        f"http://{site}/colour?hex=0000ff",
        viewport={"width": width, "height": height},
        deviceScaleFactor=scale,
    )
    assert Pixels(result.data).size == (result.width, result.height)
    assert result.width == pytest.approx(size[0], abs=1)
    assert result.height == pytest.approx(size[1], abs=1)
    assert Pixels(result.data).is_all(BLUE)


@pytest.mark.parametrize(("image_format", "tolerance"), [("png", 0), ("jpeg", 3), ("webp", 3)])
def test_each_format_has_its_own_encoding(engine: RenderEngine, site: str, image_format: str, tolerance: int) -> None:
    result = render(engine, f"http://{site}/colour?hex=00aa00", format=image_format)
    pixels = Pixels(result.data)
    assert pixels.encoding == image_format.upper()
    assert pixels.size == (result.width, result.height) == (1280, 800)
    assert pixels.is_all(GREEN, tolerance)


@pytest.mark.parametrize("image_format", ["jpeg", "webp"])
def test_a_lower_quality_is_a_smaller_image(engine: RenderEngine, site: str, image_format: str) -> None:
    url = f"http://{site}/gradient"
    rough, fine = (len(render(engine, url, format=image_format, quality=quality).data) for quality in (5, 100))
    assert rough < fine


def test_a_full_page_has_its_whole_height(engine: RenderEngine, site: str) -> None:
    result = render(engine, f"http://{site}/tall?bands=3", fullPage=True)
    pixels = Pixels(result.data)
    assert pixels.size == (1280, 3000)
    assert [pixels.at(640, y) for y in (0, 999, 1000, 1999, 2000, -1)] == [RED, RED, BLUE, BLUE, GREEN, GREEN]
    assert result.facts.height_capped is None


def test_a_page_shorter_than_the_viewport_fills_it(engine: RenderEngine, site: str) -> None:
    assert Pixels(render(engine, f"http://{site}/status?code=200", fullPage=True).data).size == (1280, 800)


def test_a_very_tall_page_is_rendered_correctly_to_its_last_pixel(engine: RenderEngine, site: str) -> None:
    # Given a page taller than 16,384 px, from where on screenshots often repeat the top of the page
    result = render(
        engine, f"http://{site}/tall?bands=20", fullPage=True, maxHeight=60_000, viewport={"width": 200, "height": 300}
    )
    pixels = Pixels(result.data)
    assert pixels.size == (200, 20_000)
    assert [pixels.at(100, y) for y in (500, 16_384, 16_500, 18_500, -1)] == [RED, RED, RED, RED, GREEN]


@pytest.mark.parametrize(
    ("options", "size"),
    [({"maxHeight": 2500}, (1280, 2500)), ({"format": "webp", "deviceScaleFactor": 2}, (2560, 16_382))],
)
def test_a_capped_height_is_reported(
    engine: RenderEngine, site: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    result = render(engine, f"http://{site}/tall?bands=9", fullPage=True, **options)
    assert Pixels(result.data).size == size
    assert (result.facts.height_capped, result.facts.page_height) == (True, 9000)


def test_lazy_images_load_and_sections_of_viewport_height_keep_it(engine: RenderEngine, site: str) -> None:
    pixels = Pixels(render(engine, f"http://{site}/lazy", fullPage=True).data)
    assert pixels.size == (1280, 800 + 5000 + 400)
    assert [pixels.at(640, y) for y in (0, 799, 801)] == [RED, RED, WHITE]
    assert pixels.at(640, -1) == BLUE


def test_a_lazy_image_in_view_is_loaded(engine: RenderEngine, site: str) -> None:
    assert Pixels(render(engine, f"http://{site}/lazyview").data).is_all(BLUE)


def test_wait_until_and_delay_decide_when_the_page_is_captured(engine: RenderEngine, site: str) -> None:
    url = f"http://{site}/late?ms=400"
    assert Pixels(render(engine, url, waitUntil="load").data).is_all(RED)
    assert Pixels(render(engine, url, waitUntil="load", delayMs=800).data).is_all(GREEN)
    assert Pixels(render(engine, url).data).is_all(GREEN)
    # networkidle comes half a second after the last request.
    assert Pixels(render(engine, url, waitUntil="networkidle").data).is_all(GREEN)


def test_a_page_that_never_loads_is_captured_at_domcontentloaded(engine: RenderEngine, site: str) -> None:
    url = f"http://{site}/hungimage"
    error = render_error(engine, url, timeoutMs=700, strict=True)
    assert (error.code, "700 ms" in error.message) == ("READY_TIMEOUT", True)
    assert Pixels(render(engine, url, waitUntil="domcontentloaded").data).at(5, 5) == GREEN


def test_a_page_that_never_answers_ends_at_its_timeout(engine: RenderEngine, site: str) -> None:
    started = time.monotonic()
    assert render_error(engine, f"http://{site}/hang", timeoutMs=500).code == "NAVIGATION_TIMEOUT"
    assert time.monotonic() - started < 3


def test_the_jobs_deadline_takes_precedence_over_the_pages_timeout(engine: RenderEngine, site: str) -> None:
    started = time.monotonic()
    error = render_error(engine, f"http://{site}/hang", seconds=1, timeoutMs=30_000)
    assert (error.code, "deadline" in error.message) == ("TIMEOUT", True)
    assert time.monotonic() - started < 4


def test_a_busy_loop_ends_at_the_deadline_and_the_next_page_is_right(engine: RenderEngine, site: str) -> None:
    assert render_error(engine, f"http://{site}/busy", seconds=2, delayMs=100).code in ("TIMEOUT", "BROWSER_CRASHED")
    assert Pixels(render(engine, f"http://{site}/colour?hex=00aa00").data).is_all(GREEN)


@pytest.mark.parametrize("code", [404, 410, 429, 500, 503])
def test_an_error_page_is_captured_with_its_status(engine: RenderEngine, site: str, code: int) -> None:
    assert render(engine, f"http://{site}/status?code={code}").facts.http_status == code


@pytest.mark.parametrize(
    ("code", "error_code"),
    [(400, "STATUS_REFUSED"), (404, "STATUS_REFUSED"), (429, "STATUS_UNAVAILABLE"), (503, "STATUS_UNAVAILABLE")],
)
def test_fail_on_status_refuses_error_pages(engine: RenderEngine, site: str, code: int, error_code: str) -> None:
    assert render_error(engine, f"http://{site}/status?code={code}", failOnStatus=True).code == error_code
    assert render(engine, f"http://{site}/status?code=200", failOnStatus=True).facts.http_status == 200


@pytest.mark.parametrize("code", [204, 205])
def test_a_page_without_a_document_is_refused(engine: RenderEngine, site: str, code: int) -> None:
    assert render_error(engine, f"http://{site}/status?code={code}").code == "CONTENT_REFUSED"


def test_a_download_is_refused(engine: RenderEngine, site: str) -> None:
    assert render_error(engine, f"http://{site}/download").code == "CONTENT_REFUSED"


def test_dialogs_do_not_block_a_page(engine: RenderEngine, site: str) -> None:
    assert Pixels(render(engine, f"http://{site}/dialogs").data).is_all(GREEN)


def test_a_redirect_is_followed_and_the_final_url_recorded(engine: RenderEngine, site: str) -> None:
    result = render(engine, f"http://{site}/redirect?to=/colour?hex=00aa00")
    assert (result.facts.final_url, result.facts.http_status) == (f"http://{site}/colour?hex=00aa00", 200)
    assert Pixels(result.data).is_all(GREEN)


def test_network_failures_have_different_codes(engine: RenderEngine, site: str) -> None:
    assert render_error(engine, "http://stillframe.invalid/").code == "UNKNOWN_HOST"
    assert render_error(engine, f"http://{site}/drop").code == "CONNECTION_RESET"


def test_a_port_without_a_server_is_connection_refused(chromium: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with local_engine(chromium, host) as engine:
        assert render_error(engine, f"http://{host}/").code == "CONNECTION_REFUSED"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("redirect?to=http://169.254.169.254/", "BLOCKED_ADDRESS"),
        ("redirect?to=http://127.0.0.1:1/", "BLOCKED_ADDRESS"),
    ],
)
def test_a_redirect_to_a_blocked_address_is_refused_before_the_request(
    engine: RenderEngine, site: str, path: str, code: str
) -> None:
    assert render_error(engine, f"http://{site}/{path}").code == code


@pytest.mark.parametrize("target", ["file:///etc/passwd", "chrome://version", "http://169.254.169.254/"])
def test_a_script_cannot_navigate_to_a_blocked_url(engine: RenderEngine, site: str, target: str) -> None:
    # Given a page whose script navigates away
    # When it is captured some time after that
    seen = None
    with contextlib.suppress(BlockedScheme, BlockedAddress, ContentRefused):
        seen = render(engine, f"http://{site}/goto?to={target}", delayMs=300).facts.final_url
    # Then the capture is refused, or the page is still where it was
    assert seen is None or seen.startswith(f"http://{site}/goto")


def test_a_frame_cannot_show_a_local_file(engine: RenderEngine, site: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.html"
    secret.write_text('<body style="background:#ff0000">')
    pixels = Pixels(render(engine, f"http://{site}/frame?src=file://{secret}").data)
    assert pixels.at(640, 300) != RED


def test_nothing_is_shared_between_two_captures(engine: RenderEngine, site: str) -> None:
    for _ in range(2):
        assert Pixels(render(engine, f"http://{site}/cookie").data).is_all(GREEN)


def test_concurrent_tabs_do_not_mix_their_pages(engine: RenderEngine, site: str) -> None:
    colors = [f"{red:02x}{green:02x}40" for red in (0, 80, 160, 240) for green in (0, 120, 240)]
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda color: render(engine, f"http://{site}/colour?hex={color}"), colors))
    for color, result in zip(colors, results, strict=True):
        assert Pixels(result.data).is_all(tuple(bytes.fromhex(color)))
