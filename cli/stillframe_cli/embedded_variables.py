"""The variables that point an AWS SDK to the embedded environment, whatever else the environment says.

botocore chooses endpoint, region, profile, credentials and proxy by some sixty variables and two files (botocore,
`configprovider.py` and `credentials.py`; AWS SDKs and Tools Reference Guide, "Settings reference"). Any of them can
send a call to a real account, to a company's proxy or nowhere. So none of them is inherited: this process drops every
one, and other processes get variables that take precedence.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from urllib.parse import urlsplit

REGION = "us-east-1"
PREFIXES = ("AWS_", "BOTO_", "BOTOCORE_")
SERVICE_ENDPOINT = "AWS_ENDPOINT_URL_"
# Python and many others prefer the lower-case name, curl and Go accept either.
NO_PROXY = ("NO_PROXY", "no_proxy")
# Set anywhere between `dev` and the worker, they would override the exports in a shell.
ALWAYS_UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    # Selects a deployment in an account (resources.py).
    "STILLFRAME_STACK",
    *(f"{SERVICE_ENDPOINT}{service}" for service in ("SQS", "DYNAMODB", "S3", "CLOUDWATCH", "SECRETS_MANAGER")),
)
PROFILE = "default"
CONFIG_TEXT = f"[{PROFILE}]\nregion = {REGION}\n"


def exported_variables(endpoint: str, config_file: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables for an endpoint on this machine. The credentials are not secret.

    `config_file` takes the place of ~/.aws/config and holds CONFIG_TEXT. `inherited` is the environment so far.
    """
    bypass = _bypassing_proxies(urlsplit(endpoint).hostname or "", inherited)
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # Empty counts as absent: a token or an account of one's own would go with the wrong key.
        "AWS_SESSION_TOKEN": "",
        "AWS_SECURITY_TOKEN": "",
        "AWS_ACCOUNT_ID": "",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(config_file),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_USE_FIPS_ENDPOINT": "false",
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
        **dict.fromkeys(NO_PROXY, bypass),
    }


def neutral_values(exports: Mapping[str, str], inherited: Iterable[str]) -> dict[str, str]:
    """Values for the inherited variables that override the exports, for processes where they cannot be unset."""
    endpoints = {name: exports["AWS_ENDPOINT_URL"] for name in inherited if name.startswith(SERVICE_ENDPOINT)}
    profiles = {name: PROFILE for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name in inherited}
    return endpoints | profiles


def unset_variables(exports: Mapping[str, str], inherited: Iterable[str]) -> list[str]:
    """The variables that a shell must unset before the exports hold, sorted."""
    return sorted({*ALWAYS_UNSET, *filter(is_read_by_sdk, inherited)} - exports.keys())


def apply(exports: Mapping[str, str], environment: MutableMapping[str, str]) -> None:
    """Replace every variable that an SDK reads by the exports."""
    for name in list(filter(is_read_by_sdk, environment)):
        del environment[name]
    environment.update(exports)


def is_read_by_sdk(name: str) -> bool:
    """Whether botocore or another AWS SDK reads the variable."""
    return name.startswith(PREFIXES)


def _bypassing_proxies(host: str, inherited: Mapping[str, str]) -> str:
    """The value of NO_PROXY with this host added to those that it has."""
    hosts = [each.strip() for name in NO_PROXY for each in inherited.get(name, "").split(",")]
    return ",".join(dict.fromkeys(filter(None, [*hosts, host])))
