"""Saved queries for CloudWatch Logs Insights. Each answers a question in docs/runbook.md."""

from __future__ import annotations

from aws_cdk import aws_logs as logs
from constructs import Construct

from stillframe import log_messages

IS_CAPTURE = f"filter message = '{log_messages.CAPTURE}'"
BROWSER_MESSAGES = [log_messages.BROWSER_REPLACED, log_messages.BROWSER_MEMORY, log_messages.BROWSER_STARTED]
QUERIES = {
    "Failures by code": (f"{IS_CAPTURE} and outcome = 'failed' | stats count() as n by errorCode | sort n desc"),
    "Failures by host": (
        f"{IS_CAPTURE} and outcome = 'failed' | parse url '*://*/*' as scheme, host, path "
        "| stats count() as n by host, errorCode | sort n desc | limit 50"
    ),
    "Slowest captures": (
        f"{IS_CAPTURE} and outcome = 'captured' "
        "| fields id, url, durationMs, renderMs, cpuMs, awsMs.claim, awsMs.put, awsMs.complete, requests "
        "| sort durationMs desc | limit 50"
    ),
    "Who won and who lost": (
        f"{IS_CAPTURE} and outcome = 'skipped' | fields @timestamp, id, reason, winner, messageId | limit 200"
    ),
    "Stale claims": (
        f"filter message = '{log_messages.STALE_CLAIM}' | fields @timestamp, id, staleWorkerId, staleForMs | limit 200"
    ),
    "Blank screenshots": (
        f"{IS_CAPTURE} and blank = 1 | fields @timestamp, id, url, httpStatus, unsettled | limit 200"
    ),
    "Browsers replaced": (f"filter message in {BROWSER_MESSAGES} | stats count() as n by message, bin(5m)"),
    "One screenshot": "filter id = 'PUT THE ID HERE' | sort @timestamp asc",
}


class SavedQueries(Construct):
    """The saved queries, in the folder `stillframe` of the console."""

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
