"""The real image on a real Docker engine, with an emulator and a site that containers can reach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stillframe_cli.emulator import Emulator, running_emulator
from stillframe_cli.provision import QueuePolicy
from tests.conftest import missing
from tests.support.cloud import Cloud
from tests.support.docker import IMAGE, bridge_address, script
from tests.support.runtime_emulator import runtime_emulator
from tests.support.site import serving_site
from tests.support.workers import ROOT

FIGURES = ROOT / "build/e2e.json"


@pytest.fixture(scope="session")
def engine() -> None:
    """A running Docker engine; without one these tests are skipped on a laptop and fail in CI."""
    started = script("docker-engine")
    if started.returncode:
        missing(started.stderr.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def image(engine: None) -> str:
    built = script("image", IMAGE)
    assert built.returncode == 0, built.stderr[-3000:]
    return IMAGE


@pytest.fixture(scope="session")
def rie() -> Path:
    """The runtime interface emulator that comes with the SAM command line."""
    return runtime_emulator()


@pytest.fixture(scope="session")
def bridge(engine: None) -> str:
    return bridge_address()


@pytest.fixture(scope="session")
def container_site(bridge: str) -> Iterator[str]:
    """The test site, at an address that containers can reach."""
    with serving_site(bridge) as host:
        yield host


@pytest.fixture(scope="session")
def container_emulator(bridge: str) -> Iterator[Emulator]:
    with running_emulator(bind=bridge) as running:
        yield running


@pytest.fixture
def container_cloud(container_emulator: Emulator, container_site: str) -> Cloud:
    return Cloud.create(container_emulator, QueuePolicy(30, 5), STILLFRAME_ALLOW_HOSTS=container_site)


@pytest.fixture(scope="session")
def figures() -> Iterator[dict[str, Any]]:
    """The measured figures, which `make e2e` prints at the end."""
    measured: dict[str, Any] = {}
    yield measured
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(measured) + "\n")


def pytest_sessionstart() -> None:
    FIGURES.unlink(missing_ok=True)
