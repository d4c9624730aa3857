"""`sign`: make a signed link that shows a screenshot of a page, for `<img src>`."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from stillframe.clients import connect_secrets
from stillframe.errors import CaptureError, ServiceUnavailable
from stillframe.intake import check
from stillframe.link_keys import SecretLinkKeys
from stillframe.signed_link import DAY_SECONDS, SignedLink

from ..console import json_option, print_json
from ..input.options import render_options
from ..resources import stack_option, stack_outputs
from .keys import Tenant
from .list import UNITS

KEY_VARIABLE = "STILLFRAME_LINK_KEY"
URL_VARIABLE = "STILLFRAME_API_URL"
MIN_FRESH_SECONDS, MAX_FRESH_SECONDS = 60, 365 * DAY_SECONDS


class Expiry(click.ParamType[int]):
    """A time (ISO 8601), or how long from now (`30m`, `12h`, `7d`), converted to seconds since the epoch."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value)
        ahead = re.fullmatch(r"(\d{1,6})([smhd])", text)
        if ahead:
            return int(time.time() + timedelta(**{UNITS[ahead[2]]: int(ahead[1])}).total_seconds())
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(
                f"{text!r} is neither a time such as 2027-01-31T12:00 nor one from now such as 12h or 30d", param, ctx
            )
        ends_at = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        if ends_at <= time.time():
            self.fail(f"{text} is past: the link would never open", param, ctx)
        return ends_at


@click.command("sign")
@click.argument("url", metavar="URL")
@click.option(
    "--expires",
    type=Expiry(),
    metavar="TIME",
    default="30d",
    show_default=True,
    help="When the link ends: 2027-01-31T12:00 (UTC), or 12h or 30d from now.",
)
@click.option(
    "--fresh-for",
    type=click.IntRange(MIN_FRESH_SECONDS, MAX_FRESH_SECONDS),
    metavar="SECONDS",
    default=DAY_SECONDS,
    show_default=True,
    help="How long an image is shown before the page is captured again.",
)
@click.option("--tenant", type=Tenant(), metavar="NAME", help="The tenant whose screenshot it is.")
@render_options
@click.option("--api", metavar="URL", envvar=URL_VARIABLE, help=f"Address of the API.  [env var: {URL_VARIABLE}]")
@stack_option
@click.option("--key", metavar="TEXT", envvar=KEY_VARIABLE, help=f"Key to sign with.  [env var: {KEY_VARIABLE}]")
@json_option
def command(
    url: str,
    expires: int,
    fresh_for: int,
    tenant: str | None,
    options: dict[str, Any],
    api: str | None,
    stack: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Sign a link that shows a screenshot of a page to everybody who has it.

    The key is that of the stack's secret, or the one that `stillframe serve` prints; better in the variable than on
    the command line, which other users of the machine can see. A link can cause one capture in each span of
    --fresh-for seconds until it ends. docs/api.md has the recipe in Python and JavaScript.

    \b
    Example:
      stillframe sign https://example.com --expires 30d --full-page
    """
    outputs = stack_outputs(stack) if stack and not (api and key) else {}
    address = api or outputs.get("ApiUrl")
    if not address:
        raise click.UsageError('No API selected: use --api, or the --stack of a deployment with `api = "on"`.')
    link = SignedLink(url=url, expires=expires, options=options, fresh_for=fresh_for, tenant=tenant)
    try:
        check(link.to_request().named(0))
        path = link.path(key.encode() if key else _key_of(outputs))
    except ServiceUnavailable:
        raise
    except CaptureError as error:
        raise click.UsageError(error.message) from error
    signed = address.rstrip("/") + path
    if as_json:
        print_json({"url": signed, "expires": expires, "freshFor": fresh_for})
    else:
        click.echo(signed)


def _key_of(outputs: dict[str, str]) -> bytes:
    secret = outputs.get("LinkSecretArn")
    if secret is None:
        raise click.UsageError(f"No key to sign with: set {KEY_VARIABLE}, or use --stack.")
    return SecretLinkKeys(secret, connect_secrets).valid()[0]
