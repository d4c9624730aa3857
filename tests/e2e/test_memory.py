"""The table of pages that take too much memory, in short: each ends alone, and the kernel kills nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import memory, pages
from stillframe_cli.emulator import Emulator
from stillframe_cli.provision import QueuePolicy
from tests.support.cloud import Cloud


@pytest.fixture(scope="module")
def ordinary(bridge: str) -> Iterator[str]:
    with pages.serving(0, bridge) as host:
        yield host


# One that fills the memory at once, one that fills that of the browser's other processes, and several together.
@pytest.mark.parametrize("name", ["one array buffer", "WebGL", "two heaps, three pages of images"])
def test_a_page_that_takes_too_much_memory_ends_alone(
    image: str, rie: Path, container_emulator: Emulator, ordinary: str, name: str
) -> None:
    # Given a function with the memory and the tabs of the small preset
    allowed = ",".join([ordinary, *memory.SITES])
    cloud = Cloud.create(container_emulator, QueuePolicy(300, 5), STILLFRAME_ALLOW_HOSTS=allowed)
    # When an event has such pages and ordinary ones
    row = memory.row_of(name, image, cloud, ordinary)
    # Then the first end with the reason, and nothing happens to the others
    assert all(end.startswith("BROWSER_CRASHED: the page") for end in row.hostile), row
    assert row.is_alone, row
