"""`load-test`: send many messages, wait for them, and report how they ended."""

from __future__ import annotations

import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import click

from stillframe.clients import Clients, connect_cloudwatch
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe_renderer.load.machine import machine_busy_seconds

from ..backlog import message_counts
from ..console import ProgressReport, json_option, print_json, print_note, print_table
from ..files import OutputPath, PlotPath, write_file
from ..input.finite import FiniteRange
from ..input.options import render_options
from ..input.requests import input_options, read_requests
from ..load.pages import bundled_requests
from ..load.profile import CURVES, due_times
from ..load.result import LoadResult
from ..load.sender import SenderPool, build_requests
from ..load.watch import CaptureWatcher
from ..metrics import ServiceMetrics
from ..resources import is_on_this_machine, resource_options

MAX_SENDERS = 5000
METRICS_POLL_SECONDS = 1.0


@click.command("load-test")
@click.argument("messages", type=click.IntRange(1, 1_000_000), metavar="N")
@click.option(
    "--duplicates", is_flag=True, help="Give all messages the same id: one is captured, the rest are skipped."
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, MAX_SENDERS),
    metavar="N",
    default=10,
    show_default=True,
    help="How many senders work at the same time.",
)
@click.option(
    "--profile",
    type=click.Choice(list(CURVES)),
    default="burst",
    show_default=True,
    help="When to send the messages: all at once (burst), evenly (steady), faster and faster (ramp), or mostly in the "
    "middle (spike).",
)
@click.option(
    "--over",
    "over",
    type=FiniteRange(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Time over which to send the messages. A burst ignores it.",
)
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="URL",
    help="Page to capture. May be repeated; the pages take turns.  [default: bundled pages]",
)
@input_options
@render_options
@click.option(
    "--timeout",
    type=FiniteRange(1),
    default=900.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the captures after the last message is sent.",
)
@click.option(
    "--reasons-timeout",
    type=FiniteRange(0),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the workers' metrics, which have the reasons for skipped messages. On an account, use "
    "180.",
)
@click.option(
    "--out",
    type=OutputPath(),
    metavar="FILE",
    help="Write the figures to this file, for `stillframe plan --from`.",
)
@click.option("--plot", type=PlotPath(), metavar="FILE", help="Draw the test to this .svg or .png file.")
@resource_options
@json_option
def command(
    messages: int,
    duplicates: bool,
    concurrency: int,
    profile: str,
    over: float,
    urls: tuple[str, ...],
    file: str | None,
    strict: bool,
    options: dict[str, Any],
    timeout: float,
    reasons_timeout: float,
    out: Path | None,
    plot: Path | None,
    settings: Settings,
    clients: Clients,
    as_json: bool,
) -> None:
    """Send N messages, wait until the workers have processed them, and report how they ended.

    Start the workers first, for example with `stillframe consume --continuous`. The exit status is 1 unless every
    message was captured or skipped.

    \b
    Example:
      stillframe load-test 1000 --concurrency 100 --out load.json
    """
    templates = _read_templates(urls, file, options, strict)
    run_id = f"load-{uuid.uuid4().hex[:12]}"
    requests = build_requests(messages, run_id, duplicates, templates)
    senders = min(concurrency, messages)
    busy_before = machine_busy_seconds()
    dead_before = sum(message_counts(clients, settings.dead_letter_queue_url))
    with ProgressReport("sending", messages) as progress:
        pool = SenderPool(Clients.connect(senders), settings, senders)
        due = due_times(profile, messages, over)
        started_at, sent_at = pool.send(requests, due, lambda _: progress.advance())
    deadline = time.monotonic() + timeout
    watcher = CaptureWatcher(clients, settings)
    ids = [request.id for request in requests]
    with ProgressReport("capturing", len(set(ids))) as progress:
        records = watcher.wait_until_finished(ids, deadline, progress.set_done)
    busy = machine_busy_seconds() - busy_before
    left = watcher.wait_until_drained(deadline)
    dead = sum(message_counts(clients, settings.dead_letter_queue_url)) - dead_before
    # A message that is on neither queue and has no record of its own was acknowledged as a duplicate.
    skipped = messages - left - dead - len(records)
    result = LoadResult(
        messages=messages,
        senders=senders,
        started_at=started_at,
        sent_at=sent_at,
        records=list(records.values()),
        skipped=_read_skip_reasons(skipped, started_at, reasons_timeout, settings),
        left_on_queue=left,
        dead_letters=max(0, dead),
        machine_cpu_seconds=busy if is_on_this_machine(settings) else None,
    )
    _report(result, out, plot, as_json)
    sys.exit(0 if result.is_clean else 1)


def _read_templates(
    urls: tuple[str, ...], file: str | None, options: dict[str, Any], strict: bool
) -> list[CaptureRequest]:
    """The pages of --url and --file, or the bundled ones with the same options."""
    if urls or file:
        return read_requests(urls, file, options, strict=strict).requests
    return [each.model_copy(update={"options": {**options, **each.options}}) for each in bundled_requests()]


def _read_skip_reasons(skipped: int, started_at: float, timeout: float, settings: Settings) -> dict[str, int]:
    """Return the number of skips by reason, once the workers' metrics account for all of them.

    Returns all of them under `unknown` when the metrics do not within `timeout` seconds.
    """
    if skipped <= 0:
        return {}
    metrics = ServiceMetrics(connect_cloudwatch(), is_on_this_machine(settings), settings.service)
    give_up_at = time.monotonic() + timeout
    while time.monotonic() < give_up_at:
        counts = metrics.read_totals(started_at - 1, time.time()).by_reason(OutcomeKind.SKIPPED)
        if sum(counts.values()) == skipped:
            return counts
        time.sleep(METRICS_POLL_SECONDS)
    print_note("The workers' metrics do not have the reasons for all skips yet. To wait longer, use --reasons-timeout.")
    return {"unknown": skipped}


def _report(result: LoadResult, out: Path | None, plot: Path | None, as_json: bool) -> None:
    figures = result.to_wire()
    if out is not None:
        write_file(out, json.dumps(figures, indent=1) + "\n")
    if plot is not None:
        from ..load.plot import draw_load

        draw_load(plot, result)
        print_note(f"plot: {plot}")
    if as_json:
        print_json(figures)
        return
    print_table(("FIGURE", "VALUE"), [(name, _format_value(value)) for name, value in figures.items()])


def _format_value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_format_value(each)}" for name, each in value.items()) or "none"
    return str(value)
