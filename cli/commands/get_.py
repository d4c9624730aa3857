"""`get`: the image of one screenshot."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import click

from stillframe.clients import Clients
from stillframe.record import Status
from stillframe.settings import Settings

from ..archive import Archive
from ..console import json_option, print_json
from ..resources import resource_options


@click.command("get")
@click.argument("capture_id", metavar="ID")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@resource_options
@json_option
def command(capture_id: str, out: Path, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Download the image of a screenshot and check it against its record."""
    archive = Archive(clients, settings)
    record = archive.record(capture_id)
    if record is None:
        raise click.ClickException(f"no record of {capture_id}")
    if record.status is not Status.SUCCESS:
        reason = f" ({record.error_code}: {record.error_message})" if record.error_code else ""
        raise click.ClickException(f"{capture_id} is {record.status.value}{reason}: there is no image")
    data = archive.image(record)
    if hashlib.sha256(data).hexdigest() != record.sha256:
        raise click.ClickException(f"the object of {capture_id} differs from its record; run `stillframe audit`")
    _write_whole(out, data)
    if as_json:
        print_json({"id": capture_id, "path": str(out), "bytes": len(data), "sha256": record.sha256})
    else:
        click.echo(str(out))


def _write_whole(path: Path, data: bytes) -> None:
    """All or nothing: a full disk does not leave half an image under the name."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(data)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
