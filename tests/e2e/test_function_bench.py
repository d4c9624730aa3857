"""The bench of the function in short: each preset captures pages of every class, alone and in full events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import pages
from benchmarks.environment import Environment
from benchmarks.function import sizes
from stillframe_cli.emulator import Emulator
from stillframe_cli.provision import QueuePolicy
from tests.support.cloud import Cloud

LATENCY_MS = 50


@pytest.fixture(scope="module")
def site(bridge: str) -> Iterator[str]:
    with pages.serving(LATENCY_MS, bridge) as host:
        yield host


@pytest.mark.parametrize(("memory_mb", "tabs", "batch"), sizes())
def test_each_preset_captures_pages_of_every_class(
    image: str,
    rie: Path,
    container_emulator: Emulator,
    site: str,
    figures: dict[str, Any],
    memory_mb: int,
    tabs: int,
    batch: int,
) -> None:
    # Given a container of the preset's size
    cloud = Cloud.create(container_emulator, QueuePolicy(300, 5), STILLFRAME_ALLOW_HOSTS=site)
    urls = [f"http://{site}/{name}" for name in pages.CLASSES]
    with Environment.started(image, rie, cloud, memory_mb, tabs, batch) as environment:
        first = environment.first_image(site)
        # When it gets an event for each page, and full events
        alone = environment.run([[url] for url in urls])
        full = environment.run([(urls * 2)[start : start + batch] for start in range(len(urls) // 2)])
    # Then each page is captured at the first attempt
    assert (alone.failed, full.failed) == (0, 0)
    figures[f"lambda{memory_mb}"] = {
        "firstImageMs": first["totalMs"],
        "alone": alone.to_wire(memory_mb),
        "full": full.to_wire(memory_mb),
    }
