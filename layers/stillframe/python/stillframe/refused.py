"""What can be asked about a screenshot and is not possible: nothing was changed by asking."""

from __future__ import annotations

from typing import ClassVar, Self


class Refused(Exception):
    """Base of the refusals. `code` is what a program reads, `message` what a person reads."""

    code: ClassVar[str] = "REFUSED"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnknownScreenshot(Refused):
    """There is no record with the id: it was never sent, or its retention is over."""

    code = "NOT_FOUND"

    @classmethod
    def of(cls, screenshot_id: str) -> Self:
        return cls(f"There is no record with the id {screenshot_id}.")


class NotCaptured(Refused):
    """The screenshot has no image, or not the extra object that is asked for."""

    code = "NOT_CAPTURED"


class NotRetryable(Refused):
    """The request of the screenshot cannot be sent again."""

    code = "NOT_RETRYABLE"
