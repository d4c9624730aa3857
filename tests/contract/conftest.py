"""The services that must fulfill the contract: the models of the simulation, MiniStack, moto."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe_cli.emulator import Emulator
from stillframe_cli.provision import QueuePolicy, create_table
from tests.simulation.aws.bucket import SimulatedBucket
from tests.simulation.aws.queue import SimulatedQueue, SimulatedSqs
from tests.simulation.aws.table import SimulatedTable
from tests.support.cloud import Cloud

VISIBILITY_SECONDS = 2
MAX_RECEIVE_COUNT = 2


@dataclass
class Services:
    """The three services, their resources, and a function that lets time pass."""

    clients: Clients
    settings: Settings
    wait: Callable[[float], None]


def simulated() -> Services:
    """The models, in virtual time."""
    now_ms = [1_800_000_000_000]

    def wait(seconds: float) -> None:
        now_ms[0] += int(seconds * 1000)

    dead_letters = SimulatedQueue("dead-letters")
    queue = SimulatedQueue("queue", VISIBILITY_SECONDS, MAX_RECEIVE_COUNT, dead_letters)
    table = SimulatedTable(lambda: now_ms[0])
    sqs = SimulatedSqs(lambda: now_ms[0], [queue, dead_letters])
    names = {"QUEUE_URL": "queue", "DEAD_LETTER_QUEUE_URL": "dead-letters", "TABLE_NAME": "t", "BUCKET_NAME": "b"}
    clients = Clients(*cast(Any, (sqs, table, SimulatedBucket())))
    return Services(clients, Settings.model_validate(names), wait)


def emulated_by_moto(endpoint: str, emulator: Emulator) -> Services:
    """The table in moto's server, the rest in MiniStack: moto is a second, independent emulator of DynamoDB."""
    services = emulated_by_ministack(emulator)
    os.environ["AWS_ENDPOINT_URL"] = endpoint
    dynamodb = Clients.connect().dynamodb
    create_table(dynamodb, services.settings.table_name)
    return replace(services, clients=replace(services.clients, dynamodb=dynamodb))


def emulated_by_ministack(emulator: Emulator) -> Services:
    """MiniStack, which `stillframe dev` and all other tests use."""
    cloud = Cloud.create(emulator, QueuePolicy(VISIBILITY_SECONDS, MAX_RECEIVE_COUNT))
    return Services(cloud.clients, cloud.settings, time.sleep)


@pytest.fixture(params=["simulation", "ministack"])
def backend(request: pytest.FixtureRequest) -> str:
    """Which services to test."""
    return str(request.param)


@pytest.fixture
def services(backend: str, request: pytest.FixtureRequest) -> Services:
    if backend == "simulation":
        return simulated()
    if backend == "ministack":
        return emulated_by_ministack(request.getfixturevalue("emulator"))
    return emulated_by_moto(request.getfixturevalue("moto_endpoint"), request.getfixturevalue("emulator"))
