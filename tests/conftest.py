"""Fixtures: the emulator, an account in it for each test, a web site, a browser."""

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
    """A missing component skips a test on a laptop and fails it in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


TESTS = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Files of tests run beside each other (pytest-xdist), but a test that is marked `alone` has the machine to itself.

    Two locks of flock(2): whoever waits for the machine holds the door shut, so that
    the others cannot keep it busy in turns.
    """
    # Not from the environment, which a pytest that a test starts would inherit.
    if not hasattr(item.config, "workerinput"):
        return (yield)
    # Any two files will do, and these are there.
    with (TESTS / "__init__.py").open() as door, (TESTS / "conftest.py").open() as machine:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(machine, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        return (yield)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine reaches a test, and none of a test reaches the next."""
    kept = {"STILLFRAME_CHROMIUM"}
    names = ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "TABLE_NAME", "BUCKET_NAME", "LOG_LEVEL")
    for name in [*os.environ]:
        if name in names or (name.startswith(("AWS_", "STILLFRAME_", "POWERTOOLS_")) and name not in kept):
            monkeypatch.delenv(name)
    # Registered with monkeypatch, so that what a test sets directly is undone as well.
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "unset")
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def fresh_loggers() -> Iterator[None]:
    """Loggers are one for each process: what a test sets up on them is undone."""
    loggers = [logging.getLogger(name) for name in ("stillframe", "stillframe_renderer")]
    yield
    for logger in loggers:
        logger.handlers.clear()
        logger.filters.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
        # Powertools marks a logger that it has set up, and then leaves it as it is.
        for mark in ("init", "powertools_handler"):
            vars(logger).pop(mark, None)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with running_emulator(services=f"{SERVICES},secretsmanager") as running:
        yield running


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """What MiniStack lacks, and a second opinion on what it has."""
    from moto.server import ThreadedMotoServer

    # One line for each request is too much.
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
def _no_loop_is_left() -> Iterator[None]:
    """The batch processor keeps a loop for its thread, as Lambda wants it; whoever runs one next would lose it open."""
    yield
    with warnings.catch_warnings():
        # Asking for it may make one, which Python 3.12 and later say a word about.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            return
    loop.close()
    asyncio.set_event_loop(None)
