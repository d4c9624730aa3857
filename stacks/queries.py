"""Saved queries for CloudWatch Logs Insights, each for a question that docs/runbook.md asks."""

from __future__ import annotations

from aws_cdk import aws_logs as logs
from constructs import Construct

QUERIES = {
    "Failures by code": (
        "filter message = 'capture' and outcome = 'failed' | stats count() as n by errorCode | sort n desc"
    ),
    "Failures by host": (
        "filter message = 'capture' and outcome = 'failed' | parse url '*://*/*' as scheme, host, path "
        "| stats count() as n by host, errorCode | sort n desc | limit 50"
    ),
    "Slowest captures": (
        "filter message = 'capture' and outcome = 'captured' "
        "| fields id, url, durationMs, renderMs, cpuMs, requests | sort durationMs desc | limit 50"
    ),
    "Who won and who lost": (
        "filter message = 'capture' and outcome = 'skipped' "
        "| fields @timestamp, id, reason, winner, messageId | limit 200"
    ),
    "Stale claims": (
        "filter message = 'processing appears stale, will retry' "
        "| fields @timestamp, id, staleWorkerId, staleForMs | limit 200"
    ),
    "Blank pictures": (
        "filter message = 'capture' and blank = 1 | fields @timestamp, id, url, httpStatus, unsettled | limit 200"
    ),
    "Browsers replaced": (
        "filter message in ['the browser is replaced', 'the browser has too much memory', 'browser started'] "
        "| stats count() as n by message, bin(5m)"
    ),
    "One screenshot": "filter id = 'PUT THE ID HERE' | sort @timestamp asc",
}


class SavedQueries(Construct):
    """In the folder `stillframe` of the console."""

    def __init__(self, scope: Construct, construct_id: str, *, groups: list[logs.LogGroup]) -> None:
        super().__init__(scope, construct_id)
        for name, query in QUERIES.items():
            logs.CfnQueryDefinition(
                self,
                name.title().replace(" ", ""),
                name=f"stillframe/{self.node.addr[:8]}/{name}",
                query_string=query,
                log_group_names=[group.log_group_name for group in groups],
            )
