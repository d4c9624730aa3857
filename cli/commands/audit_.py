"""`audit`: is anything lost, stored twice, or stuck?"""

from __future__ import annotations

import sys

import click

from stillframe.clients import Clients
from stillframe.settings import Settings

from ..auditor import Auditor, Findings
from ..console import json_option, note, print_json, print_table
from ..resources import resource_options


@click.command("audit")
@resource_options
@json_option
def command(settings: Settings, clients: Clients, as_json: bool) -> None:
    """Compare records, objects and queues. Exit status 1 when something is lost, stored twice or stuck.

    Run it while no producer sends: it reads one thing after the other.
    """
    findings = Auditor(clients, settings).run(progress=lambda text: note(f"audit: {text}"))
    problems = list(_problems(findings))
    if as_json:
        for kind, detail in problems:
            print_json({"finding": kind, **detail})
        print_json(findings.summary())
    else:
        if problems:
            print_table(("FINDING", "WHAT"), ((kind, " ".join(map(str, d.values()))) for kind, d in problems))
        print_table(tuple(findings.summary()), [tuple(findings.summary().values())])
    sys.exit(0 if findings.is_clean else 1)


def _problems(findings: Findings) -> list[tuple[str, dict[str, object]]]:
    groups = {
        "lost": findings.lost,
        "storedTwice": findings.stored_twice,
        "stuck": findings.stuck,
        "orphaned": findings.orphaned,
    }
    return [(kind, detail) for kind, details in groups.items() for detail in details]
