"""Ads and trackers that are not loaded, and consent banners that are answered."""

from __future__ import annotations

import pytest

from tests.support.pixels import GREEN, RED, Pixels
from tests.support.rendering import render

from .conftest import Studio

GREEN_PAGE = "<body style='background:#00aa00'>"
COVER = "position:fixed;inset:0;background:#f00"
# As these libraries build them (their own class names and ids), each with a way to say yes and one to say no.
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
    """A green page that its banner covers in red; the answer is its title."""
    return f"""{GREEN_PAGE}<script>
      const answer = said => {{ document.title = said; document.querySelector('#holder').remove() }};
      const show = () => {{
        document.body.insertAdjacentHTML('beforeend', `<div id=holder>{(BANNERS | FRAMED)[banner] % COVER}</div>`);
      }};
      {when}
    </script>"""


@pytest.mark.parametrize("banner", BANNERS)
def test_a_banner_is_answered_and_gone(studio: Studio, banner: str) -> None:
    page = page_with(banner, "show()")
    assert studio.picture(page).at(600, 700) == RED
    shot = studio.shot(page, blockCookieBanners=True)
    assert (shot.facts.title, shot.facts.cookie_banner) == ("no", banner)
    assert Pixels(shot.data).is_all(GREEN)


@pytest.mark.parametrize("wait_until", ["settled", "load"])
def test_a_banner_that_comes_late_is_answered(studio: Studio, wait_until: str) -> None:
    page = page_with("cookieyes", "addEventListener('load', () => setTimeout(show, 350))")
    shot = studio.shot(page, blockCookieBanners=True, waitUntil=wait_until)
    assert (shot.facts.title, Pixels(shot.data).is_all(GREEN)) == ("no", True)


def test_a_banner_is_answered_on_a_page_with_many_errors(studio: Studio) -> None:
    # Given a page that prints more errors than a record keeps, before its banner shows
    errors = "for (let n = 0; n < 20; n++) console.error('broken', n);"
    page = page_with("cookieyes", errors + "addEventListener('load', () => setTimeout(show, 350))")
    # When it is captured
    result = studio.shot(page, blockCookieBanners=True)
    # Then the banner is seen, waited for and named all the same
    assert (result.facts.title, result.facts.cookie_banner) == ("no", "cookieyes")
    assert len(result.facts.console_errors or []) == 10


def test_a_banner_in_a_frame_is_answered(studio: Studio) -> None:
    # Given one whose library is known to put it into a frame, of another origin
    inner = page_with("piano.io", "show()").replace("document.title = said", "parent.postMessage(said, '*')")
    page = f"""{GREEN_PAGE}<iframe sandbox='allow-scripts' id=f style='border:0;width:500px;height:500px'></iframe>
      <script>f.srcdoc = decodeURIComponent('{_encoded(inner)}'); onmessage = event => document.title = event.data
    </script>"""
    shot = studio.shot(page, blockCookieBanners=True)
    assert (shot.facts.title, Pixels(shot.data).is_all(GREEN)) == ("no", True)


def test_a_page_without_a_banner_is_only_looked_at(studio: Studio) -> None:
    shot = studio.shot(f"{GREEN_PAGE}<title>plain</title>", blockCookieBanners=True)
    assert (shot.facts.title, shot.facts.cookie_banner) == ("plain", None)
    assert shot.render_ms < 3000


def test_a_banner_that_cannot_be_answered_is_pictured(studio: Studio) -> None:
    page = page_with("cookieyes", "show()").replace("answer('no')", "void 0")
    shot = studio.shot(page, blockCookieBanners=True, timeoutMs=8000)
    assert Pixels(shot.data).at(600, 700) == RED


ADS = {
    "by its host": "<script src='https://securepubads.g.doubleclick.net/tag/js/gpt.js'></script>",
    "a tracker": "<img src='https://www.google-analytics.com/collect?v=1'>",
    "by its path": "<script src='https://cdn.stillframe.invalid/ad_top.js'></script>",
}


@pytest.mark.parametrize("ad", ADS.values(), ids=ADS)
def test_ads_and_trackers_are_not_asked_for(studio: Studio, ad: str) -> None:
    # Given a page with an ad, whose host the guard would refuse: it is not even asked
    without = studio.shot(f"{GREEN_PAGE}{ad}")
    assert without.facts.ads_blocked is None
    shot = studio.shot(f"{GREEN_PAGE}{ad}<img src='/image?colour=00aa00'>", blockAds=True)
    assert (shot.facts.ads_blocked, shot.facts.blocked) == (1, None)
    # And what is no ad is there
    assert "/image" in studio.asked
    assert Pixels(shot.data).is_all(GREEN)


@pytest.mark.parametrize("mark", ["class='ad-banner-container'", "id='ad_top'"])
def test_the_places_of_ads_are_closed(studio: Studio, mark: str) -> None:
    # The lists leave pages of this machine alone, so the page has another name; its source is the request's
    page = f"{GREEN_PAGE}<div {mark} style='height:300px;background:#f00'>ad</div>"
    assert Pixels(render(studio.engine, "http://news.example/", html=page).data).at(600, 50) == RED
    assert Pixels(render(studio.engine, "http://news.example/", html=page, blockAds=True).data).is_all(GREEN)


def test_an_exception_of_the_lists_is_one(studio: Studio) -> None:
    # EasyList: @@||google.com/recaptcha/ among others; the page's own document is never an ad
    assert studio.visit("/ads/banner_ad.html", blockAds=True).facts.http_status == 200


def _encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())
