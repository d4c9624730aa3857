"""How much memory is left, by the machine and by the container."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillframe_renderer.load.free_memory import FreeMemory

MEGABYTE = 1 << 20


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine that has 1600 MB, of which 900 MB are left."""
    folder = tmp_path / "proc"
    folder.mkdir()
    (folder / "meminfo").write_text(f"MemTotal:  {1600 * 1024} kB\nMemFree:  1 kB\nMemAvailable:  {900 * 1024} kB\n")
    return folder


@pytest.fixture
def cgroup(tmp_path: Path) -> Path:
    """A container without a limit."""
    folder = tmp_path / "cgroup"
    folder.mkdir()
    return folder


def megabytes(free: FreeMemory) -> int | None:
    with free.opened() as measure:
        left = measure()
    return left // MEGABYTE if left is not None else None


def test_without_a_container_it_is_what_the_machine_has(proc: Path, cgroup: Path) -> None:
    assert megabytes(FreeMemory(None, proc, cgroup)) == 900


def test_a_function_has_no_more_than_its_memory_although_its_machine_is_larger(proc: Path, cgroup: Path) -> None:
    # Given a machine of the function's own with 64 MB more than the function may use
    # Then those are not left
    assert megabytes(FreeMemory(1536, proc, cgroup)) == 836
    # Given the machine of an emulator, which is much larger than the function
    # Then it says nothing about the function
    assert megabytes(FreeMemory(512, proc, cgroup)) == 900


@pytest.mark.parametrize(
    ("limit", "usage", "statistics", "prefix"),
    [
        ("memory.max", "memory.current", "memory.stat", ""),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_"),
    ],
)
def test_a_container_has_what_its_limit_leaves_and_what_it_caches(
    proc: Path, cgroup: Path, limit: str, usage: str, statistics: str, prefix: str
) -> None:
    # Given a container with 1000 MB that uses 850 MB, of which 60 MB are cached
    (cgroup / "memory").mkdir()
    (cgroup / limit).write_text(f"{1000 * MEGABYTE}\n")
    (cgroup / usage).write_text(f"{850 * MEGABYTE}\n")
    (cgroup / statistics).write_text(
        f"cache 1\nactive_file 1\ninactive_file 1\n{prefix}inactive_file {40 * MEGABYTE}\n"
        f"{prefix}active_file {20 * MEGABYTE}\n"
        if prefix
        else f"file 1\ninactive_file {40 * MEGABYTE}\nactive_file {20 * MEGABYTE}\n"
    )
    # Then 210 MB are left
    assert megabytes(FreeMemory(None, proc, cgroup)) == 210


def test_a_container_without_a_limit_has_what_the_machine_has(proc: Path, cgroup: Path) -> None:
    (cgroup / "memory.max").write_text("max\n")
    assert megabytes(FreeMemory(None, proc, cgroup)) == 900


def test_nothing_is_known_if_everything_is_hidden(tmp_path: Path) -> None:
    assert megabytes(FreeMemory(1536, tmp_path / "none", tmp_path / "none")) is None
