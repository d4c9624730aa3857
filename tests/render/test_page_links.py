"""The links of a page that `save: ["links"]` stores."""

from __future__ import annotations

import pytest

from stillframe.image.page_link import PageLink, from_json
from stillframe.image.redaction import redacted
from stillframe.request.capture_request import MAX_URL_CHARS
from stillframe_renderer.page.page_links import MAX_LINKS

from .conftest import Studio

BASE = "<base href='https://example.com/a/b'>"


def links_of(studio: Studio, html: str) -> list[PageLink]:
    result = studio.render(html, save=["links"])
    (data,) = [each.data for each in result.extras if each.file == "page.links.json"]
    return from_json(data)


def urls_of(studio: Studio, html: str) -> list[str]:
    return [link.url for link in links_of(studio, html)]


@pytest.mark.parametrize(
    ("html", "urls"),
    [
        ("<a href=c>c</a><a href='../d?x=1#part'>d</a>", ["https://example.com/a/c", "https://example.com/d?x=1"]),
        ("<a href='#top'>top</a>", ["https://example.com/a/b"]),
        (
            "<a href=/1>1</a><a href=/2>2</a><a href='/1#again'>1</a>",
            ["https://example.com/1", "https://example.com/2"],
        ),
        ("<map name=m><area href=/area></map>", ["https://example.com/area"]),
        ("<svg><a href=/svg><text y=20>x</text></a></svg>", ["https://example.com/svg"]),
        ("<svg><a xlink:href=/old><text y=20>x</text></a></svg>", ["https://example.com/old"]),
        ("<a href='HTTPS://EXAMPLE.com:443/%7Ea/./b/../c'>x</a>", ["https://example.com/%7Ea/c"]),
        ("<a href='https://bücher.example/'>x</a>", ["https://xn--bcher-kva.example/"]),
        ("<a href=' /sp\tace\n'>x</a>", ["https://example.com/space"]),
        ("<a href=http://example.com:8080/port>x</a>", ["http://example.com:8080/port"]),
        ("<a name=no>x</a><a href='javascript:alert(1)'>x</a><a href='data:text/html,x'>x</a>", []),
        ("<a href='file:///etc/passwd'>x</a><a href='mailto:a@example.com'>x</a><a href='http://['>x</a>", []),
        ("<a href='https://ada:secret@example.com/'>x</a><a href='https://ada@example.com/'>x</a>", []),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_links_are_absolute_and_without_fragments(studio: Studio, html: str, urls: list[str]) -> None:
    assert urls_of(studio, BASE + html) == urls


def test_links_that_scripts_make_are_there_and_those_in_shadow_roots(studio: Studio) -> None:
    script = "host.attachShadow({mode: 'open'}).innerHTML = '<a href=/shadow>x</a>'"
    page = f"{BASE}<a href=/plain>x</a><div id=host></div><script>{script}</script>"
    assert urls_of(studio, page) == ["https://example.com/plain", "https://example.com/shadow"]


def test_the_links_of_a_frame_are_those_of_another_page(studio: Studio) -> None:
    assert urls_of(studio, f'{BASE}<iframe srcdoc="<a href=https://example.com/inner>x</a>"></iframe>') == []


@pytest.mark.parametrize(
    ("html", "is_nofollow"),
    [
        ("<a href=/>x</a>", False),
        ("<a href=/ rel='noopener NoFollow'>x</a>", True),
        ("<a href=/ rel=ugc>x</a>", False),
        # One link that may be followed is enough.
        ("<a href=/ rel=nofollow>x</a><a href=/>x</a>", False),
        ("<meta name=ROBOTS content='noindex, NOFOLLOW'><a href=/>x</a>", True),
        ("<meta name=robots content=none><a href=/>x</a>", True),
        ("<meta name=stillframe content=nofollow><a href=/>x</a>", True),
        ("<meta name=googlebot content=nofollow><a href=/>x</a>", False),
    ],
)
def test_a_page_says_which_links_are_not_to_be_followed(studio: Studio, html: str, is_nofollow: bool) -> None:
    assert links_of(studio, BASE + html) == [PageLink("https://example.com/", is_nofollow)]


def test_a_page_of_endless_links_keeps_the_first(studio: Studio) -> None:
    script = "document.body.innerHTML = Array.from({length: 100000}, (_, n) => `<a href=/${n}></a>`).join('')"
    urls = urls_of(studio, f"{BASE}<body><script>{script}</script>")
    assert (len(urls), urls[0]) == (MAX_LINKS, "https://example.com/0")


def test_a_url_that_could_not_be_captured_is_left_out(studio: Studio) -> None:
    room = MAX_URL_CHARS - len("https://example.com/")
    page = f"{BASE}<a href=/{'a' * room}>fits</a><a href=/{'b' * (room + 1)}>too long</a><a href=/{'%20' * 9999}></a>"
    assert [url[20:23] for url in urls_of(studio, page)] == ["aaa"]


def test_a_page_cannot_pretend_to_have_other_links(studio: Studio) -> None:
    # Given a page that replaces what scripts in it read links with
    hostile = (
        "URL = function () { throw 1 }; Map = null; Element.prototype.getAttribute = () => 'https://evil.example/'"
    )
    # When / Then its links are its own all the same
    assert urls_of(studio, f"{BASE}<script>{hostile}</script><a href=/own>x</a>") == ["https://example.com/own"]


def test_names_in_a_page_do_not_hide_its_links(studio: Studio) -> None:
    # Given elements whose names are those of what links are read with (HTML, 3.1.7, "DOM tree accessors")
    names = "".join(f"<img name={name}>" for name in ("querySelectorAll", "baseURI", "documentElement", "body"))
    assert urls_of(studio, f"{BASE}{names}<a href=/own>x</a>") == ["https://example.com/own"]


def test_no_secret_is_in_a_link(studio: Studio) -> None:
    page = f"{BASE}<a href='/?token=my-secret-token'>x</a>"
    result = redacted(studio.render(page, save=["links"]), ["my-secret-token"])
    assert b"my-secret-token" not in result.extras[0].data
