"""`--allow-host` takes hosts as people type them, and a refusal names exactly what to type."""

from __future__ import annotations

import click
import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe_cli.input.allow_hosts import advise, parse_allowed


@pytest.mark.parametrize(
    ("typed", "entry"),
    [
        ("localhost:3000", "localhost:3000"),
        ("localhost", "localhost:*"),
        ("LOCALHOST.", "localhost:*"),
        ("http://localhost:3000/docs?a=b", "localhost:3000"),
        ("http://localhost", "localhost:80"),
        ("https://intranet.example/", "intranet.example:443"),
        ("intranet.example/", "intranet.example:*"),
        ("10.0.0.7", "10.0.0.7:*"),
        ("::1", "[::1]:*"),
        ("[::1]:8080", "[::1]:8080"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_urls_hosts_and_ports_are_understood(typed: str, entry: str) -> None:
    assert parse_allowed(typed) == entry


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("10.0.0.0/8", "STILLFRAME_ALLOW_CIDRS=10.0.0.0/8"),
        ("localhost:port", "neither a host"),
        ("localhost:99999", "neither a host"),
        ("*.example.com", "neither a host"),
        ("a,b", "neither a host"),
        ("", "neither a host"),
    ],
)
def test_what_is_no_host_is_refused(typed: str, words: str) -> None:
    with pytest.raises(click.BadParameter, match=words):
        parse_allowed(typed)


@pytest.mark.parametrize("typed", ["localhost:3000", "localhost", "http://localhost:3000"])
def test_each_way_to_write_it_lets_the_page_be_captured(typed: str) -> None:
    EgressPolicy.of([parse_allowed(typed)]).check_page("http://localhost:3000/docs")


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("http://localhost:3000/docs", "--allow-host localhost:3000"),
        ("http://localhost/", "--allow-host localhost:80"),
        ("http://127.0.0.1:8000", "--allow-host 127.0.0.1:8000"),
        ("https://[::1]/", "--allow-host [::1]:443"),
        ("http://192.168.1.7:8080", "--allow-host 192.168.1.7:8080"),
        ("http://93.184.216.34:8080", "--allow-host 93.184.216.34:8080"),
        # Metadata services are never advised, on no port.
        ("http://169.254.169.254/", ""),
        ("http://169.254.169.254:8080/", ""),
        ("http://[fe80::1]:3000/", ""),
        # The page itself is public: where it led to must not be advised.
        ("http://93.184.216.34/", ""),
        ("http://stillframe.invalid:3000/", ""),
        ("not a url", ""),
    ],
)
def test_a_refusal_names_the_flag_that_would_allow_it(url: str, advice: str) -> None:
    assert advise(url, EgressPolicy.of()) == advice


def test_what_is_denied_or_allowed_already_gets_no_advice() -> None:
    assert advise("http://127.0.0.1:3000", EgressPolicy.of(deny=["127.0.0.0/8"])) == ""
    assert advise("http://127.0.0.1:3000", EgressPolicy.of(["127.0.0.1:*"])) == ""
