"""A page of another site cannot use the emulator of this machine, although a browser that shows it could reach it."""

from __future__ import annotations

import contextlib
import http.client
from urllib.parse import urlsplit

import pytest

from stillframe.clients import connect_presigner
from tests.support.cloud import Cloud


def status_of(cloud: Cloud, method: str = "GET", path: str = "/", **headers: str) -> int:
    """What the emulator answers to a browser with these headers."""
    address = urlsplit(cloud.exports["AWS_ENDPOINT_URL"])
    assert address.hostname is not None
    with contextlib.closing(http.client.HTTPConnection(address.hostname, address.port, timeout=30)) as connection:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse().status


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        # A script of another site, by its own name and by one that it has made resolve to loopback (DNS rebinding).
        ("GET", {"Origin": "https://evil.example"}),
        ("OPTIONS", {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}),
        ("POST", {"Origin": "null"}),
        ("GET", {"Origin": "http://127.0.0.1.evil.example"}),
        ("GET", {"Host": "evil.example"}),
        ("GET", {"Host": "localhost.evil.example:80"}),
        # An image of another site, whose address is a call (`?Action=SendMessage`).
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
    ],
)
def test_a_page_of_another_site_is_refused(cloud: Cloud, method: str, headers: dict[str, str]) -> None:
    assert status_of(cloud, method, **headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:4566"},
        {"Host": "bucket.localhost"},
        {"Host": "[::1]:4566"},
        {"Host": "sqs.us-east-1.amazonaws.com"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_programs_and_pages_of_this_machine_are_answered(cloud: Cloud, headers: dict[str, str]) -> None:
    assert status_of(cloud, **headers) != 403


def test_an_image_by_a_presigned_link_is_shown_on_every_page(cloud: Cloud) -> None:
    # Given an image, and a page that shows it by a signed link of the API, which leads here
    bucket = cloud.settings.bucket_name
    cloud.clients.s3.put_object(Bucket=bucket, Key="a", Body=b"image")
    link = urlsplit(connect_presigner().generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"}))
    # When a browser loads it for a page of another site, then it gets it
    assert status_of(cloud, "GET", f"{link.path}?{link.query}", Sec_Fetch_Site="cross-site") == 200
