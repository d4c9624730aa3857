"""DynamoDB's condition and update expressions, compiled once and evaluated on typed items.

Grammar: Amazon DynamoDB Developer Guide, "Condition and filter expressions" and "Update expressions". The part
of it that Stillframe uses; anything else raises NotImplementedError.
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
    """An attribute is named by a word that only a placeholder may stand for."""


@dataclass
class Update:
    """A compiled update: assignments read the item as it was before any of them."""

    assignments: list[Assignment] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)


@dataclass
class Parser:
    """Recursive descent over the tokens. Name placeholders are replaced, value placeholders looked up later."""

    tokens: list[str]
    names: dict[str, str]
    position: int = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token.upper() != expected):
            raise NotImplementedError(f"expected {expected or 'more'} at {token!r} of {self.tokens}")
        self.position += 1
        return token

    def accepts(self, token: str) -> bool:
        if self.peek().upper() == token:
            self.position += 1
            return True
        return False

    def any_of(self) -> Condition:
        terms = [self.all_of()]
        while self.accepts("OR"):
            terms.append(self.all_of())
        return terms[0] if len(terms) == 1 else lambda item, values: any(term(item, values) for term in terms)

    def all_of(self) -> Condition:
        terms = [self.term()]
        while self.accepts("AND"):
            terms.append(self.term())
        return terms[0] if len(terms) == 1 else lambda item, values: all(term(item, values) for term in terms)

    def term(self) -> Condition:
        if self.accepts("("):
            inner = self.any_of()
            self.take(")")
            return inner
        for function, wanted in (("ATTRIBUTE_NOT_EXISTS", False), ("ATTRIBUTE_EXISTS", True)):
            if self.accepts(function):
                name = self.bracketed_name()
                return lambda item, values, wanted=wanted: (name in item) is wanted  # type: ignore[misc]
        left = self.operand()
        if self.accepts("IN"):
            return self.membership(left)
        return self.comparison(left, self.take())

    def membership(self, left: Operand) -> Condition:
        self.take("(")
        choices = [self.operand()]
        while self.accepts(","):
            choices.append(self.operand())
        self.take(")")
        return lambda item, values: left(item, values) in [choice(item, values) for choice in choices]

    def comparison(self, left: Operand, sign: str) -> Condition:
        right = self.operand()
        if sign == "=":
            return lambda item, values: _is_known(a := left(item, values)) and a == right(item, values)
        if sign == "<":
            return lambda item, values: _is_less(left(item, values), right(item, values))
        raise NotImplementedError(f"comparator {sign}")

    def operand(self) -> Operand:
        token = self.take()
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
        self.take("(")
        name = self.resolve(self.take())
        self.take(")")
        return name

    def update(self) -> Update:
        update = Update()
        while self.peek():
            clause = self.take().upper()
            if clause not in ("SET", "REMOVE"):
                raise NotImplementedError(f"update clause {clause}")
            while True:
                if clause == "SET":
                    update.assignments.append(self.assignment())
                else:
                    update.removals.append(self.resolve(self.take()))
                if not self.accepts(","):
                    break
        return update

    def assignment(self) -> Assignment:
        name = self.resolve(self.take())
        self.take("=")
        value = self.value()
        if self.accepts("+"):
            left, right = value, self.value()
            return name, lambda item, values: _sum(left(item, values), right(item, values))
        return name, value

    def value(self) -> Operand:
        if not self.accepts("IF_NOT_EXISTS"):
            return self.operand()
        self.take("(")
        name = self.resolve(self.take())
        self.take(",")
        otherwise = self.operand()
        self.take(")")
        return lambda item, values: item[name] if name in item else otherwise(item, values)


def _is_known(value: Any) -> bool:
    return value is not None


def _is_less(left: Any, right: Any) -> bool:
    """Only values of one type compare; a missing attribute is less than nothing."""
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
            raise NotImplementedError(f"cannot read {text[position:]!r}")
        tokens.append(match.group(1))
        position = match.end()
    return tuple(tokens)


@functools.lru_cache(maxsize=1000)
def compile_condition(text: str, names: tuple[tuple[str, str], ...]) -> tuple[Condition, frozenset[str]]:
    """The condition, and the placeholders it uses. No condition always holds."""
    if not text:
        return (lambda item, values: True), frozenset()
    tokens = _tokens(text)
    parser = Parser(list(tokens), dict(names))
    condition = parser.any_of()
    if parser.peek():
        raise NotImplementedError(f"cannot read {parser.peek()!r} of {text!r}")
    return condition, _placeholders(tokens)


@functools.lru_cache(maxsize=1000)
def compile_update(text: str, names: tuple[tuple[str, str], ...]) -> tuple[Update, frozenset[str]]:
    """The update, and the placeholders it uses."""
    tokens = _tokens(text)
    return Parser(list(tokens), dict(names)).update(), _placeholders(tokens)


def _placeholders(tokens: tuple[str, ...]) -> frozenset[str]:
    return frozenset(token for token in tokens if token[0] in "#:")
