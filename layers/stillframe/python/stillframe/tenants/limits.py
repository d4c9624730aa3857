"""How much a tenant may use: requests a minute and a day, and USD a month."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field

from stillframe.refused import Refused
from stillframe.request.options.wire import WireModel

# A part of every id of the tenant's screenshots, which it must not be mistaken for: no colon.
TENANT_NAME_RULE = "1 to 40 of A-Z a-z 0-9 . _ -, starting with a letter or digit"
TenantName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", description=TENANT_NAME_RULE, strict=True)
]


class Limits(WireModel):
    """The limits of a key. None is no limit.

    They are compared with what the key's tenant has used, whichever key it used: a second key is no second quota.
    """

    # An item of a newer version may have more.
    model_config = ConfigDict(extra="ignore")

    per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    per_day: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    usd_per_month: Annotated[float, Field(gt=0, le=1_000_000)] | None = None

    def to_wire(self) -> dict[str, Any]:
        """The limits that there are, by wire name."""
        return self.model_dump(by_alias=True, exclude_none=True)


class QuotaExceeded(Refused):
    """A tenant has used up a quota. `retry_after_seconds` is when it begins anew."""

    code = "QUOTA_EXCEEDED"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds

    @classmethod
    def of(cls, tenant: str, what: str, retry_after_seconds: int) -> Self:
        """The refusal of a tenant that may use no more than `what`."""
        return cls(
            f"the tenant {tenant} may use {what}, which is used up; it begins anew in {retry_after_seconds} s",
            retry_after_seconds,
        )
