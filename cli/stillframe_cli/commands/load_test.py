"""`load-test`: send many, wait, and say what became of them."""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path
from typing import IO

import click

from stillframe.clients import Clients, connect_cloudwatch
from stillframe.outcome import OutcomeKind
from stillframe.settings import Settings
from stillframe_renderer.load.machine import machine_busy_seconds

from ..backlog import message_counts
from ..console import ProgressReport, json_option, note, print_json, print_table
from ..load.pages import bundled
from ..load.profile import CURVES, moments
from ..load.result import LoadResult
from ..load.sender import Senders, requests_for
from ..load.watch import Watch
from ..metrics import ServiceMetrics
from ..producer import parse_options, read_requests
from ..resources import is_on_this_machine, resource_options

MAX_SENDERS = 5000
REASON_POLL_SECONDS = 1.0


@click.command("load-test")
@click.argument("messages", type=click.IntRange(1, 1_000_000), metavar="N")
@click.option("--duplicates", is_flag=True, help="All with one id: one picture, the rest skipped.")
@click.option("--concurrency", type=click.IntRange(1, MAX_SENDERS), default=10, show_default=True, help="Senders.")
@click.option(
    "--profile",
    type=click.Choice(list(CURVES)),
    default="burst",
    show_default=True,
    help="When they are sent: at once, evenly, faster and faster, or most in the middle.",
)
@click.option("--over", "over", type=click.FloatRange(0), default=60.0, show_default=True, metavar="SECONDS")
@click.option("--url", "urls", multiple=True, metavar="URL", help="Pages, in turn.  [default: bundled ones]")
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="A URL or a JSON request a line; - is stdin.")
@click.option("--options", metavar="JSON", help="Render options, for URLs.")
@click.option("--timeout", type=click.FloatRange(1), default=900.0, show_default=True, metavar="SECONDS")
@click.option(
    "--reasons-timeout",
    type=click.FloatRange(0),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the workers' metrics, which name the reasons of skips. On an account: 180.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here, for `plan`.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw it here: .svg or .png.")
@resource_options
@json_option
def command(
    messages: int,
    duplicates: bool,
    concurrency: int,
    profile: str,
    over: float,
    urls: tuple[str, ...],
    file: IO[str] | None,
    options: str | None,
    timeout: float,
    reasons_timeout: float,
    out: Path | None,
    plot: Path | None,
    settings: Settings,
    clients: Clients,
    as_json: bool,
) -> None:
    """Send N messages to the workers there are, wait for all of them, and print what became of them.

    Exit status 1 unless every message ended in a picture or a skip.
    """
    templates = read_requests(urls, file, parse_options(options)) if urls or file else bundled()
    run = f"load-{uuid.uuid4().hex[:12]}"
    requests = requests_for(messages, run, duplicates, templates)
    busy_before = machine_busy_seconds()
    dead_before = sum(message_counts(clients, settings.dead_letter_queue_url))
    with ProgressReport("sending", messages, quiet=True) as progress:
        senders = Senders(Clients.connect(min(concurrency, messages)), settings, min(concurrency, messages))
        began, sent_by = senders.send(requests, moments(profile, messages, over), lambda _: progress.step("sent"))
    deadline = time.monotonic() + timeout
    watch = Watch(clients, settings)
    ids = [request.id for request in requests]
    with ProgressReport("capturing", len(set(ids)), quiet=True) as progress:
        records = watch.until_ended(ids, deadline, lambda ended: progress.reach(ended, "ended"))
    busy = machine_busy_seconds() - busy_before
    left = watch.until_drained(deadline)
    # What is neither on a queue nor captured was acknowledged as a duplicate.
    dead = sum(message_counts(clients, settings.dead_letter_queue_url)) - dead_before
    acknowledged = messages - left - dead - len(records)
    skipped = _reasons(acknowledged, began, reasons_timeout)
    result = LoadResult(
        messages=messages,
        senders=min(concurrency, messages),
        began=began,
        sent_by=sent_by,
        records=list(records.values()),
        skipped=skipped,
        left_on_queue=left,
        dead_letters=max(0, dead),
        machine_cpu_seconds=busy if is_on_this_machine(settings) else None,
    )
    _tell(result, out, plot, as_json)
    sys.exit(0 if result.is_clean else 1)


def _reasons(skipped: int, began: float, timeout: float) -> dict[str, int]:
    """The skips by reason, once the workers' metrics account for all of them; under `unknown` if they never do."""
    if skipped <= 0:
        return {}
    metrics, give_up_at = ServiceMetrics(connect_cloudwatch()), time.monotonic() + timeout
    while time.monotonic() < give_up_at:
        now = time.time()
        counted = metrics.counted(began - 1, now).by_reason(OutcomeKind.SKIPPED)
        if sum(counted.values()) == skipped:
            return counted
        time.sleep(REASON_POLL_SECONDS)
    note("the metrics do not name the reasons of the skips (yet): see --reasons-timeout")
    return {"unknown": skipped}


def _tell(result: LoadResult, out: Path | None, plot: Path | None, as_json: bool) -> None:
    figures = result.to_wire()
    if out is not None:
        import json

        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if plot is not None:
        from ..load.plot import draw_load

        draw_load(plot, result)
        note(f"plot: {plot}")
    if as_json:
        print_json(figures)
        return
    print_table(("FIGURE", "VALUE"), [(name, _readable(value)) for name, value in figures.items()])


def _readable(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_readable(each)}" for name, each in value.items()) or "none"
    return str(value)
