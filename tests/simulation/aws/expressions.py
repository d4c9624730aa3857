"""DynamoDB's condition and update expressions, compiled once and evaluated on typed items.

Grammar: Amazon DynamoDB Developer Guide, "Condition and filter expressions" and "Update expressions". Only what
Stillframe uses is implemented; anything else raises NotImplementedError.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

RESERVED_WORDS = frozenset(ReservedKeywords.get_reserved_keywords())

Item = dict[str, Any]
Operand = Callable[[Item, Item], Any]
Condition = Callable[[Item, Item], bool]
Assignment = tuple[str, Operand]

TOKEN = re.compile(r"\s*(attribute_not_exists|attribute_exists|if_not_exists|[#:]?[A-Za-z_][\w.]*|<=|>=|<>|[=<>(),+])")


class ReservedWordError(Exception):
    """An expression uses a reserved word as an attribute name instead of a placeholder."""


@dataclass
class Update:
    """A compiled update. Assignments read the item as it was before the update."""

    assignments: list[Assignment] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)


@dataclass
class Parser:
    """A recursive-descent parser. Name placeholders are replaced at once, value placeholders at evaluation."""

    tokens: list[str]
    names: dict[str, str]
    position: int = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def consume(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token.upper() != expected):
            raise NotImplementedError(f"expected {expected or 'more'} at {token!r} of {self.tokens}")
        self.position += 1
        return token

    def consume_if(self, token: str) -> bool:
        if self.peek().upper() == token:
            self.position += 1
            return True
        return False

    def any_of(self) -> Condition:
        terms = [self.all_of()]
        while self.consume_if("OR"):
            terms.append(self.all_of())
        return terms[0] if len(terms) == 1 else lambda item, values: any(term(item, values) for term in terms)

    def all_of(self) -> Condition:
        terms = [self.term()]
        while self.consume_if("AND"):
            terms.append(self.term())
        return terms[0] if len(terms) == 1 else lambda item, values: all(term(item, values) for term in terms)

    def term(self) -> Condition:
        if self.consume_if("("):
            inner = self.any_of()
            self.consume(")")
            return inner
        for function, wanted in (("ATTRIBUTE_NOT_EXISTS", False), ("ATTRIBUTE_EXISTS", True)):
            if self.consume_if(function):
                name = self.bracketed_name()
                return lambda item, values, wanted=wanted: (name in item) is wanted  # type: ignore[misc]
        left = self.operand()
        if self.consume_if("IN"):
            return self.membership(left)
        return self.comparison(left, self.consume())

    def membership(self, left: Operand) -> Condition:
        self.consume("(")
        choices = [self.operand()]
        while self.consume_if(","):
            choices.append(self.operand())
        self.consume(")")
        return lambda item, values: left(item, values) in [choice(item, values) for choice in choices]

    def comparison(self, left: Operand, comparator: str) -> Condition:
        right = self.operand()
        if comparator == "=":
            return lambda item, values: _is_known(a := left(item, values)) and a == right(item, values)
        if comparator == "<":
            return lambda item, values: _is_less(left(item, values), right(item, values))
        if comparator == "<>":
            return lambda item, values: _is_known(a := left(item, values)) and a != right(item, values)
        raise NotImplementedError(f"comparator {comparator}")

    def operand(self) -> Operand:
        token = self.consume()
        if token.startswith(":"):
            return lambda item, values: values[token]
        name = self.resolve(token)
        return lambda item, values: item.get(name)

    def resolve(self, token: str) -> str:
        if token.startswith("#"):
            return self.names[token]
        if token.upper() in RESERVED_WORDS:
            raise ReservedWordError(token)
        return token

    def bracketed_name(self) -> str:
        self.consume("(")
        name = self.resolve(self.consume())
        self.consume(")")
        return name

    def update(self) -> Update:
        update = Update()
        while self.peek():
            clause = self.consume().upper()
            if clause not in ("SET", "REMOVE"):
                raise NotImplementedError(f"update clause {clause}")
            while True:
                if clause == "SET":
                    update.assignments.append(self.assignment())
                else:
                    update.removals.append(self.resolve(self.consume()))
                if not self.consume_if(","):
                    break
        return update

    def assignment(self) -> Assignment:
        name = self.resolve(self.consume())
        self.consume("=")
        value = self.value()
        if self.consume_if("+"):
            left, right = value, self.value()
            return name, lambda item, values: _sum(left(item, values), right(item, values))
        return name, value

    def value(self) -> Operand:
        if not self.consume_if("IF_NOT_EXISTS"):
            return self.operand()
        self.consume("(")
        name = self.resolve(self.consume())
        self.consume(",")
        otherwise = self.operand()
        self.consume(")")
        return lambda item, values: item[name] if name in item else otherwise(item, values)


def _is_known(value: Any) -> bool:
    return value is not None


def _is_less(left: Any, right: Any) -> bool:
    """Whether left < right: values compare only with values of the same type, a missing attribute with none."""
    if left is None or right is None or left.keys() != right.keys():
        return False
    ((kind, low),), ((_, high),) = left.items(), right.items()
    return bool(Decimal(low) < Decimal(high)) if kind == "N" else bool(low < high)


def _sum(left: Any, right: Any) -> Item:
    return {"N": str(Decimal(left["N"]) + Decimal(right["N"]))}


def _tokens(text: str) -> tuple[str, ...]:
    tokens, position = [], 0
    text = text.strip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise NotImplementedError(f"cannot parse {text[position:]!r}")
        tokens.append(match.group(1))
        position = match.end()
    return tuple(tokens)


@functools.lru_cache(maxsize=1000)
def compile_condition(text: str, names: tuple[tuple[str, str], ...]) -> tuple[Condition, frozenset[str]]:
    """The condition, and the placeholders that it uses. An empty condition always holds."""
    if not text:
        return (lambda item, values: True), frozenset()
    tokens = _tokens(text)
    parser = Parser(list(tokens), dict(names))
    condition = parser.any_of()
    if parser.peek():
        raise NotImplementedError(f"cannot parse {parser.peek()!r} of {text!r}")
    return condition, _placeholders(tokens)


@functools.lru_cache(maxsize=1000)
def compile_update(text: str, names: tuple[tuple[str, str], ...]) -> tuple[Update, frozenset[str]]:
    """The update, and the placeholders that it uses."""
    tokens = _tokens(text)
    return Parser(list(tokens), dict(names)).update(), _placeholders(tokens)


def _placeholders(tokens: tuple[str, ...]) -> frozenset[str]:
    return frozenset(token for token in tokens if token[0] in "#:")
