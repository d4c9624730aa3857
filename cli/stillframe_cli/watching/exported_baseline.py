"""The baseline of a watch as a directory, which `check` compares with."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from stillframe.clients import Clients
from stillframe.refused import Refused
from stillframe.request.options import RenderOptions
from stillframe.watches.store import WatchStore
from stillframe.watches.watch import Watch

from ..check.baseline import Baseline
from ..check.page_names import page_name
from ..resources import STACK_VARIABLE, find_settings
from .baselines import Baselines, PageBaseline


@dataclass(frozen=True, slots=True)
class WatchedPages:
    """The pages of a watch, and the options that they are captured with."""

    urls: tuple[str, ...]
    options: dict[str, Any]


def read_watch(name: str, folder: Path) -> WatchedPages:
    """Write the baseline of a watch to a directory. Raises click.ClickException.

    The deployment is that of the environment (`QUEUE_URL` and the others), as for every command without `--stack`.
    """
    settings = find_settings(os.environ.get(STACK_VARIABLE), {})
    clients = Clients.connect()
    try:
        watch = WatchStore(clients, settings).find(name)
        baselines = Baselines(clients, settings)
        if not export(watch, baselines.of(watch), baselines, Baseline(folder)):
            raise Refused(f"No page of {name} has been captured yet.")
    except Refused as error:
        raise click.ClickException(error.message) from error
    return WatchedPages(tuple(watch.urls), watch.options)


def export(watch: Watch, pages: Iterable[PageBaseline], baselines: Baselines, folder: Baseline) -> int:
    """Write the image of each page that has a baseline. Returns how many. Raises Refused and ServiceUnavailable."""
    extension = RenderOptions.parse(watch.options).format.extension
    written = 0
    for page in pages:
        if page.capture is None:
            continue
        record, data = baselines.image(page.capture)
        request = watch.request(page.url, 0).model_copy(update={"request_id": None})
        name = page_name(request, watch.all_options)
        folder.replace(name, extension, data)
        folder.describe(name, request.recorded_url, record.ignored_boxes)
        written += 1
    if written:
        folder.write_index()
    return written
