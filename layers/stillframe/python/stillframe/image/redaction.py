"""Redacts secrets from everything that a capture stores, in case a page displays a secret that it received."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

from stillframe.errors import CaptureError
from stillframe.image.extra import Extra
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import RenderResult

ASTERISKS = "**********"
# Shorter texts occur everywhere by chance and are not redacted.
MIN_SECRET_CHARS = 4
# The extensions of extra objects that are text.
TEXT_EXTENSIONS = frozenset({"html", "txt", "mhtml", "har", "json"})
# MHTML uses quoted-printable, in which a soft line break may occur anywhere (RFC 2045, 6.7).
SOFT_BREAK = "(?:=\\r?\\n)?"


def redacted(result: RenderResult, secrets: Iterable[str]) -> RenderResult:
    """The same result with secrets redacted from its facts and extra objects. The screenshot itself is unchanged."""
    pattern = _pattern([secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS])
    if pattern is None:
        return result
    facts = PageFacts.model_validate(_clean(result.facts.model_dump(), pattern))
    return replace(
        result,
        facts=facts,
        extras=tuple(_clean_extra(extra, pattern) for extra in result.extras),
        elements=tuple(
            replace(each, selector=_clean(each.selector, pattern), text=_clean(each.text, pattern))
            for each in result.elements
        ),
    )


@contextlib.contextmanager
def redacting_errors(secrets: Iterable[str]) -> Iterator[None]:
    """Redact secrets from the message of a CaptureError, which may quote what the page logged or requested."""
    try:
        yield
    except CaptureError as error:
        pattern = _pattern([secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS])
        if pattern is not None:
            error.message = pattern.sub(ASTERISKS, error.message)
            error.args = (error.message,)
        raise


def _pattern(secrets: Sequence[str]) -> re.Pattern[str] | None:
    forms = {form for secret in secrets for form in _forms(secret)}
    if not forms:
        return None
    # Longest first: one form may be a prefix of another.
    alternatives = [_with_soft_breaks(form) for form in sorted(forms, key=len, reverse=True)]
    return re.compile("|".join(alternatives))


def _forms(secret: str) -> set[str]:
    """The encodings in which a text may occur in a page, a URL or an archive."""
    plain = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    return plain | {json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode()}


def _with_soft_breaks(form: str) -> str:
    characters = (re.escape(char) if char != "=" else "=(?:3D)?" for char in form)
    return SOFT_BREAK.join(characters)


def _clean(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(ASTERISKS, value)
    if isinstance(value, dict):
        return {name: _clean(each, pattern) for name, each in value.items()}
    if isinstance(value, list):
        return [_clean(each, pattern) for each in value]
    return value


def _clean_extra(extra: Extra, pattern: re.Pattern[str]) -> Extra:
    if extra.extension not in TEXT_EXTENSIONS:
        return extra
    # Latin-1 maps every byte to itself, so everything but the secrets is unchanged.
    return replace(extra, data=pattern.sub(ASTERISKS, extra.data.decode("latin-1")).encode("latin-1"))
