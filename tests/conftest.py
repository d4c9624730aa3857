"""Fixtures: the emulator, a separate account in it for each test, a web site, and a browser."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import warnings
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from stillframe.settings import SettingsError
from stillframe_cli.emulator import SERVICES, Emulator, running_emulator
from stillframe_cli.provision import QueuePolicy
from stillframe_renderer.chromium.executable import find_chromium
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock
from tests.support.site import serving_site


def missing(reason: str) -> None:
    """Skip the test on a laptop, or fail it in CI, because a component is missing."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


TESTS = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run test files in parallel (pytest-xdist), but a test marked `alone` without any other test beside it.

    It takes two flock(2) locks: a test that waits for the `machine` lock keeps the `door` lock, so that a steady stream
    of other tests cannot make it wait forever.
    """
    # Not the environment variable of pytest-xdist, which a pytest started by a test would inherit.
    if not hasattr(item.config, "workerinput"):
        return (yield)
    # Any two existing files will do.
    with (TESTS / "__init__.py").open() as door, (TESTS / "conftest.py").open() as machine:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(machine, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        return (yield)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment variables of the machine do not reach a test, and those of a test do not reach the next one."""
    kept = {"STILLFRAME_CHROMIUM"}
    names = ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "TABLE_NAME", "BUCKET_NAME", "LOG_LEVEL")
    for name in [*os.environ]:
        if name in names or (name.startswith(("AWS_", "STILLFRAME_", "POWERTOOLS_")) and name not in kept):
            monkeypatch.delenv(name)
    # Registered with monkeypatch, so that a value that a test sets directly is undone as well.
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "unset")
        monkeypatch.delenv(name)
    # `boto3.client` keeps the credentials of the test that called it first.
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)


@pytest.fixture(autouse=True)
def fresh_loggers() -> Iterator[None]:
    """Undo what a test configures on the loggers, which are global to the process."""
    loggers = [logging.getLogger(name) for name in ("stillframe", "stillframe_renderer")]
    yield
    for logger in loggers:
        logger.handlers.clear()
        logger.filters.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
        # Powertools marks a logger that it has configured, and does not configure it again.
        for mark in ("init", "powertools_handler"):
            vars(logger).pop(mark, None)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with running_emulator(services=f"{SERVICES},secretsmanager") as running:
        yield running


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """A moto server, for services that MiniStack lacks and to check the models against a second emulator."""
    from moto.server import ThreadedMotoServer

    # It would log a line for each request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


MakeCloud = Callable[..., Cloud]


@pytest.fixture
def make_cloud(emulator: Emulator) -> MakeCloud:
    def make(visibility: int = 30, max_receive_count: int = 5, **settings: str) -> Cloud:
        return Cloud.create(emulator, QueuePolicy(visibility, max_receive_count), **settings)

    return make


@pytest.fixture
def cloud(make_cloud: MakeCloud) -> Cloud:
    return make_cloud()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    with serving_site() as host:
        yield host


@pytest.fixture(scope="session")
def chromium() -> str:
    try:
        return find_chromium(os.environ.get("STILLFRAME_CHROMIUM", ""))
    except SettingsError as error:
        missing(str(error))
        raise


@pytest.fixture(autouse=True)
def _close_event_loop() -> Iterator[None]:
    """Close the loop that the batch processor leaves open for its thread, as Lambda needs; a test would leak it."""
    yield
    with warnings.catch_warnings():
        # get_event_loop may create a loop, which Python 3.12 and later warn about.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            return
    loop.close()
    asyncio.set_event_loop(None)
