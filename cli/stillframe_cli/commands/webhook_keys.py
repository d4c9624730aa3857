"""`webhook-keys`: the keys that receivers check webhooks with."""

from __future__ import annotations

import click

from stillframe.clients import Clients, connect_secrets
from stillframe.settings import Settings, SettingsError
from stillframe.webhooks.signing import WebhookSecret

from ..console import json_option, print_json, print_note
from ..resources import resource_options


@click.command("webhook-keys")
@click.option("--tenant", metavar="NAME", help="The keys of this tenant, which are its own.")
@click.option("--rotate", is_flag=True, help="Replace the current key; the one before it ends.")
@resource_options
@json_option
def command(tenant: str | None, rotate: bool, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Print the keys that receivers check webhooks with, the current one first.

    Every webhook is signed with the current key and the previous one. After a rotation, give the new key to all
    receivers; with the next rotation, the old one ends. Senders use a new key after five minutes at most.

    \b
    Examples:
      stillframe webhook-keys
      stillframe webhook-keys --rotate
      stillframe webhook-keys --tenant acme
    """
    if not settings.webhook_secret_arn:
        raise SettingsError('This deployment sends no webhooks: set webhooks = "on" in its environment file.')
    secret = WebhookSecret(connect_secrets, settings.webhook_secret_arn)
    keys = secret.read()
    if rotate:
        keys = keys.rotated()
        secret.write(keys)
        print_note("The current key is new. The previous one is valid until the next rotation.")
    current, *previous = keys.secrets_of(tenant)
    if as_json:
        print_json({"current": current, "previous": previous[0] if previous else None})
        return
    click.echo(current)
    for each in previous:
        click.echo(each)
