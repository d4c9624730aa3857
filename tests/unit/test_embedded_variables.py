"""The variables that point an AWS SDK to the embedded environment: what botocore makes of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import configprovider
from botocore.utils import get_environ_proxies

from stillframe_cli.embedded_variables import (
    CONFIG_TEXT,
    apply,
    exported_variables,
    is_read_by_sdk,
    neutral_values,
    unset_variables,
)

ENDPOINT = "http://127.0.0.1:4566"
ELSEWHERE = "http://elsewhere.example"
SERVICES = ("sqs", "dynamodb", "s3", "cloudwatch", "secretsmanager")
CONFIG = f"""[default]
region = eu-west-1
use_fips_endpoint = true
endpoint_url = {ELSEWHERE}
services = mine
[profile company]
region = eu-west-1
services = mine
[services mine]
sqs =
  endpoint_url = {ELSEWHERE}
s3 =
  endpoint_url = {ELSEWHERE}
"""
HOSTILE = {
    "profile": {"AWS_PROFILE": "company"},
    "default profile": {"AWS_DEFAULT_PROFILE": "company"},
    "unknown profile": {"AWS_PROFILE": "nobody"},
    "services": {f"AWS_ENDPOINT_URL_{name}": ELSEWHERE for name in ("SQS", "DYNAMODB", "S3", "CLOUDWATCH")},
    "ignored endpoints": {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    "fips": {"AWS_USE_FIPS_ENDPOINT": "true"},
    "dual stack": {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
    "token": {"AWS_SESSION_TOKEN": "a-token", "AWS_SECURITY_TOKEN": "a-token"},
    "account": {"AWS_ACCOUNT_ID": "111122223333", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"},
    "role": {"AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"},
    "certificates": {"AWS_CA_BUNDLE": "/nowhere"},
    "config file": {},
    "proxy": {"HTTP_PROXY": ELSEWHERE, "HTTPS_PROXY": ELSEWHERE, "ALL_PROXY": ELSEWHERE},
    "lower-case proxy": {"http_proxy": ELSEWHERE, "no_proxy": "company.example"},
}


@pytest.fixture(params=HOSTILE, ids=str)
def hostile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """An environment that leads elsewhere, in this process as well, together with a config file that does."""
    config = tmp_path / "config"
    config.write_text(CONFIG)
    variables = {"AWS_CONFIG_FILE": str(config), **HOSTILE[request.param]}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def exports(hostile: dict[str, str], tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "embedded"
    config.write_text(CONFIG_TEXT)
    return exported_variables(ENDPOINT, config, hostile)


def reached() -> list[Any]:
    """For each service: its endpoint, the region, the credentials, and the proxy that a call would take."""
    found = []
    for service in SERVICES:
        session: Any = boto3.session.Session()
        client = session.client(service)
        credentials = session.get_credentials()
        url = client.meta.endpoint_url
        proxies = get_environ_proxies(url)
        found.append(
            (url, client.meta.region_name, credentials.access_key, credentials.token or "", proxies.get("http"))
        )
    return found


RIGHT = [(ENDPOINT, "us-east-1", "test", "", None)] * len(SERVICES)


def test_a_process_drops_what_leads_elsewhere(hostile: dict[str, str], exports: dict[str, str]) -> None:
    # Given an environment that leads elsewhere
    # When the exports are applied to this process, then every call goes to the embedded environment
    apply(exports, os.environ)
    assert reached() == RIGHT


def test_a_process_that_can_unset_nothing_is_led_back(
    hostile: dict[str, str], exports: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an environment that leads elsewhere
    # When the exports are added to it, as a program does that reads them as JSON
    for name, value in (exports | neutral_values(exports, hostile)).items():
        monkeypatch.setenv(name, value)
    # Then every call goes to the embedded environment
    assert reached() == RIGHT


def test_a_shell_unsets_what_leads_elsewhere(
    hostile: dict[str, str], exports: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an environment that leads elsewhere, When a shell sources the lines that `dev` prints
    for name, value in exports.items():
        monkeypatch.setenv(name, value)
    for name in unset_variables(exports, hostile):
        monkeypatch.delenv(name, raising=False)
    # Then every call goes to the embedded environment
    assert reached() == RIGHT


def test_every_variable_that_botocore_reads_is_dropped() -> None:
    # Given the tables of this version of botocore
    tables: list[Any] = [configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES, configprovider.DEFAULT_S3_CONFIG_VARS]
    # When the variables of each setting are collected
    names = [name for table in tables for _, variables, *_ in table.values() for name in _listed(variables)]
    # Then each of them is one that is dropped
    assert "AWS_ENDPOINT_DISCOVERY_ENABLED" in names
    assert [name for name in names if not is_read_by_sdk(name)] == []


def test_hosts_that_bypass_the_proxy_are_kept() -> None:
    inherited = {"NO_PROXY": "a.example, b.example", "no_proxy": "b.example,127.0.0.1"}
    exports = exported_variables(ENDPOINT, Path("config"), inherited)
    assert exports["NO_PROXY"] == exports["no_proxy"] == "a.example,b.example,127.0.0.1"


def _listed(variables: Any) -> list[str]:
    return [variables] if isinstance(variables, str) else list(variables or [])
