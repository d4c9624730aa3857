"""The number of tabs is found by measurement: close to the best within a few captures, always within its bounds."""

from __future__ import annotations

import heapq
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from stillframe_renderer.load.tabs import TabGate

CPUS = 2.0


@dataclass
class Machine:
    """Two CPUs on which pages wait and compute. The speed of a number of tabs is calculated, not timed.

    `waits` and `computes` are seconds per page. When tabs compute more than the CPUs provide, all of them slow down.
    """

    waits: float
    computes: float
    memory: float = 0.1
    now: float = 0.0
    captures: int = 0
    history: list[int] = field(default_factory=list)

    def speed(self, tabs: int) -> float:
        """Captures per second, from the bounds of a closed queueing network (asymptotic bounds, balanced)."""
        return min(CPUS / self.computes, tabs / (self.waits + self.computes * max(1.0, 0.35 * tabs)))

    def share(self, tabs: int) -> float:
        return min(1.0, self.speed(tabs) * self.computes / CPUS)

    def best(self, ceiling: int) -> float:
        return max(self.speed(tabs) for tabs in range(1, ceiling + 1))

    def run(self, tabs: TabGate, captures: int) -> None:
        """Run this many captures, with as many in progress as there are tabs; they end one after the other."""
        blocks: list[tuple[float, int]] = []
        inside = {}
        for number in range(captures):
            while len(blocks) < tabs.width:
                key = number * 1000 + len(blocks)
                block = tabs.acquire()
                block.__enter__()
                inside[key] = block
                heapq.heappush(blocks, (self.now + tabs.width / self.speed(tabs.width), key))
            _, key = heapq.heappop(blocks)
            self.now += 1 / self.speed(tabs.width)
            self.captures += 1
            tabs._waiting = 1  # the queue is never empty
            inside.pop(key).__exit__(None, None, None)
            self.history.append(tabs.width)
            while len(blocks) > tabs.width:
                inside.pop(heapq.heappop(blocks)[1]).__exit__(None, None, None)


def gate(machine: Machine, floor: int = 2, ceiling: int = 16, start: int = 4) -> TabGate:
    held: list[TabGate] = []
    tabs = TabGate(
        floor,
        ceiling,
        start,
        cpu_share=lambda: machine.share(held[0].width),
        memory_share=lambda: machine.memory,
        monotonic=lambda: machine.now,
    )
    held.append(tabs)
    return tabs


@pytest.mark.parametrize("computes", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("waits", [0.02, 0.1, 0.6, 1.2])
def test_it_is_close_to_the_best_within_thirty_captures(waits: float, computes: float) -> None:
    # Given pages that wait and compute for these times
    machine = Machine(waits, computes)
    tabs = gate(machine)
    # When thirty of them have been captured
    machine.run(tabs, 30)
    # Then its speed is within a tenth of the best possible
    assert machine.speed(tabs.width) >= 0.9 * machine.best(16), machine.history


def test_it_reduces_tabs_when_fewer_are_as_fast() -> None:
    # Given pages that only compute, and far too many tabs
    machine = Machine(waits=0.01, computes=0.3)
    tabs = gate(machine, start=14)
    # When it has measured for a while
    machine.run(tabs, 300)
    # Then it has given up most of them without losing speed
    assert tabs.width < 8
    assert machine.speed(tabs.width) >= 0.9 * machine.best(16)


def test_memory_comes_before_speed() -> None:
    machine = Machine(waits=1.0, computes=0.1, memory=0.9)
    tabs = gate(machine, start=12)
    machine.run(tabs, 60)
    assert tabs.width == 2


def test_it_does_not_change_while_nothing_waits() -> None:
    # Given a queue with one message at a time
    machine = Machine(waits=1.0, computes=0.1)
    tabs = gate(machine)
    for _ in range(50):
        with tabs.acquire():
            machine.now += 1
    assert tabs.width == 4


def test_it_never_leaves_its_bounds() -> None:
    for waits, computes, memory in ((5.0, 0.01, 0.0), (0.01, 1.0, 1.0)):
        machine = Machine(waits, computes, memory)
        machine.run(gate(machine, floor=3, ceiling=7), 200)
        assert set(machine.history) <= set(range(3, 8))


def test_it_admits_no_more_than_its_width() -> None:
    # Given a gate of three, and twenty threads
    tabs = TabGate(3, 3, 3, cpu_share=lambda: 0.0, memory_share=lambda: 0.0)
    inside, peak, lock = 0, 0, threading.Lock()

    def enter() -> None:
        nonlocal inside, peak
        with tabs.acquire():
            with lock:
                inside += 1
                peak = max(peak, inside)
            time.sleep(0.005)
            with lock:
                inside -= 1

    # When all of them try to enter
    with ThreadPoolExecutor(20) as pool:
        for each in [pool.submit(enter) for _ in range(60)]:
            each.result()
    # Then at most three were inside at once
    assert peak == 3
