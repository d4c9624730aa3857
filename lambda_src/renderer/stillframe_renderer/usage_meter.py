"""Counts what each tenant's deliveries cost, for its quota in USD."""

from __future__ import annotations

from stillframe.cost import worker_architecture
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.tenants.usage import UsageBook


class UsageMeter:
    """An observer of deliveries. Without a tenant, it does nothing; with one, it writes once for each delivery.

    Failed deliveries cost as much as others, so they count too. Skipped ones cost next to nothing, and do not. What a
    worker spends before it is killed is not counted, nor is a write that fails.
    """

    def __init__(self, usage: UsageBook) -> None:
        self._usage = usage
        self._architecture = worker_architecture()

    def __call__(self, outcome: Outcome) -> None:
        """Count one delivery. Raises ServiceUnavailable."""
        if outcome.tenant is None or outcome.cost is None or outcome.kind is OutcomeKind.SKIPPED:
            return
        captures = int(outcome.kind is OutcomeKind.CAPTURED)
        self._usage.add(outcome.tenant, captures, outcome.cost.usd[self._architecture])
