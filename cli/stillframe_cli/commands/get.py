"""`get`: the image of one screenshot."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import click

from stillframe.clients import Clients
from stillframe.image.extra import ExtraKind
from stillframe.settings import Settings
from stillframe.table.record import Record, Status

from ..archive import Archive
from ..console import json_option, print_json
from ..resources import resource_options


@click.command("get")
@click.argument("screenshot_id", metavar="ID")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@click.option(
    "--extra",
    type=click.Choice([kind.value for kind in ExtraKind]),
    help="What is stored beside the image, instead of the image.",
)
@resource_options
@json_option
def command(
    screenshot_id: str, out: Path, extra: str | None, settings: Settings, clients: Clients, as_json: bool
) -> None:
    """Download the image of a screenshot and check it against its record, or what is stored beside it."""
    archive = Archive(clients, settings)
    record = archive.record(screenshot_id)
    if record is None:
        raise click.ClickException(f"no record of {screenshot_id}")
    if record.status is not Status.SUCCESS:
        reason = f" ({record.error_code}: {record.error_message})" if record.error_code else ""
        raise click.ClickException(f"{screenshot_id} is {record.status.value}{reason}: there is no image")
    data = _extra_of(archive, record, extra) if extra is not None else _image_of(archive, record)
    _write_whole(out, data)
    if as_json:
        sha256 = hashlib.sha256(data).hexdigest()
        print_json({"id": screenshot_id, "path": str(out), "bytes": len(data), "sha256": sha256})
    else:
        click.echo(str(out))


def _image_of(archive: Archive, record: Record) -> bytes:
    data = archive.image(record)
    if hashlib.sha256(data).hexdigest() != record.sha256:
        raise click.ClickException(f"the object of {record.id} differs from its record; run `stillframe audit`")
    return data


def _extra_of(archive: Archive, record: Record, kind: str) -> bytes:
    found = record.extras or {}
    if kind not in found:
        reason = (record.left_out or {}).get(kind, "its options did not ask for it")
        raise click.ClickException(f"{record.id} has no {kind}: {reason}")
    return archive.object_at(found[kind])


def _write_whole(path: Path, data: bytes) -> None:
    """All or nothing: a full disk does not leave half an image under the name."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(data)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
