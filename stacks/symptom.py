"""A symptom: a reason to alert someone, and where the runbook tells of it."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch

RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True, slots=True)
class Symptom:
    """A reason to alert someone: a metric, its threshold, for how many periods, and the runbook entry to read."""

    name: str
    metric: cloudwatch.IMetric
    threshold: float
    entry: str
    meaning: str
    periods: int = 1

    @property
    def description(self) -> str:
        return f"{self.meaning} {RUNBOOK}#{self.entry}"
