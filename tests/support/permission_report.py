"""Compares the calls that were recorded with what policies allow: calls seen, actions allowed, and what is unused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .needed_permissions import Permission, needed
from .policies import as_list, covers, permits
from .recorded_calls import RecordedCall

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class PermissionReport:
    """What one policy allows, and the calls of those who have it.

    `reasons` say why an action is allowed that no call used: by action, or by action and the end of the resource.
    """

    policy: str
    statements: Sequence[Statement]
    calls: Sequence[RecordedCall]
    account: str
    reasons: Mapping[str, str]

    @property
    def permissions(self) -> list[Permission]:
        """What the calls need, each once."""
        return list(
            {
                (str(each), *each.context.items()): each for call in self.calls for each in needed(call, self.account)
            }.values()
        )

    @property
    def denied(self) -> list[str]:
        """What some call needs and no statement allows."""
        return [str(each) for each in self.permissions if not permits(self.statements, each)]

    @property
    def allowed(self) -> list[str]:
        """Each action with each resource that some statement allows it on."""
        return sorted({str(grant) for grant, _ in self._grants()})

    @property
    def unused(self) -> list[str]:
        """What is allowed, and what no call needed. It may be used by another statement that allows the same."""
        used = {str(grant) for grant, each in self._grants() if any(covers(each, need) for need in self.permissions)}
        return [each for each in self.allowed if each not in used]

    @property
    def unexplained(self) -> list[str]:
        return [each for each in self.unused if self._reason(each) is None]

    @property
    def superfluous_reasons(self) -> list[str]:
        """Reasons for what is used, or not allowed at all."""
        return [reason for reason in self.reasons if not any(_is_for(reason, each) for each in self.unused)]

    def to_wire(self) -> dict[str, Any]:
        return {
            "policy": self.policy,
            "callsSeen": dict(sorted(Counter(call.name for call in self.calls).items())),
            "actionsAllowed": self.allowed,
            "denied": self.denied,
            "unused": {each: self._reason(each) for each in self.unused},
        }

    def __str__(self) -> str:
        unused = [f"  unused: {each}: {self._reason(each) or 'NO REASON'}" for each in self.unused]
        denied = [f"  NOT ALLOWED: {each}" for each in self.denied]
        seen = len({call.name for call in self.calls})
        line = f"{self.policy}: {len(self.calls)} calls seen of {seen} operations, {len(self.allowed)} actions allowed"
        return "\n".join([f"{line}, {len(unused)} unused", *denied, *unused])

    def _grants(self) -> list[tuple[Permission, Statement]]:
        return [
            (Permission(action, resource), {**statement, "Action": action, "Resource": resource})
            for statement in self.statements
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        ]

    def _reason(self, unused: str) -> str | None:
        return next((text for reason, text in self.reasons.items() if _is_for(reason, unused)), None)


def _is_for(reason: str, unused: str) -> bool:
    action, _, resource = unused.partition(" on ")
    wanted, _, end = reason.partition(" on ")
    return action == wanted and resource.endswith(end)
