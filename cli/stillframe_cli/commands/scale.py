"""`scale`: the emergency lever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from ..console import json_option, note, print_json, print_table
from ..levers import Change, FleetLevers, FunctionLevers, connect
from ..resources import stack_outputs


@click.command("scale")
@click.option("--stack", metavar="STACK", default="Stillframe", show_default=True, help="The stack that renders.")
@click.option("--function", "function_name", metavar="NAME", help="Instead of the stack's.")
@click.option("--cluster", metavar="NAME", help="Instead of the stack's.")
@click.option("--service", metavar="NAME", help="Instead of the stack's.")
@click.option(
    "--max-concurrency", type=int, metavar="N", help="Invocations that the queue may cause at once, 2 to 1000."
)
@click.option("--reserved-concurrency", type=click.IntRange(0), metavar="N", help="0 gives back what is reserved.")
@click.option("--tasks", type=click.IntRange(0), metavar="N", help="Tasks of the fleet, until scaling moves them.")
@click.option("--min-tasks", type=click.IntRange(0), metavar="N", help="The floor of the fleet's scaling.")
@click.option("--max-tasks", type=click.IntRange(0), metavar="N", help="The ceiling of the fleet's scaling.")
@click.option("--pause", is_flag=True, help="The function takes nothing from the queue; nothing is lost.")
@click.option("--resume", is_flag=True, help="It does again.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def command(
    stack: str,
    function_name: str | None,
    cluster: str | None,
    service: str | None,
    max_concurrency: int | None,
    reserved_concurrency: int | None,
    tasks: int | None,
    min_tasks: int | None,
    max_tasks: int | None,
    pause: bool,
    resume: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show how much the workers may do at once, and change it: for an emergency.

    The next deployment sets what the configuration says: put there what shall stay.
    """
    if pause and resume:
        raise click.UsageError("either --pause or --resume")
    if not (function_name or (cluster and service)):
        outputs = stack_outputs(stack)
        function_name = function_name or outputs.get("FunctionName")
        cluster, service = cluster or outputs.get("ClusterName"), service or outputs.get("ServiceName")
    function = FunctionLevers(connect("lambda"), function_name) if function_name else None
    fleet = (
        FleetLevers(connect("ecs"), connect("application-autoscaling"), cluster, service)
        if cluster and service
        else None
    )
    changes = [
        *_of_function(function, max_concurrency, reserved_concurrency, pause, resume),
        *_of_fleet(fleet, tasks, min_tasks, max_tasks),
    ]
    _check_together(function, changes)
    if not changes:
        _show({**(function.to_wire() if function else {}), **(fleet.to_wire() if fleet else {})}, as_json)
        return
    _apply(changes, dry_run, yes)
    if as_json:
        print_json({"changed": not dry_run, "changes": [change.to_wire() for change in changes]})
    else:
        note("nothing was changed (--dry-run)" if dry_run else "changed")


def _apply(changes: list[Change], dry_run: bool, yes: bool) -> None:
    for change in changes:
        note(f"{change.name}: {change.before} -> {change.after}")
    if dry_run:
        return
    if not yes:
        click.confirm("Change it?", abort=True, err=True)
    for change in changes:
        change.apply()


def _of_function(
    function: FunctionLevers | None, most: int | None, reserved: int | None, pause: bool, resume: bool
) -> Iterator[Change]:
    if function is None:
        if most is not None or reserved is not None or pause or resume:
            raise click.UsageError("this deployment has no function: --max-concurrency and --pause are of one")
        return
    if most is not None:
        yield function.bound(most)
    if reserved is not None:
        yield function.reserve(reserved)
    if pause or resume:
        yield function.pause(pause)


def _of_fleet(fleet: FleetLevers | None, tasks: int | None, low: int | None, high: int | None) -> Iterator[Change]:
    if fleet is None:
        if tasks is not None or low is not None or high is not None:
            raise click.UsageError("this deployment has no fleet: --tasks is of one (-c stillframe:compute=fargate)")
        return
    if low is not None or high is not None:
        yield fleet.bound(low, high)
    if tasks is not None:
        yield fleet.desire(tasks)


def _check_together(function: FunctionLevers | None, changes: list[Change]) -> None:
    """A mapping that may cause more than is reserved has its invocations throttled, and its messages held back."""
    if function is None:
        return
    after = {change.name: change.after for change in changes}
    bound = after.get("maxConcurrency", function.max_concurrency)
    reserved = after.get("reservedConcurrency", function.reserved_concurrency)
    if bound and reserved and bound > reserved and {"maxConcurrency", "reservedConcurrency"} & after.keys():
        raise click.UsageError(
            f"the mapping's maximum ({bound}) would be above the reserved concurrency ({reserved}): "
            f"invocations would be throttled. Set both: --max-concurrency {bound} --reserved-concurrency {bound}"
        )


def _show(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(figures)
    else:
        print_table(("SETTING", "VALUE"), figures.items())
