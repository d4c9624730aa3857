"""`keys`: create, list and revoke the API keys of tenants, and show what tenants have used."""

from __future__ import annotations

import time

import click
from pydantic import TypeAdapter, ValidationError

from stillframe.clients import Clients
from stillframe.clock import SystemClock
from stillframe.refused import Refused
from stillframe.settings import Settings
from stillframe.table.table import Table
from stillframe.tenants.key_store import KeyStore, StoredKey
from stillframe.tenants.limits import TENANT_NAME_RULE, Limits, TenantName
from stillframe.tenants.usage import UsageBook

from ..console import human_seconds, json_option, print_json, print_note, print_table
from ..input.finite import FiniteRange
from ..resources import resource_options

TENANT_NAME: TypeAdapter[str] = TypeAdapter(TenantName)


class Tenant(click.ParamType[str]):
    """The name of a tenant, as it may begin the ids of its screenshots."""

    name = "tenant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return TENANT_NAME.validate_python(value)
        except ValidationError:
            self.fail(f"{value!r} is not the name of a tenant: {TENANT_NAME_RULE}", param, ctx)


@click.group("keys")
def command() -> None:
    """Manage the API keys of tenants.

    A tenant sees, through the API, what was sent with its own keys. `apiAuthorisation = "key"` makes the API of a
    deployment ask for keys, and `serve --keys` that of this machine.

    \b
    Examples:
      stillframe keys create --tenant acme --per-minute 60 --usd-per-month 50
      stillframe keys list
      stillframe keys revoke 8fq8Ob50hk
      stillframe keys usage
    """


@command.command("create")
@click.option("--tenant", type=Tenant(), required=True, metavar="NAME", help="The tenant that the key is for.")
@click.option("--per-minute", type=click.IntRange(1, 100_000), metavar="N", help="Requests that it may send a minute.")
@click.option("--per-day", type=click.IntRange(1, 100_000_000), metavar="N", help="Requests that it may send a day.")
@click.option(
    "--usd-per-month",
    type=FiniteRange(0, 1_000_000, min_open=True),
    metavar="USD",
    help="What its captures may cost a month.",
)
@resource_options
@json_option
def create(
    tenant: str,
    per_minute: int | None,
    per_day: int | None,
    usd_per_month: float | None,
    settings: Settings,
    clients: Clients,
    as_json: bool,
) -> None:
    """Create a key, and print it once.

    Only its hash is stored. Limits that are left out do not exist; minutes, days and months are those of UTC. They are
    compared with what the tenant has used with all of its keys.

    \b
    Example:
      stillframe keys create --tenant acme --per-minute 60 --per-day 10000 --usd-per-month 50
    """
    limits = Limits(per_minute=per_minute, per_day=per_day, usd_per_month=usd_per_month)
    key, stored = KeyStore(clients, settings).create(tenant, limits)
    if as_json:
        print_json({**stored.to_wire(), "key": key.text})
        return
    click.echo(key.text)
    print_note(f"This is the key {key.id} of {tenant}. It is shown this once: only its hash is stored.")


@command.command("list")
@resource_options
@json_option
def list_keys(settings: Settings, clients: Clients, as_json: bool) -> None:
    """List the keys of all tenants, also those that were revoked in the last 90 days.

    \b
    Example:
      stillframe keys list
    """
    keys = KeyStore(clients, settings).list()
    if as_json:
        for key in keys:
            print_json(key.to_wire())
        return
    if not keys:
        print_note("There are no keys. `stillframe keys create` makes one.")
        return
    heads = ("ID", "TENANT", "PER MINUTE", "PER DAY", "USD PER MONTH", "CREATED", "STATE")
    print_table(heads, (_cells(key, time.time()) for key in keys))


@command.command("revoke")
@click.argument("key_id", metavar="ID")
@resource_options
@json_option
def revoke(key_id: str, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Revoke a key. The API refuses it from the next request on.

    \b
    Example:
      stillframe keys revoke 8fq8Ob50hk
    """
    try:
        key = KeyStore(clients, settings).revoke(key_id)
    except Refused as error:
        raise click.ClickException(error.message) from error
    if as_json:
        print_json(key.to_wire())
    else:
        print_note(f"The key {key.id} of {key.tenant} is revoked.")


@command.command("usage")
@click.option("--tenant", type=str, metavar="NAME", help="Show only this tenant, which needs no key.")
@resource_options
@json_option
def usage(tenant: str | None, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Show what each tenant with a key has captured this month (UTC), and what that has cost.

    \b
    Example:
      stillframe keys usage
    """
    book = UsageBook(Table(clients.dynamodb, settings.table_name), SystemClock())
    tenants = [tenant] if tenant else sorted({key.tenant for key in KeyStore(clients, settings).list()})
    found = [book.read(each) for each in tenants]
    if as_json:
        for each in found:
            print_json(each.to_wire())
    elif found:
        rows = ((each.tenant, each.month, f"{each.captures:,}", f"{each.usd:.4f}") for each in found)
        print_table(("TENANT", "MONTH", "CAPTURES", "USD"), rows)
    else:
        print_note("There are no keys, and so no tenants to show. --tenant shows one that has none.")


def _cells(key: StoredKey, now: float) -> tuple[object, ...]:
    limits = key.limits
    age = human_seconds(max(0.0, now - key.created_at / 1000))
    state = "valid" if key.revoked_at is None else "revoked"
    return key.id, key.tenant, limits.per_minute, limits.per_day, limits.usd_per_month, f"{age} ago", state
