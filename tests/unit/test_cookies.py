"""Cookies and headers that no browser sends are refused at once, with the name of the option.

The rules are those of RFC 6265bis. What Chromium refuses or silently drops was tried with `Network.setCookies`.
"""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.errors import InvalidRequest
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options.access import MAX_TOTAL_BYTES, SameSite


def check(url: str = "https://example.com/", **options: Any) -> None:
    CaptureRequest(url=url, options=options).render_options()


def cookie(**changes: Any) -> dict[str, Any]:
    return {"cookies": [{"name": "a", "value": "b", **changes}]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (cookie(value="b;c"), "semicolon"),
        (cookie(value=" b"), "space"),
        (cookie(value="b "), "space"),
        (cookie(name="n" * 200, value="v" * 3897), "longer than 4096"),
        (cookie(path="/a;b"), "path"),
        (cookie(domain="."), "domain"),
        (cookie(name="__Host-a", secure=False), "secure"),
        (cookie(name="__HOST-a", secure=True, path="/a"), "path /"),
        (cookie(name="__Host-a", secure=True, domain="example.com"), "no domain"),
        (cookie(name="__Secure-a", secure=False), "secure"),
        (cookie(name="__Http-a", secure=True), "httpOnly"),
        (cookie(name="__Host-Http-a", secure=True), "httpOnly"),
        (cookie(sameSite="None", secure=False), "secure"),
        ({"cookies": [{"name": f"c{n}", "value": "v" * 4000} for n in range(17)]}, f"{MAX_TOTAL_BYTES:,}"),
    ],
)
def test_a_cookie_that_no_browser_stores_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match="cookies") as refused:
        check(**options)
    assert words in refused.value.message


@pytest.mark.parametrize(
    "options",
    [
        cookie(value="a b"),
        cookie(value='"a,b"'),
        cookie(value=""),
        cookie(value="a=b"),
        cookie(name="n" * 200, value="v" * 3896),
        cookie(path="/" + "a" * 1023),
        cookie(name="__Host-a"),
        cookie(name="__Secure-a", domain="example.com"),
        cookie(name="__Http-a", httpOnly=True),
        cookie(sameSite="None"),
    ],
)
def test_a_cookie_just_inside_the_rules_is_accepted(options: dict[str, Any]) -> None:
    check(**options)


@pytest.mark.parametrize("changes", [{"name": "__Host-a"}, {"name": "__Secure-a"}, {"sameSite": "None"}])
def test_a_cookie_that_needs_https_is_refused_for_http(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"cookies: .* needs secure, and the page is not https"):
        check("http://example.com/", **cookie(**changes))


@pytest.mark.parametrize("text", ["Lax", "lax", "LAX"])
def test_the_case_of_same_site_does_not_matter(text: str) -> None:
    # Given / When two requests that differ in the case of `sameSite` only
    request = CaptureRequest(url="https://example.com/", options=cookie(sameSite=text))
    # Then both are accepted, and are the same request
    assert request.render_options().cookies[0].same_site is SameSite.LAX
    assert request.id == CaptureRequest(url="https://example.com/", options=cookie(sameSite="Lax")).id


@pytest.mark.parametrize(("name", "option"), [("Referer", "referer"), ("COOKIE", "cookies")])
def test_a_header_with_an_option_of_its_own_is_refused_with_its_name(name: str, option: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"headers\.{name} cannot be set; use the option {option}$"):
        check(headers={name: "x"})


@pytest.mark.parametrize("referer", ["example.com", "ftp://example.com/", "https://", "https://a b", ""])
def test_a_referer_that_is_no_url_is_refused(referer: str) -> None:
    with pytest.raises(InvalidRequest, match=r"referer: must be an http or https URL"):
        check(referer=referer)


@pytest.mark.parametrize("name", ["Set-Cookie", "set-cookie2", "Cookie2", "WWW-Authenticate", "HTTP2-Settings", "Via"])
def test_a_header_that_no_client_sends_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"headers.*{name} cannot be set"):
        check(headers={name: "x"})


def test_the_total_size_of_all_headers_is_limited() -> None:
    check(headers={f"X-{n:02}": "a" * 4091 for n in range(16)})
    with pytest.raises(InvalidRequest, match=f"headers and cookies together are longer than {MAX_TOTAL_BYTES:,}"):
        check(headers={f"X-{n:02}": "a" * 4096 for n in range(16)})
