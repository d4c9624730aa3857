"""`check`: compare pages with images of how they should look."""

from __future__ import annotations

import contextlib
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import click

from ..check.baseline import Baseline
from ..check.junit import junit_xml
from ..check.page_check import CheckStatus
from ..check.report import check_report
from ..check.run import CheckRun, check, named_requests, update
from ..console import json_option, print_json, print_note
from ..failures import describe_failure
from ..files import OutputPath, write_file
from ..input.allow_hosts import allow_host_option
from ..input.comparison import comparison_options
from ..input.finite import FiniteRange
from ..input.options import check_options, render_options
from ..input.requests import input_options, read_requests
from ..local.interruption import EXIT_STATUS
from ..local.run import RunSettings
from ..tabs import tabs_option
from ..watching.exported_baseline import read_watch

CHANGED, FAILED = 1, 2
WATCH = "watch:"
MAX_UNUSED = 10


class CheckCommand(click.Command):
    """A command whose exit status 1 says that a page changed, and nothing else."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Whatever prevents it from saying whether a page changed ends with status 2."""
        try:
            return super().invoke(ctx)
        except click.UsageError:
            raise
        except click.ClickException as error:
            print_note(f"Error: {error.format_message()}")
        except Exception as error:
            failure = describe_failure(error)
            print_note(f"stillframe: {failure[0]}" if failure is not None else traceback.format_exc())
        raise SystemExit(FAILED)


@click.command("check", cls=CheckCommand)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@input_options
@click.option(
    "--baseline",
    "source",
    required=True,
    metavar="DIR|watch:NAME",
    help="Directory with an image of how each page should look, or a watch, for what `approve` has approved.",
)
@click.option("--update", "is_update", is_flag=True, help="Make the pages as they are now the baseline.")
@click.option(
    "--report",
    type=OutputPath(),
    default="check.html",
    show_default=True,
    metavar="FILE",
    help="Write a page that shows what changed.",
)
@click.option("--junit", type=OutputPath(), metavar="FILE", help="Write the results as JUnit XML.")
@click.option(
    "--ignore", multiple=True, metavar="CSS", help="Leave out the elements that match this selector. Repeatable."
)
@click.option(
    "--max-share",
    type=FiniteRange(0, 1),
    metavar="SHARE",
    help="Up to this share of the pixels may change.  [default: 0]",
)
@comparison_options
@allow_host_option
@render_options
@tabs_option
@json_option
def command(
    urls: tuple[str, ...],
    file: str | None,
    strict: bool,
    source: str,
    is_update: bool,
    report: Path,
    junit: Path | None,
    ignore: tuple[str, ...],
    max_share: float | None,
    comparison: dict[str, Any],
    allow_hosts: tuple[str, ...],
    options: dict[str, Any],
    tabs: int | str | None,
    as_json: bool,
) -> None:
    """Compare pages with images of how they should look.

    The pages are captured on this machine with the preset `repeatable`, unless another one is given, and compared with
    the images of the baseline, which belongs into version control. --update takes it, and again when a change is meant.

    \b
    Exit status: 0 all pages are the same (with --update: the baseline is), 1 a
    page changed or is not in the baseline, 2 wrong usage, or a page or the
    run failed, 130 Ctrl-C.

    \b
    Examples:
      stillframe check --baseline baseline --file urls.txt --update
      stillframe check --baseline baseline --file urls.txt --junit check.xml
      stillframe check localhost:3000 --baseline b --allow-host localhost
    """
    with contextlib.ExitStack() as stack:
        if source.startswith(WATCH):
            if is_update:
                raise click.UsageError(
                    "The baseline of a watch is not changed by --update, but by `stillframe approve`."
                )
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stillframe-")))
            watched = read_watch(source.removeprefix(WATCH), folder)
            urls, options = urls or (() if file else watched.urls), {**watched.options, **options}
        else:
            folder, options = Path(source), {"preset": "repeatable", **options}
        options = check_options(with_comparison(options, comparison, ignore, max_share))
        baseline = Baseline(folder)
        if not is_update and not baseline.names:
            raise click.UsageError(
                f"There is no baseline in {source} yet. Take it with the same command and --update, look at its "
                "images, and commit them."
            )
        reading = read_requests(urls, file, options, strict=strict)
        named = named_requests(reading.requests, options)
        run = check(named, baseline, RunSettings(allow_hosts, tabs))
    unused = sorted(baseline.names - named.keys())
    write_file(report, check_report(run.checks, [_describe_unused(baseline, name) for name in unused]))
    if junit is not None:
        write_file(junit, junit_xml(run.checks))
    written = update(run, baseline) if is_update and run.is_complete else None
    _print(run, as_json)
    for name in unused[:MAX_UNUSED]:
        print_note(f"not among the pages: {_describe_unused(baseline, name)}")
    if written is not None:
        print_note(f"{written} of {len(run.checks)} images written to {folder}")
    print_note(f"Report: {report}")
    raise SystemExit(exit_status(run, is_update, bool(reading.problems)))


def with_comparison(
    options: dict[str, Any], flags: dict[str, Any], ignore: tuple[str, ...], max_share: float | None
) -> dict[str, Any]:
    """The options with the flags of the comparison, which take precedence; elements to ignore are added."""
    named = options.get("comparison")
    rules = dict(named) if isinstance(named, dict) else {}
    rules |= flags
    if ignore:
        rules["ignore"] = [*rules.get("ignore", ()), *ignore]
    if max_share is not None:
        rules["maxShare"] = max_share
    return {**options, "comparison": rules} if rules else options


def _describe_unused(baseline: Baseline, name: str) -> str:
    url = baseline.url(name)
    return f"{name} ({url})" if url else name


def _print(run: CheckRun, as_json: bool) -> None:
    if as_json:
        for found in run.checks:
            print_json(found.to_wire())
        return
    for found in run.checks:
        if found.status is CheckStatus.SAME and found.full_height is None:
            continue
        click.echo(f"{found.status.value}: {found.url}: {found.summary}")
        for line in found.details:
            click.echo(f"  {line}")
    counts = Counter(found.status for found in run.checks)
    parts = ", ".join(f"{counts[status]} {status.value}" for status in CheckStatus if counts[status])
    click.echo(f"{len(run.checks)} page{'' if len(run.checks) == 1 else 's'}: {parts or 'none checked'}")


def exit_status(run: CheckRun, is_update: bool, has_problems: bool) -> int:
    """The exit status of a run. An update replaces an image that could not be compared."""
    if not run.is_complete:
        return EXIT_STATUS
    failed = [each for each in run.checks if each.status is CheckStatus.FAILED]
    if has_problems or any(each.after is None or not is_update for each in failed):
        return FAILED
    return CHANGED if not is_update and {each.status for each in run.checks} - {CheckStatus.SAME} else 0
