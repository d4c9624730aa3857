"""`get`: download the image of a screenshot, one of its shots, or one of its extra objects."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.image.extra import ExtraKind
from stillframe.settings import Settings
from stillframe.table.record import Record, Status

from ..console import json_option, print_json
from ..files import STDOUT, OutputPath, write_file
from ..resources import resource_options


@click.command("get")
@click.argument("screenshot_id", metavar="ID")
@click.option(
    "--out",
    type=OutputPath(takes_stdout=True),
    metavar="FILE",
    required=True,
    help="File to write the image to; - writes it to standard output.",
)
@click.option(
    "--extra",
    type=click.Choice([kind.value for kind in ExtraKind]),
    metavar="KIND",
    help=f"Download this extra object instead of the image: {', '.join(ExtraKind)}.",
)
@click.option("--shot", metavar="NAME", help="Download this shot of the screenshot instead of the image.")
@resource_options
@json_option
def command(
    screenshot_id: str,
    out: Path,
    extra: str | None,
    shot: str | None,
    settings: Settings,
    clients: Clients,
    as_json: bool,
) -> None:
    """Download the image of a screenshot and check it against its record.

    With --extra, download what the capture stored beside the image, for example the thumbnail or the page's HTML. With
    --shot, download a further image of the same load, by the name that the option `shots` gave it.

    \b
    Examples:
      stillframe get order-42 --out order-42.png
      stillframe get order-42 --extra html --out - | less
      stillframe get order-42 --shot phone --out phone.png
    """
    if extra is not None and shot is not None:
        raise click.UsageError("--extra and --shot conflict: one object is downloaded.")
    archive = Archive(clients, settings)
    record = archive.record(screenshot_id)
    if record is None:
        raise click.ClickException(f"There is no record with the id {screenshot_id}.")
    if record.status is not Status.SUCCESS:
        reason = f" ({record.error_code}: {record.error_message})" if record.error_code else ""
        raise click.ClickException(f"{screenshot_id} has no image: its status is {record.status.value}{reason}.")
    if shot is not None:
        data = _download_shot(archive, record, shot)
    else:
        data = _download_extra(archive, record, extra) if extra is not None else _download_image(archive, record)
    write_file(out, data)
    if str(out) == STDOUT:
        return
    if as_json:
        sha256 = hashlib.sha256(data).hexdigest()
        print_json({"id": screenshot_id, "path": str(out), "bytes": len(data), "sha256": sha256})
    else:
        click.echo(str(out))


def _download_image(archive: Archive, record: Record) -> bytes:
    data = archive.image(record)
    if hashlib.sha256(data).hexdigest() != record.sha256:
        raise click.ClickException(f"The image of {record.id} does not match its record; run `stillframe audit`.")
    return data


def _download_shot(archive: Archive, record: Record, name: str) -> bytes:
    shots = {shot.name: shot for shot in record.shots or ()}
    if name not in shots:
        known = f"it has {', '.join(shots)}" if shots else "its options name none"
        raise click.ClickException(f"{record.id} has no shot {name}: {known}.")
    data = archive.object_at(shots[name].s3_url)
    if hashlib.sha256(data).hexdigest() != shots[name].sha256:
        raise click.ClickException(f"The shot {name} of {record.id} does not match its record.")
    return data


def _download_extra(archive: Archive, record: Record, kind: str) -> bytes:
    urls = record.extras or {}
    if kind not in urls:
        reason = (record.left_out or {}).get(kind, "its options did not ask for it")
        raise click.ClickException(f"{record.id} has no {kind}: {reason}.")
    return archive.object_at(urls[kind])
