"""What one examination found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """`failed` keeps this machine from capturing. A `warning` does not, but should be known."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was examined, how it is, and what to do about it."""

    subject: str
    verdict: Verdict
    detail: str
    remedy: str | None = None

    def to_wire(self) -> dict[str, str]:
        """One line of `doctor --json`."""
        values = {"subject": self.subject, "verdict": self.verdict.value, "detail": self.detail, "remedy": self.remedy}
        return {name: value for name, value in values.items() if value is not None}
