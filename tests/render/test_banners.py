"""Ads and trackers are not loaded, and consent banners are declined."""

from __future__ import annotations

import pytest

from tests.support.pixels import GREEN, RED, Pixels
from tests.support.rendering import render

from .conftest import Studio

GREEN_PAGE = "<body style='background:#00aa00'>"
COVER = "position:fixed;inset:0;background:#f00"
# Banners like those of these libraries (with their class names and ids), each with one way to accept and one to reject.
BANNERS = {
    "cookieyes": """<div class="cky-consent-container" style="%s">
      <button data-cky-tag="reject-button" onclick="answer('no')">Reject</button>
      <button data-cky-tag="accept-button" onclick="answer('yes')">Accept</button></div>""",
    "cookie-script": """<div id="cookiescript_injected" style="%s">
      <div id="cookiescript_reject" onclick="answer('no')">Decline</div>
      <div id="cookiescript_accept" onclick="answer('yes')">Accept</div></div>""",
    "cookieconsent3": """<div id="cc-main" style="%s"><div class="cm-wrapper" style="height:200px">
      <button class="cm__btn" data-role="necessary" onclick="answer('no')">Only necessary</button>
      <button class="cm__btn" data-role="all" onclick="answer('yes')">All</button></div></div>""",
}


FRAMED = {
    "piano.io": """<div id="piano-cookie_banner" style="%s"><b data-close-button onclick="answer('no')">No</b></div>""",
}


def page_with(banner: str, when: str) -> str:
    """A green page, covered by a red banner; the answer to the banner becomes the page's title."""
    return f"""{GREEN_PAGE}<script>
      const answer = said => {{ document.title = said; document.querySelector('#holder').remove() }};
      const show = () => {{
        document.body.insertAdjacentHTML('beforeend', `<div id=holder>{(BANNERS | FRAMED)[banner] % COVER}</div>`);
      }};
      {when}
    </script>"""


@pytest.mark.parametrize("banner", BANNERS)
def test_a_banner_is_declined_and_gone(studio: Studio, banner: str) -> None:
    page = page_with(banner, "show()")
    assert studio.pixels(page).at(600, 700) == RED
    result = studio.render(page, blockCookieBanners=True)
    assert (result.facts.title, result.facts.cookie_banner) == ("no", banner)
    assert Pixels(result.data).is_all(GREEN)


@pytest.mark.parametrize("wait_until", ["settled", "load"])
def test_a_late_banner_is_declined(studio: Studio, wait_until: str) -> None:
    page = page_with("cookieyes", "addEventListener('load', () => setTimeout(show, 350))")
    result = studio.render(page, blockCookieBanners=True, waitUntil=wait_until)
    assert (result.facts.title, Pixels(result.data).is_all(GREEN)) == ("no", True)


def test_a_banner_is_declined_on_a_page_with_many_errors(studio: Studio) -> None:
    # Given a page that logs more errors than a record keeps before it shows its banner
    errors = "for (let n = 0; n < 20; n++) console.error('broken', n);"
    page = page_with("cookieyes", errors + "addEventListener('load', () => setTimeout(show, 350))")
    # When it is captured
    result = studio.render(page, blockCookieBanners=True)
    # Then the banner is declined and named all the same
    assert (result.facts.title, result.facts.cookie_banner) == ("no", "cookieyes")
    assert len(result.facts.console_errors or []) == 10


def test_a_banner_in_a_frame_is_declined(studio: Studio) -> None:
    # Given a banner whose library puts it into a frame of another origin
    inner = page_with("piano.io", "show()").replace("document.title = said", "parent.postMessage(said, '*')")
    page = f"""{GREEN_PAGE}<iframe sandbox='allow-scripts' id=f style='border:0;width:500px;height:500px'></iframe>
      <script>f.srcdoc = decodeURIComponent('{_encoded(inner)}'); onmessage = event => document.title = event.data
    </script>"""
    result = studio.render(page, blockCookieBanners=True)
    assert (result.facts.title, Pixels(result.data).is_all(GREEN)) == ("no", True)


def test_a_page_without_a_banner_is_unchanged(studio: Studio) -> None:
    result = studio.render(f"{GREEN_PAGE}<title>plain</title>", blockCookieBanners=True)
    assert (result.facts.title, result.facts.cookie_banner) == ("plain", None)
    assert result.render_ms < 3000


def test_a_banner_that_cannot_be_declined_stays_in_the_screenshot(studio: Studio) -> None:
    page = page_with("cookieyes", "show()").replace("answer('no')", "void 0")
    result = studio.render(page, blockCookieBanners=True, timeoutMs=8000)
    assert Pixels(result.data).at(600, 700) == RED


ADS = {
    "by its host": "<script src='https://securepubads.g.doubleclick.net/tag/js/gpt.js'></script>",
    "a tracker": "<img src='https://www.google-analytics.com/collect?v=1'>",
    "by its path": "<script src='https://cdn.stillframe.invalid/ad_top.js'></script>",
}


@pytest.mark.parametrize("ad", ADS.values(), ids=ADS)
def test_ads_and_trackers_are_not_requested(studio: Studio, ad: str) -> None:
    # Given a page with an ad whose host the guard would refuse; with blockAds the guard is not even asked
    without = studio.render(f"{GREEN_PAGE}{ad}")
    assert without.facts.ads_blocked is None
    result = studio.render(f"{GREEN_PAGE}{ad}<img src='/image?colour=00aa00'>", blockAds=True)
    assert (result.facts.ads_blocked, result.facts.blocked) == (1, None)
    # And other images are loaded
    assert "/image" in studio.requested
    assert Pixels(result.data).is_all(GREEN)


@pytest.mark.parametrize("mark", ["class='ad-banner-container'", "id='ad_top'"])
def test_the_elements_of_ads_are_hidden(studio: Studio, mark: str) -> None:
    # The lists do not apply to pages on localhost, so that the page has another name and HTML from the request.
    page = f"{GREEN_PAGE}<div {mark} style='height:300px;background:#f00'>ad</div>"
    assert Pixels(render(studio.engine, "http://news.example/", html=page).data).at(600, 50) == RED
    assert Pixels(render(studio.engine, "http://news.example/", html=page, blockAds=True).data).is_all(GREEN)


def test_the_page_itself_is_never_blocked_as_an_ad(studio: Studio) -> None:
    # The lists have exceptions, such as EasyList's @@||google.com/recaptcha/, and a page's own document is never an ad.
    assert studio.visit("/ads/banner_ad.html", blockAds=True).facts.http_status == 200


def _encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())
