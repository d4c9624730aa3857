"""Each of Chromium's net errors becomes the capture error whose class decides on a retry."""

from __future__ import annotations

import pytest

from stillframe_renderer.page.navigation import error_for


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("net::ERR_NAME_NOT_RESOLVED", "UNKNOWN_HOST"),
        ("net::ERR_CERT_DATE_INVALID", "TLS_ERROR"),
        ("net::ERR_SSL_PROTOCOL_ERROR", "TLS_ERROR"),
        ("net::ERR_CONNECTION_REFUSED", "CONNECTION_REFUSED"),
        ("net::ERR_CONNECTION_RESET", "CONNECTION_RESET"),
        ("net::ERR_EMPTY_RESPONSE", "CONNECTION_RESET"),
        ("net::ERR_NAME_RESOLUTION_FAILED", "CONNECTION_FAILED"),
        ("net::ERR_TIMED_OUT", "CONNECT_TIMEOUT"),
        ("net::ERR_TOO_MANY_REDIRECTS", "CONTENT_REFUSED"),
        ("net::ERR_UNSAFE_REDIRECT", "BLOCKED_SCHEME"),
        ("net::ERR_UNSAFE_PORT", "INVALID_REQUEST"),
        ("net::ERR_SOMETHING_NEW", "CONNECTION_FAILED"),
    ],
)
def test_a_net_error_becomes_the_matching_capture_error(text: str, code: str) -> None:
    error = error_for(text)
    assert error.code == code
    assert text.removeprefix("net::") in error.message
