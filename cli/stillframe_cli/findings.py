"""The findings of an audit, and their summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FindingKind(StrEnum):
    """`lost`, `storedTwice` and `stuck` are defects.

    `orphaned` is a leftover object that breaks no promise. `missed` is a period of a watch that nobody sent.
    """

    LOST = "lost"
    STORED_TWICE = "storedTwice"
    STUCK = "stuck"
    ORPHANED = "orphaned"
    MISSED = "missed"


DEFECTS = (FindingKind.LOST, FindingKind.STORED_TWICE, FindingKind.STUCK)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with a record or an object, and advice on how to fix it."""

    kind: FindingKind
    problem: str
    advice: str
    id: str | None = None
    s3_key: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return one line of `audit --json`."""
        values = {"finding": self.kind.value, "id": self.id, "s3Key": self.s3_key}
        values |= {"problem": self.problem, "advice": self.advice}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(slots=True)
class Summary:
    """The counts of an audit. `checked` is the number of objects that were compared with their records."""

    records: int = 0
    objects: int = 0
    checked: int = 0
    pending_messages: int = 0
    dead_letters: int = 0
    found: Counter[FindingKind] = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        """Whether the audit found no defect."""
        return not any(self.found[kind] for kind in DEFECTS)

    def to_wire(self) -> dict[str, int]:
        """Return the last line of `audit --json`."""
        return {
            "records": self.records,
            "objects": self.objects,
            **{kind.value: self.found[kind] for kind in FindingKind},
            "checked": self.checked,
            "pendingMessages": self.pending_messages,
            "deadLetters": self.dead_letters,
        }

    @property
    def verdict(self) -> str:
        """The result in words, for people."""
        counted = f"{_count(self.records, 'record')}, {_count(self.objects, 'object')}"
        if self.is_clean:
            rest = "nothing is lost, stored twice or stuck"
            missed = self.found[FindingKind.MISSED]
            also = f" {_count(missed, 'period')} of watches missed, as listed above." if missed else ""
            return f"All is well: {rest} ({counted}{self._waiting()}).{also}"
        words = {
            FindingKind.LOST: "lost",
            FindingKind.STORED_TWICE: "stored twice",
            FindingKind.STUCK: "stuck",
        }
        found = ", ".join(f"{self.found[kind]} {word}" for kind, word in words.items() if self.found[kind])
        return f"Not well: {found} ({counted}{self._waiting()}). Each line above ends with what to do about it."

    def _waiting(self) -> str:
        parts = {"waiting": self.pending_messages, "dead": self.dead_letters}
        return "".join(f", {_count(count, 'message')} {word}" for word, count in parts.items() if count)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
