"""What tenants have used, as `GET /v1/usage` answers it."""

from __future__ import annotations

from stillframe.tenants.quota import WindowState
from stillframe.tenants.usage import MonthlyUsage

from .callers import Caller
from .models import TenantUsage, UsageList, WindowUsage
from .services import Services


def usage_of(services: Services, caller: Caller) -> UsageList:
    """The usage of the caller's tenant, or of every tenant that has a key if the caller has none."""
    if caller.key is None:
        tenants = sorted({key.tenant for key in services.keys.list()})
        return UsageList(items=[_monthly(services.usage.read(tenant)) for tenant in tenants])
    key = caller.key
    states = {state.window.noun: _window(state) for state in services.quotas.states(key.tenant, key.limits)}
    own = _monthly(services.usage.read(key.tenant))
    return UsageList(items=[own.model_copy(update={"usd_per_month": key.limits.usd_per_month, **states})])


def _monthly(usage: MonthlyUsage) -> TenantUsage:
    return TenantUsage.model_validate(usage.to_wire())


def _window(state: WindowState) -> WindowUsage:
    return WindowUsage(used=state.used, limit=state.limit, ends_in=state.ends_in_seconds)
