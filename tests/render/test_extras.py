"""What is made and stored beside the image: thumbnail, page source, text, archives, perceptual hash."""

from __future__ import annotations

import email
import io
import json
from typing import Any

import pytest
from PIL import Image

from stillframe.image.perceptual_hash import HASH_BITS
from stillframe.image.render_result import RenderResult
from tests.support.pixels import BLUE, GREEN, RED, Pixels

from .conftest import Studio

# Red above, blue below: 2400 px tall, of which the viewport shows 800.
HALVES = "<div style='height:400px;background:#f00'></div><div style='height:2000px;background:#00f'></div>"


def extra(result: RenderResult, file: str) -> bytes:
    (data,) = [each.data for each in result.extras if each.file == file]
    return data


@pytest.mark.parametrize(
    ("thumbnail", "file", "size", "encoding"),
    [
        ({}, "thumbnail.webp", (320, 200), "WEBP"),
        ({"width": 640, "format": "jpeg"}, "thumbnail.jpg", (640, 400), "JPEG"),
        ({"width": 100, "height": 25, "format": "png"}, "thumbnail.png", (100, 25), "PNG"),
        # Taller in shape than the image: the thumbnail is filled, and the rest of the width is cut off.
        ({"width": 100, "height": 100, "format": "png"}, "thumbnail.png", (100, 100), "PNG"),
    ],
)
def test_a_thumbnail_is_a_second_image(
    studio: Studio, thumbnail: dict[str, Any], file: str, size: tuple[int, int], encoding: str
) -> None:
    result = studio.render(HALVES, thumbnail=thumbnail)
    small = Pixels(extra(result, file))
    assert (small.encoding, small.size) == (encoding, size)
    assert (result.width, result.height) == (1280, 800)
    assert Pixels(result.data).at(5, 5) == RED


def test_a_thumbnail_of_a_full_page_shows_all_of_it_or_its_top(studio: Studio) -> None:
    whole = Pixels(extra(studio.render(HALVES, fullPage=True, thumbnail={"format": "png"}), "thumbnail.png"))
    assert (whole.size, whole.at(5, 5), whole.at(5, -5)) == ((320, 600), RED, BLUE)
    top = {"width": 320, "height": 90, "format": "png"}
    assert Pixels(extra(studio.render(HALVES, fullPage=True, thumbnail=top), "thumbnail.png")).is_all(RED)


def test_a_thumbnail_keeps_transparency(studio: Studio) -> None:
    options: dict[str, Any] = {"omitBackground": True, "thumbnail": {"format": "png"}}
    small = extra(studio.render("<body style='background:none'>", **options), "thumbnail.png")
    assert Image.open(io.BytesIO(small)).getpixel((5, 5)) == (0, 0, 0, 0)


def test_the_source_is_that_of_the_page_as_rendered(studio: Studio) -> None:
    page = """<p id=a title="></p>">before</p><div id=host></div><script>
      a.textContent = 'after ü'; host.attachShadow({ mode: 'open' }).innerHTML = '<b>in the shadow</b>';
    </script>"""
    source = extra(studio.render(page, save=["html"]), "page.html").decode()
    assert source.startswith("<!DOCTYPE html>\n<html>")
    assert source.endswith("</html>")
    assert ">after ü<" in source
    assert '<template shadowrootmode="open"><b>in the shadow</b></template>' in source
    # And the source can be rendered again
    assert "after ü" in extra(studio.render(source, save=["text"]), "page.txt").decode()


def test_the_text_is_what_is_visible(studio: Studio) -> None:
    page = "<h1>Title</h1><p style='display:none'>hidden</p><p>Zeile 読む</p><script>var secret</script>"
    assert extra(studio.render(page, save=["text"]), "page.txt").decode().split() == ["Title", "Zeile", "読む"]


def test_an_archive_contains_the_page_and_its_resources(studio: Studio) -> None:
    page = "<title>kept</title><img src='/image?colour=00aa00'>"
    archive = email.message_from_bytes(extra(studio.render(page, save=["mhtml"]), "page.mhtml"))
    types = [part.get_content_type() for part in archive.walk()]
    assert (types[0], "text/html" in types, "image/svg+xml" in types) == ("multipart/related", True, True)


def test_the_har_contains_the_traffic_without_secrets(studio: Studio) -> None:
    page = """<img src='/image?colour=00aa00&q=1'><script>
      fetch('/redirect?to=/other');
      fetch('/page', { headers: { Authorization: 'Bearer s3' + 'cret-token', 'X-Key': 's3' + 'cret-key' } });
    </script>"""
    result = studio.visit(
        "/p?body=" + page.replace("&", "%26").replace("+", "%2B").replace("#", "%23"),
        save=["har"],
        headers={"X-Key": "s3cret-key"},
        cookies=[{"name": "session", "value": "s3cret-cookie"}],
        basicAuth={"username": "me", "password": "s3cret-word"},
    )
    text = extra(result, "page.har").decode()
    log = json.loads(text)["log"]
    # Then it has every request with its response
    entries = {entry["request"]["url"].partition(studio.site)[2].partition("?")[0]: entry for entry in log["entries"]}
    assert {"/p", "/image", "/redirect", "/other"} <= entries.keys()
    image = entries["/image"]
    assert (image["response"]["status"], image["response"]["content"]["mimeType"]) == (200, "image/svg+xml")
    assert {"name": "q", "value": "1"} in image["request"]["queryString"]
    assert entries["/redirect"]["response"]["redirectURL"] == "/other"
    assert all(entry["time"] >= 0 and min(entry["timings"].values()) >= 0 for entry in log["entries"])
    assert (log["version"], log["pages"][0]["title"]) == ("1.2", "/p")
    # And no secret that only the page's own host may know
    assert "s3cret" not in text
    assert "[redacted]" in text


def test_perceptual_hashes_of_similar_pages_are_close(studio: Studio) -> None:
    def hashed(html: str, **options: Any) -> int:
        text = studio.render(html, perceptualHash=True, **options).facts.perceptual_hash
        assert text is not None
        assert len(text) * 4 == HASH_BITS
        return int(text, 16)

    page = "<div style='height:300px;width:40%;background:#234'></div><h1 style='font-size:200px'>Words</h1>"
    same, other = hashed(page, format="jpeg", quality=40), hashed("<h1 style='font-size:400px;float:right'>More</h1>")
    assert (hashed(page) ^ same).bit_count() <= 4
    assert (hashed(page) ^ other).bit_count() > 12
    assert studio.render(page).facts.perceptual_hash is None


def test_without_options_there_are_no_extras(studio: Studio) -> None:
    assert studio.render(HALVES).extras == ()


def test_an_extra_that_is_too_large_is_left_out(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillframe_renderer.page.extras.MAX_BYTES", 2000)
    page = "<body style='background:#00aa00'><p>" + "word " * 900
    result = studio.render(page, save=["html", "text", "har"])
    assert [each.file for each in result.extras] == ["page.har"]
    assert set(result.facts.left_out or {}) == {"html", "text"}
    assert Pixels(result.data).at(-5, -5) == GREEN


def test_a_page_that_is_too_busy_for_extras_keeps_its_image(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillframe_renderer.page.extras.MAX_SECONDS", 0.3)
    monkeypatch.setattr("stillframe_renderer.page.extras.TEXT", "(() => { for (;;); })()")
    result = studio.render("<body style='background:#00aa00'>", save=["text"])
    assert (result.extras, result.facts.left_out) == ((), {"text": "the page did not answer in time"})
    assert Pixels(result.data).is_all(GREEN)


@pytest.mark.parametrize("extras", [{"thumbnail": {}}, {"perceptualHash": True}], ids=["thumbnail", "perceptualHash"])
def test_extras_made_from_an_image_conflict_with_a_pdf(studio: Studio, extras: dict[str, Any]) -> None:
    error = studio.render_error("x", format="pdf", **extras)
    assert (error.code, f"{next(iter(extras))} and format conflict" in error.message) == ("INVALID_REQUEST", True)


def test_a_pdf_can_have_extras_made_from_its_page(studio: Studio) -> None:
    result = studio.render("<p>text", format="pdf", save=["text"])
    assert extra(result, "page.txt") == b"text"
