"""`doctor`: what a worker or a laptop needs to capture, and lacks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import click
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from stillframe.printable import printable
from stillframe.settings import SettingsError

from ..console import json_option, print_json, print_note
from ..doctor.deployment import examine_deployment
from ..doctor.diagnosis import Diagnosis, Verdict
from ..doctor.machine import examine_machine
from ..doctor.service import examine_service
from ..resources import deployment_options, find_settings, is_selected, stack_outputs

SUBJECT_WIDTH = 20
COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red", Verdict.SKIPPED: "bright_black"}


@click.command("doctor")
@deployment_options
@json_option
def command(stack: str | None, from_options: dict[str, str | None], as_json: bool) -> None:
    """Examine what capturing needs: this machine, its browser and fonts, and the deployment if one is selected.

    With --stack, also what runs in the account: function or fleet, event source, quota, and who hears of alarms.

    The exit status is 1 when something is missing without which nothing can be captured. Changes nothing: of AWS it
    asks only what tells whether the calls of a worker are allowed.

    \b
    Examples:
      stillframe doctor
      stillframe doctor --stack Stillframe
      docker run --rm IMAGE stillframe doctor
    """
    print_note("doctor: starts a browser; this takes a few seconds")
    verdicts = []
    for diagnosis in _examine(stack, from_options):
        verdicts.append(diagnosis.verdict)
        if as_json:
            print_json(diagnosis.to_wire())
        else:
            _print(diagnosis)
    failed, warnings = verdicts.count(Verdict.FAILED), verdicts.count(Verdict.WARNING)
    print_note(f"doctor: failed {failed}, warnings {warnings}" if failed or warnings else "doctor: all is well")
    sys.exit(1 if failed else 0)


def _examine(stack: str | None, from_options: dict[str, str | None]) -> Iterator[Diagnosis]:
    settings, problem = None, ""
    if is_selected(stack, from_options):
        try:
            settings = find_settings(stack, from_options)
        except (SettingsError, BotoCoreError, ClientError, ResponseParserError) as error:
            problem = str(error)
    if settings is not None:
        yield from examine_machine(settings.chromium_path, settings.max_browser_mb)
        yield from examine_deployment(settings)
        if stack:
            yield from examine_service(stack, stack_outputs(stack))
        return
    yield from examine_machine(os.environ.get("STILLFRAME_CHROMIUM", ""))
    if problem:
        yield Diagnosis("deployment", Verdict.FAILED, problem, "name the deployment as docs/deploy.md says")
    else:
        remedy = "name one with --stack, or set QUEUE_URL ..."
        yield Diagnosis("deployment", Verdict.SKIPPED, "none is selected", remedy)


def _print(diagnosis: Diagnosis) -> None:
    verdict = click.style(f"{diagnosis.verdict.value:8}", fg=COLOURS[diagnosis.verdict])
    click.echo(f"{verdict} {diagnosis.subject:{SUBJECT_WIDTH}} {printable(diagnosis.detail)}")
    if diagnosis.remedy:
        click.echo(f"{'':{SUBJECT_WIDTH + 10}}-> {printable(diagnosis.remedy)}")
