"""A watch as somebody declares it, on the command line or in a file, checked before anything is changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic.alias_generators import to_snake

from stillframe.errors import CaptureError
from stillframe.intake import check
from stillframe.request.capture_request import CaptureRequest, without_credentials
from stillframe.request.options import BASELINE, PREVIOUS, RenderOptions
from stillframe.request.options.access import REDACTED
from stillframe.watches.schedule import Schedule

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,47}")
NAME_RULE = "1 to 48 of A-Z a-z 0-9 -, starting with a letter or digit"
MAX_URLS = 1000
# With its schedules, a watch must fit into an item of 400 KB.
MAX_URL_BYTES = 256 * 1024
# FlexibleTimeWindow of EventBridge Scheduler, MaximumWindowInMinutes.
MAX_SPREAD_MINUTES = 1440
KEYS = ("urls", "every", "cron", "timezone", "options", "compare", "confirm", "spread")
# What `compare` in a file stands for.
COMPARISONS: dict[Any, str | None] = {True: PREVIOUS, False: None, PREVIOUS: PREVIOUS, BASELINE: BASELINE}


@dataclass(frozen=True, slots=True)
class Declared:
    """A watch as it should be. `spread_minutes` is the time within which the captures of a period begin.

    `compare_to` is what each capture is compared with: `previous`, `baseline` or nothing. With `confirm`, a change
    counts once two captures in a row show it.
    """

    name: str
    urls: tuple[str, ...]
    schedule: Schedule
    options: dict[str, Any] = field(default_factory=dict)
    compare_to: str | None = None
    confirm: bool = False
    spread_minutes: int = 0

    @classmethod
    def of(cls, name: str, values: Mapping[str, Any]) -> Self:
        """Check the values of a watch, by their names in a file. Raises ValueError, which names what is wrong."""
        unknown = [str(key) for key in values if key not in KEYS]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: does not exist; expected {', '.join(KEYS)}")
        if not NAME.fullmatch(name):
            raise ValueError(f"the name must be {NAME_RULE}")
        declared = cls(
            name,
            tuple(dict.fromkeys(_texts("urls", values.get("urls")))),
            _schedule(values),
            of_type("options", values.get("options", {}), dict),
            _compared(values.get("compare", False)),
            of_type("confirm", values.get("confirm", False), bool),
            of_type("spread", values.get("spread", 0), int),
        )
        declared._check()
        return declared

    def _check(self) -> None:
        if not self.urls:
            raise ValueError("urls: has none")
        if len(self.urls) > MAX_URLS or sum(len(url.encode()) for url in self.urls) > MAX_URL_BYTES:
            raise ValueError(f"urls: more than {MAX_URLS:,}, or than {MAX_URL_BYTES:,} bytes; make several watches")
        if not 0 <= self.spread_minutes <= MAX_SPREAD_MINUTES:
            raise ValueError(f"spread: must be between 0 and {MAX_SPREAD_MINUTES} minutes")
        for name, key in (("compareTo", "compare"), ("confirmChanges", "confirm")):
            if {name, to_snake(name)} & self.options.keys():
                raise ValueError(f"options.{name}: belongs to the watch; use {key}")
        if self.confirm and self.compare_to is None:
            raise ValueError("confirm: needs compare, as the next capture confirms a change")
        for url in self.urls:
            try:
                check(CaptureRequest(url=url, options=self.options))
            except CaptureError as error:
                raise ValueError(f"{without_credentials(url)}: {error.message}") from error
        shown = RenderOptions.parse(self.options).model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if _has_secret(shown):
            raise ValueError('options: have a secret, which a watch would keep; write {"secretArn": "arn:..."} for it')


def _schedule(values: Mapping[str, Any]) -> Schedule:
    every, cron = values.get("every"), values.get("cron")
    if (every is None) == (cron is None):
        raise ValueError("must have either every (15m, 1h, 1d) or cron ('30 6 * * *')")
    if every is not None:
        if "timezone" in values:
            raise ValueError("timezone: belongs to cron; an interval begins at midnight UTC")
        return Schedule.every(of_type("every", every, str))
    return Schedule.of(of_type("cron", cron, str), of_type("timezone", values.get("timezone", "UTC"), str))


def _compared(value: Any) -> str | None:
    if not isinstance(value, bool | str) or value not in COMPARISONS:
        raise ValueError("compare: must be true, false, previous or baseline")
    return COMPARISONS[value]


def _texts(name: str, value: object) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise ValueError(f"{name}: must be a URL or a list of them")
    return values


def of_type(name: str, value: Any, expected: type) -> Any:
    """A value of exactly this type. Raises ValueError, which begins with the name."""
    if type(value) is not expected:
        names = {dict: "a mapping", bool: "true or false", int: "a whole number", str: "a text"}
        raise ValueError(f"{name}: must be {names[expected]}")
    return value


def _has_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_secret, value.values()))
    return any(map(_has_secret, value)) if isinstance(value, list) else value == REDACTED
