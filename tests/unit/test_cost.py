"""How much CPU time and billed time a capture used, and what that costs."""

from __future__ import annotations

import pytest

from stillframe.cost import MB_PER_VCPU, Cost, billed_memory_mb, lambda_usd
from stillframe_renderer.load.metering import Account, Meter


class Machine:
    """A clock and a counter of CPU seconds, both advanced by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.cpu = 7.0

    def work(self, seconds: float, cpu: float) -> None:
        self.now += seconds
        self.cpu += cpu


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def meter(machine: Machine) -> Meter:
    return Meter(lambda: machine.cpu, 2048, lambda: machine.now)


def test_a_single_capture_is_charged_for_everything(machine: Machine, meter: Meter) -> None:
    # Given CPU time that was used before any capture
    machine.work(30, 1)
    # When a capture is in progress
    with meter.account() as account:
        machine.work(2, 1.5)
    machine.work(10, 4)
    # Then it is charged for what was used meanwhile, and for nothing else
    assert account.cost == Cost(cpu_ms=1500, billed_ms=2000, memory_mb=2048)


def test_concurrent_captures_share_the_cost(machine: Machine, meter: Meter) -> None:
    # Given a capture during which another begins and ends
    with meter.account() as first:
        machine.work(1, 1)
        with meter.account() as second:
            machine.work(1, 2)
        machine.work(1, 1)
    # Then they share the time in which both were running
    assert [first.cpu_seconds, second.cpu_seconds] == pytest.approx([3, 1])
    assert [first.billed_seconds, second.billed_seconds] == pytest.approx([2.5, 0.5])


def test_the_shares_add_up_to_the_total(machine: Machine, meter: Meter) -> None:
    # Given many captures that begin and end in no particular order
    accounts: list[Account] = []
    blocks = [meter.account() for _ in range(7)]
    for number in (0, 3, 1):
        accounts.append(blocks[number].__enter__())
        machine.work(0.7, 0.9)
    blocks[3].__exit__(None, None, None)
    for number in (2, 5, 4, 6):
        machine.work(0.11, 0.2)
        accounts.append(blocks[number].__enter__())
    for number in (6, 0, 5, 1, 2, 4):
        machine.work(0.3, 0.5)
        blocks[number].__exit__(None, None, None)
    # Then nothing is lost and nothing is counted twice
    assert sum(account.billed_seconds for account in accounts) == pytest.approx(machine.now - 100)
    assert sum(account.cpu_seconds for account in accounts) == pytest.approx(machine.cpu - 7)


def test_the_price_follows_the_billed_time_on_either_architecture() -> None:
    cost = Cost(cpu_ms=200, billed_ms=250, memory_mb=2048)
    assert cost.usd == {"arm64": pytest.approx(6.6667e-6), "x86": pytest.approx(8.33335e-6)}
    assert lambda_usd(0.25, 2048, "arm64") == cost.usd["arm64"]


def test_the_billed_memory_is_the_functions() -> None:
    assert billed_memory_mb(3008) == 3008
    assert billed_memory_mb(None) % MB_PER_VCPU == 0
