"""A user name and password in a URL are never recorded, however malformed the URL is."""

from __future__ import annotations

import pytest

from stillframe.request.capture_request import without_credentials


@pytest.mark.parametrize(
    "url",
    [
        "https://joe:secret@example.com/",
        "https:/joe:secret@example.com/",
        "https:joe:secret@example.com/",
        "//joe:secret@example.com/",
        "joe:secret@example.com/",
        "https:\\\\joe:secret@example.com\\x",
        "  https://joe:secret@example.com",
        "ht!tp://joe:secret@example.com/",
        "https://joe:se/secret@example.com/",
        "https://joe:se?secret@example.com/",
        "https://joe:se#secret@example.com/",
        "https://a@joe:secret@example.com/",
    ],
)
def test_no_password_remains(url: str) -> None:
    assert "secret" not in without_credentials(url)
    assert "example.com" in without_credentials(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://example.com/@joe",
        "https://example.com:8443/@joe",
        "https://[2001:db8::1]:8443/@joe",
        "https://example.com/?mail=joe@example.org",
        "https://example.com/#a@b",
        "",
    ],
)
def test_a_url_without_credentials_is_unchanged(url: str) -> None:
    assert without_credentials(url) == url
