"""What is made and stored beside the picture: thumbnail, page source, text, archives, perceptual hash."""

from __future__ import annotations

import email
import io
import json
from typing import Any

import pytest
from PIL import Image

from stillframe.image.difference import HASH_BITS
from stillframe.image.render_result import RenderResult
from tests.support.pixels import BLUE, GREEN, RED, Pixels

from .conftest import Studio

# Red above, blue below: 1280 x 800 in the viewport, 2400 px tall in all.
HALVES = "<div style='height:400px;background:#f00'></div><div style='height:2000px;background:#00f'></div>"


def extra(shot: RenderResult, file: str) -> bytes:
    (data,) = [each.data for each in shot.extras if each.file == file]
    return data


@pytest.mark.parametrize(
    ("thumbnail", "file", "size", "encoding"),
    [
        ({}, "thumbnail.webp", (320, 200), "WEBP"),
        ({"width": 640, "format": "jpeg"}, "thumbnail.jpg", (640, 400), "JPEG"),
        ({"width": 100, "height": 25, "format": "png"}, "thumbnail.png", (100, 25), "PNG"),
        # Taller than the picture has: it is filled with what there is.
        ({"width": 100, "height": 100, "format": "png"}, "thumbnail.png", (100, 100), "PNG"),
    ],
)
def test_a_thumbnail_is_a_second_picture(
    studio: Studio, thumbnail: dict[str, Any], file: str, size: tuple[int, int], encoding: str
) -> None:
    shot = studio.shot(HALVES, thumbnail=thumbnail)
    small = Pixels(extra(shot, file))
    assert (small.encoding, small.size) == (encoding, size)
    assert (shot.width, shot.height) == (1280, 800)
    assert Pixels(shot.data).at(5, 5) == RED


def test_a_thumbnail_of_a_full_page_is_all_of_it_or_its_top(studio: Studio) -> None:
    whole = Pixels(extra(studio.shot(HALVES, fullPage=True, thumbnail={"format": "png"}), "thumbnail.png"))
    assert (whole.size, whole.at(5, 5), whole.at(5, -5)) == ((320, 600), RED, BLUE)
    top = {"width": 320, "height": 90, "format": "png"}
    assert Pixels(extra(studio.shot(HALVES, fullPage=True, thumbnail=top), "thumbnail.png")).is_all(RED)


def test_a_thumbnail_keeps_what_is_transparent(studio: Studio) -> None:
    options: dict[str, Any] = {"omitBackground": True, "thumbnail": {"format": "png"}}
    small = extra(studio.shot("<body style='background:none'>", **options), "thumbnail.png")
    assert Image.open(io.BytesIO(small)).getpixel((5, 5)) == (0, 0, 0, 0)


def test_the_source_is_that_of_the_page_as_it_is_pictured(studio: Studio) -> None:
    page = """<p id=a title="></p>">before</p><div id=host></div><script>
      a.textContent = 'after ü'; host.attachShadow({ mode: 'open' }).innerHTML = '<b>in the shadow</b>';
    </script>"""
    source = extra(studio.shot(page, save=["html"]), "page.html").decode()
    assert source.startswith("<!DOCTYPE html>\n<html>")
    assert source.endswith("</html>")
    assert ">after ü<" in source
    assert '<template shadowrootmode="open"><b>in the shadow</b></template>' in source
    # And it can be pictured again
    assert "after ü" in extra(studio.shot(source, save=["text"]), "page.txt").decode()


def test_the_text_is_what_can_be_read(studio: Studio) -> None:
    page = "<h1>Title</h1><p style='display:none'>hidden</p><p>Zeile 読む</p><script>var secret</script>"
    assert extra(studio.shot(page, save=["text"]), "page.txt").decode().split() == ["Title", "Zeile", "読む"]


def test_an_archive_holds_the_page_and_what_it_is_made_of(studio: Studio) -> None:
    page = "<title>kept</title><img src='/image?colour=00aa00'>"
    archive = email.message_from_bytes(extra(studio.shot(page, save=["mhtml"]), "page.mhtml"))
    types = [part.get_content_type() for part in archive.walk()]
    assert (types[0], "text/html" in types, "image/svg+xml" in types) == ("multipart/related", True, True)


def test_the_traffic_is_told_without_secrets(studio: Studio) -> None:
    page = """<img src='/image?colour=00aa00&q=1'><script>
      fetch('/redirect?to=/other');
      fetch('/page', { headers: { Authorization: 'Bearer s3' + 'cret-token', 'X-Key': 's3' + 'cret-key' } });
    </script>"""
    shot = studio.visit(
        "/p?body=" + page.replace("&", "%26").replace("+", "%2B").replace("#", "%23"),
        save=["har"],
        headers={"X-Key": "s3cret-key"},
        cookies=[{"name": "session", "value": "s3cret-cookie"}],
        basicAuth={"username": "me", "password": "s3cret-word"},
    )
    text = extra(shot, "page.har").decode()
    log = json.loads(text)["log"]
    # Then every request is there, with its answer
    entries = {entry["request"]["url"].partition(studio.site)[2].partition("?")[0]: entry for entry in log["entries"]}
    assert {"/p", "/image", "/redirect", "/other"} <= entries.keys()
    image = entries["/image"]
    assert (image["response"]["status"], image["response"]["content"]["mimeType"]) == (200, "image/svg+xml")
    assert {"name": "q", "value": "1"} in image["request"]["queryString"]
    assert entries["/redirect"]["response"]["redirectURL"] == "/other"
    assert all(entry["time"] >= 0 and min(entry["timings"].values()) >= 0 for entry in log["entries"])
    assert (log["version"], log["pages"][0]["title"]) == ("1.2", "/p")
    # And nothing of what only the page's own host shall know
    assert "s3cret" not in text
    assert "[redacted]" in text


def test_a_perceptual_hash_tells_what_looks_alike(studio: Studio) -> None:
    def hashed(html: str, **options: Any) -> int:
        text = studio.shot(html, perceptualHash=True, **options).facts.perceptual_hash
        assert text is not None
        assert len(text) * 4 == HASH_BITS
        return int(text, 16)

    page = "<div style='height:300px;width:40%;background:#234'></div><h1 style='font-size:200px'>Words</h1>"
    same, other = hashed(page, format="jpeg", quality=40), hashed("<h1 style='font-size:400px;float:right'>More</h1>")
    assert (hashed(page) ^ same).bit_count() <= 4
    assert (hashed(page) ^ other).bit_count() > 12
    assert studio.shot(page).facts.perceptual_hash is None


def test_nothing_is_made_that_was_not_asked_for(studio: Studio) -> None:
    assert studio.shot(HALVES).extras == ()


def test_what_is_too_large_is_left_out_and_the_picture_kept(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillframe_renderer.page.extras.MAX_BYTES", 2000)
    page = "<body style='background:#00aa00'><p>" + "word " * 900
    shot = studio.shot(page, save=["html", "text", "har"])
    assert [each.file for each in shot.extras] == ["page.har"]
    assert set(shot.facts.left_out or {}) == {"html", "text"}
    assert Pixels(shot.data).at(-5, -5) == GREEN


def test_a_page_that_is_too_busy_keeps_its_picture(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillframe_renderer.page.extras.MAX_SECONDS", 0.3)
    monkeypatch.setattr("stillframe_renderer.page.extras.TEXT", "(() => { for (;;); })()")
    shot = studio.shot("<body style='background:#00aa00'>", save=["text"])
    assert (shot.extras, shot.facts.left_out) == ((), {"text": "the page did not answer in time"})
    assert Pixels(shot.data).is_all(GREEN)


@pytest.mark.parametrize("extras", [{"thumbnail": {}}, {"perceptualHash": True}], ids=["thumbnail", "perceptualHash"])
def test_what_is_made_of_an_image_is_not_made_of_a_pdf(studio: Studio, extras: dict[str, Any]) -> None:
    error = studio.refused("x", format="pdf", **extras)
    assert (error.code, f"{next(iter(extras))} and format conflict" in error.message) == ("INVALID_REQUEST", True)


def test_a_pdf_can_have_its_page_stored(studio: Studio) -> None:
    shot = studio.shot("<p>text", format="pdf", save=["text"])
    assert extra(shot, "page.txt") == b"text"
