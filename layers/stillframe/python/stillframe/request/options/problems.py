"""Validation errors as messages that name each option as it was sent, and say what it may be."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from .rules import Rules

MAX_NAME_CHARS = 60
# More names than these are left to the documentation.
MAX_LISTED_NAMES = 10
# How much of a name must be right for it to be taken for another one.
MIN_PREFIX_CHARS = 3
MIN_LIKENESS = 0.75
# Each is compared with every other one, and a message holds fewer anyway.
MAX_ERRORS = 30
UNKNOWN, MISSING = "extra_forbidden", "missing"
# Errors of our own validators, which say themselves what is wrong.
OWN = ("value_error", "assertion_error")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, at the place in the request where it was made."""

    path: Path
    kind: str
    message: str

    @property
    def name(self) -> str:
        return ".".join(str(part)[:MAX_NAME_CHARS] for part in self.path)

    @property
    def parent(self) -> Path:
        return self.path[:-1]


def describe_problems(error: ValidationError, model: type[BaseModel], given: Any, noun: str = "an option") -> str:
    """Every mistake that the validation found, in one line. Values are never quoted: they may be secrets.

    `given` is what was validated, and `noun` is what the names in it are.
    """
    rules = _rules_of(model)
    errors = error.errors(include_input=False, include_url=False)[:MAX_ERRORS]
    problems = _mistakes([_locate(item, given) for item in errors])
    return "; ".join(dict.fromkeys(_describe(each, rules, noun) for each in problems))


@functools.cache
def _rules_of(model: type[BaseModel]) -> Rules:
    return Rules(model)


def _locate(item: Any, given: Any) -> Problem:
    """The problem at its place in what was sent. Between the names, pydantic inserts the types it has tried."""
    path: Path = ()
    for part in item["loc"]:
        is_name = isinstance(given, dict) and part in given
        is_index = isinstance(given, list) and isinstance(part, int) and part < len(given)
        if is_name or is_index:
            given, path = given[part], (*path, part)
    if item["type"] == MISSING:
        path = (*path, item["loc"][-1])
    return Problem(path, item["type"], str(item["msg"]).removeprefix("Value error, "))


def _mistakes(problems: Sequence[Problem]) -> list[Problem]:
    """Where several types were tried, the mistakes of the one that fitted best: those that are deepest."""
    unknown = [each.parent for each in problems if each.kind == UNKNOWN]
    kept = []
    for each in problems:
        is_superseded = any(len(other.path) > len(each.path) == _shared(other, each) for other in problems)
        # Names that are missing where others are unknown are probably the same ones.
        is_misspelt = each.kind == MISSING and each.parent in unknown
        if each.kind in OWN or not (is_superseded or is_misspelt):
            kept.append(each)
    return kept


def _shared(one: Problem, other: Problem) -> int:
    """How many parts of their paths are the same, from the beginning."""
    return next(
        (place for place, (a, b) in enumerate(zip(one.path, other.path, strict=False)) if a != b),
        min(len(one.path), len(other.path)),
    )


def _describe(problem: Problem, rules: Rules, noun: str) -> str:
    if problem.kind == UNKNOWN:
        return f"{problem.name} is not {noun}{_hint(problem, rules)}"
    if problem.kind == MISSING:
        return f"{problem.name} is missing: it must be {rules.at(problem.path)}"
    rule = "" if problem.kind in OWN else rules.at(problem.path)
    message = f"must be {rule}" if rule else problem.message
    # A message of our own may already begin with the name, or with a name within it.
    return message if not problem.path or message.startswith(problem.name) else f"{problem.name}: {message}"


def _hint(problem: Problem, rules: Rules) -> str:
    """What was probably meant by an unknown name, or which names there are."""
    known = {name.lower(): name for name in rules.members(problem.parent)}
    sent = str(problem.path[-1])[:MAX_NAME_CHARS].lower().replace("_", "").replace("-", "")
    longer = [name for name in known if name.startswith(sent) and len(sent) >= MIN_PREFIX_CHARS]
    near = longer or difflib.get_close_matches(sent, known, n=1, cutoff=MIN_LIKENESS)
    if near:
        return f"; did you mean {known[near[0]]}?"
    return f"; expected {', '.join(known.values())}" if len(known) <= MAX_LISTED_NAMES else "; see docs/options.md"
