"""The normal form of a page's URL, by the examples of RFC 3986."""

from __future__ import annotations

import pytest

from stillframe_cli.site.page_url import matches, normalize, remove_dot_segments


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        # RFC 3986, 6.2.2.1 to 6.2.2.3, and 6.2.3.
        ("HTTP://www.EXAMPLE.com/", "http://www.example.com/"),
        ("http://example.com/%3a%c3%a9", "http://example.com/%3A%C3%A9"),
        ("http://example.com/%7Esmith/%41", "http://example.com/~smith/A"),
        ("http://example.com/a/./b/../b/%63/%7bfoo%7d", "http://example.com/a/b/c/%7Bfoo%7D"),
        ("http://example.com", "http://example.com/"),
        ("http://example.com:/", "http://example.com/"),
        ("http://example.com:80/", "http://example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        # Of the other scheme it is a port like any other.
        ("https://example.com:80/a", "https://example.com:80/a"),
        # What is encoded because it would mean something else stays so.
        ("http://example.com/a%2Fb?x=%26%3D", "http://example.com/a%2Fb?x=%26%3D"),
        ("http://example.com/a b".replace(" ", "%20"), "http://example.com/a%20b"),
        # Dot segments that are encoded are dot segments (WHATWG URL, "double-dot path segment").
        ("http://example.com/a/%2e%2E/b", "http://example.com/b"),
        ("http://example.com/é?ü=|", "http://example.com/%C3%A9?%C3%BC=%7C"),
        ("http://example.com/100%", "http://example.com/100%25"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://[2001:DB8::1]:8080/a", "https://[2001:db8::1]:8080/a"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://example.com/a#b", "http://example.com/a"),
        ("http://example.com/a?", "http://example.com/a"),
        ("http://example.com/a?b=2&a=1", "http://example.com/a?b=2&a=1"),
        ("http://example.com/a?x=/../y?z", "http://example.com/a?x=/../y?z"),
        ("http://example.com//a//b/", "http://example.com//a//b/"),
    ],
)
def test_equal_pages_have_one_url(url: str, normal: str) -> None:
    assert normalize(url) == normal
    # And what is normal stays as it is
    assert normalize(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.com/", "/a",
        "", "https://", "https:///a", "https://ada:secret@example.com/", "https://@example.com/", "http://a b/",
        "http://example.com/a\nb", "http://example.com/a\x00", "http://example.com/\u202e", "http://example.com:99999/",
        "http://[::1/", "http://1.2.3.4.5/",
    ],
)  # fmt: skip
def test_what_is_no_page_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refusal:
        normalize(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "without"),
    [
        # RFC 3986, 5.2.4 and 5.4.
        ("/a/b/c/./../../g", "/a/g"),
        ("/b/c/.", "/b/c/"),
        ("/b/c/./", "/b/c/"),
        ("/b/c/..", "/b/"),
        ("/b/c/../", "/b/"),
        ("/b/c/../..", "/"),
        ("/b/c/../../../g", "/g"),
        ("/b/c/../../../../g", "/g"),
        ("/./g", "/g"),
        ("/../g", "/g"),
        ("/b/c/g.", "/b/c/g."),
        ("/b/c/..g", "/b/c/..g"),
        ("/b/c/g/./h", "/b/c/g/h"),
        ("/..", "/"),
        ("/.", "/"),
        ("", ""),
    ],
)
def test_dot_segments_are_removed(path: str, without: str) -> None:
    assert remove_dot_segments(path) == without


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?utm_source=a&id=1&utm_medium=b", "?id=1"),
        ("?utm_source=a", ""),
        ("?utm%5Fsource=a&x", "?x"),
        ("?fbclid=1&a=utm_source", "?a=utm_source"),
        ("?id=1&id=2", "?id=1&id=2"),
    ],
)
def test_ignored_parameters_are_removed(query: str, kept: str) -> None:
    assert normalize(f"http://example.com/{query}", ("utm_*", "fbclid")) == f"http://example.com/{kept}"


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("/docs/*", "/docs/a/b", True),
        ("/docs/*", "/docs", False),
        ("*.html", "/a/b.html", True),
        ("*.html", "/a/b.html?x", False),
        ("/search?*", "/search?q=a", True),
        ("/search?*", "/searching", False),
        ("/a[1]", "/a[1]", True),
        ("/a[1]", "/a1", False),
        ("/A", "/a", False),
    ],
)
def test_only_an_asterisk_is_special_in_a_pattern(pattern: str, text: str, is_match: bool) -> None:
    assert matches(text, ["nothing", pattern]) is is_match
