"""`scale`: show or change how many captures may run at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from ..console import json_option, print_json, print_note, print_table
from ..resources import STACK_VARIABLE, stack_outputs
from ..scaling_controls import Change, FleetScaling, FunctionScaling, connect


@click.command("scale")
@click.option(
    "--stack",
    metavar="STACK",
    default="Stillframe",
    envvar=STACK_VARIABLE,
    show_default=True,
    help="CloudFormation stack whose outputs name the function, or the cluster and the service.  "
    f"[env var: {STACK_VARIABLE}]",
)
@click.option("--function", "function_name", metavar="NAME", help="Use this Lambda function instead of the stack's.")
@click.option("--cluster", metavar="NAME", help="Use this ECS cluster instead of the stack's.")
@click.option("--service", metavar="NAME", help="Use this ECS service instead of the stack's.")
@click.option(
    "--max-concurrency", type=int, metavar="N", help="Set how many invocations the queue may cause at once, 2 to 1000."
)
@click.option(
    "--reserved-concurrency",
    type=click.IntRange(0),
    metavar="N",
    help="Reserve concurrency for the function; 0 ends the reservation.",
)
@click.option(
    "--tasks", type=click.IntRange(0), metavar="N", help="Set the number of tasks now. Scaling may change it again."
)
@click.option(
    "--min-tasks",
    type=click.IntRange(0),
    metavar="N",
    help="Set the lower bound of the fleet's scaling. A fleet at 0 tasks does not scale out again by itself.",
)
@click.option("--max-tasks", type=click.IntRange(0), metavar="N", help="Set the upper bound of the fleet's scaling.")
@click.option(
    "--pause", is_flag=True, help="Stop the function from receiving messages. They wait on the queue; none is lost."
)
@click.option("--resume", is_flag=True, help="Resume receiving messages from the queue.")
@click.option("--reset", is_flag=True, help="Go back to the values that the stack was deployed with, and resume.")
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
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
    reset: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show or change how many captures may run at once.

    Without an option that changes something, prints the present settings. A change takes effect immediately. A
    deployment does not revert it, because CloudFormation compares templates and not what runs: --reset does. To keep a
    change, put it into the configuration as well.

    \b
    Example:
      stillframe scale --max-concurrency 200 --reserved-concurrency 200
    """
    if pause and resume:
        raise click.UsageError("Use either --pause or --resume, not both.")
    outputs: dict[str, str] = {}
    if reset or not (function_name or (cluster and service)):
        outputs = stack_outputs(stack)
    if not (function_name or (cluster and service)):
        function_name = function_name or outputs.get("FunctionName")
        cluster, service = cluster or outputs.get("ClusterName"), service or outputs.get("ServiceName")
    mapping_id = outputs.get("EventSourceMapping") if function_name == outputs.get("FunctionName") else None
    function = FunctionScaling(connect("lambda"), function_name, mapping_id) if function_name else None
    fleet = (
        FleetScaling(connect("ecs"), connect("application-autoscaling"), cluster, service)
        if cluster and service
        else None
    )
    proposed = [
        *_propose_for_function(function, max_concurrency, reserved_concurrency, pause, resume),
        *_propose_for_fleet(fleet, tasks, min_tasks, max_tasks),
    ]
    if reset:
        if proposed:
            raise click.UsageError("Use --reset without other changes: it sets all of them to the deployed values.")
        changes = _propose_reset(function, fleet, outputs)
    else:
        changes = proposed
    _check_concurrency(function, changes)
    if reset and not changes:
        print_note("Everything is as it was deployed.")
    if not changes:
        _print_settings({**(function.to_wire() if function else {}), **(fleet.to_wire() if fleet else {})}, as_json)
        return
    _apply(changes, dry_run, yes)
    if as_json:
        print_json({"changed": not dry_run, "changes": [change.to_wire() for change in changes]})
    else:
        print_note("Nothing was changed (--dry-run)." if dry_run else "Changed.")


def _apply(changes: list[Change], dry_run: bool, yes: bool) -> None:
    for change in changes:
        print_note(f"{change.name}: {change.before} -> {change.after}")
    if dry_run:
        return
    if not yes:
        click.confirm("Apply these changes?", abort=True, err=True)
    for change in changes:
        change.apply()


def _propose_reset(
    function: FunctionScaling | None, fleet: FleetScaling | None, deployed: dict[str, str]
) -> list[Change]:
    """The settings that differ from those that the stack was deployed with."""
    wanted = [each for scaling in (function, fleet) if scaling for each in scaling.propose_reset(deployed)]
    return [change for change in wanted if change.before != change.after]


def _propose_for_function(
    function: FunctionScaling | None, max_concurrency: int | None, reserved: int | None, pause: bool, resume: bool
) -> Iterator[Change]:
    if function is None:
        if max_concurrency is not None or reserved is not None or pause or resume:
            raise click.UsageError(
                "This deployment has no function, so --max-concurrency, --reserved-concurrency, --pause and --resume "
                "do not apply. Use --tasks, --min-tasks and --max-tasks."
            )
        return
    if max_concurrency is not None:
        yield function.propose_max_concurrency(max_concurrency)
    if reserved is not None:
        yield function.propose_reserved_concurrency(reserved)
    if pause or resume:
        yield function.propose_paused(pause)


def _propose_for_fleet(
    fleet: FleetScaling | None, tasks: int | None, min_tasks: int | None, max_tasks: int | None
) -> Iterator[Change]:
    if fleet is None:
        if tasks is not None or min_tasks is not None or max_tasks is not None:
            raise click.UsageError(
                "This deployment has no fleet, so --tasks, --min-tasks and --max-tasks do not apply. "
                "A fleet is deployed with -c stillframe:compute=fargate."
            )
        return
    if min_tasks is not None or max_tasks is not None:
        yield fleet.propose_bounds(min_tasks, max_tasks)
    if tasks is not None:
        yield fleet.propose_tasks(tasks)


def _check_concurrency(function: FunctionScaling | None, changes: list[Change]) -> None:
    """Refuse a maximum concurrency above the reserved one: Lambda would throttle, and messages would be delayed."""
    if function is None:
        return
    after = {change.name: change.after for change in changes}
    maximum = after.get("maxConcurrency", function.max_concurrency)
    reserved = after.get("reservedConcurrency", function.reserved_concurrency)
    if maximum and reserved and maximum > reserved and {"maxConcurrency", "reservedConcurrency"} & after.keys():
        raise click.UsageError(
            f"The maximum concurrency of the queue ({maximum}) would be above the reserved concurrency ({reserved}), "
            f"and Lambda would throttle. Set both: --max-concurrency {maximum} --reserved-concurrency {maximum}"
        )


def _print_settings(settings: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(settings)
    else:
        print_table(("SETTING", "VALUE"), settings.items())
