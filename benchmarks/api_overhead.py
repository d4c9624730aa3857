"""The CPU time that the API adds to a send: a POST through the handler, over a bare PutItem and SendMessage.

python -m benchmarks.api_overhead --requests 300

All are measured in turns, in one process and on one emulator, as CPU time of the process alone. `keyMs` is that of a
POST with a key that has every limit. `importMs` is the CPU time that a new process takes to import the handler and to
answer its first request, less that of boto3's clients.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from stillframe.clients import Clients, connect_presigner
from stillframe.settings import Settings
from stillframe.table.attributes import to_attributes
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.limits import Limits
from stillframe_api.api import Api
from stillframe_api.services import Services
from stillframe_cli.session import embedded_environment

from .machine import describe_machine

WARM_UP = 30
OPTIONS: dict[str, Any] = {"viewport": {"width": 1280, "height": 720}, "fullPage": True, "format": "webp"}
GOAL_MS = 10
# Every kind of limit, none of which is reached.
LIMITS = Limits(per_minute=100_000, per_day=1_000_000, usd_per_month=1000)
STARTS = 5
FIRST_ANSWER = """
import time
from stillframe_api.handler import handler
http = {"method": "GET", "path": "/health"}
answer = handler({"rawPath": "/health", "headers": {}, "requestContext": {"http": http, "stage": "$default"}}, None)
assert answer["statusCode"] == 200
print(time.process_time() * 1000)
"""
ONLY_CLIENTS = """
import time
from stillframe.clients import Clients, connect_presigner
Clients.connect(), connect_presigner()
print(time.process_time() * 1000)
"""


def main() -> None:
    """Print the figures, in milliseconds of CPU time, as one JSON line on stdout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=300)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with embedded_environment() as environment:
        settings, clients = environment.settings, environment.clients
        api = Api(Services.build(clients, settings, connect_presigner()))
        with_keys = Api(Services.build(clients, settings, connect_presigner(), needs_key=True))
        key, _ = KeyStore(clients, settings).create("acme", LIMITS)
        times: dict[str, list[float]] = {"api": [], "key": [], "bare": []}
        for number in range(arguments.requests + WARM_UP):
            body = {"url": f"https://example.com/{number}", "options": OPTIONS}
            api_ms = _cpu_ms(lambda: _post(api, body))  # noqa: B023  # called at once
            key_ms = _cpu_ms(lambda: _post(with_keys, body, key.text))  # noqa: B023
            bare_ms = _cpu_ms(lambda: _bare(clients, settings, body))  # noqa: B023
            if number >= WARM_UP:
                times["api"].append(api_ms)
                times["key"].append(key_ms)
                times["bare"].append(bare_ms)
        variables = {**os.environ, **_resources(settings)}
        first, only = (
            statistics.median(_start(code, variables) for _ in range(STARTS)) for code in (FIRST_ANSWER, ONLY_CLIENTS)
        )
    medians = {name: statistics.median(values) for name, values in times.items()}
    figures = {
        "apiMs": round(medians["api"], 2),
        "bareMs": round(medians["bare"], 2),
        "keyMs": round(medians["key"], 2),
        "addedMs": round(medians["api"] - medians["bare"], 2),
        "goalMs": GOAL_MS,
        "startMs": round(first),
        "importMs": round(first - only),
    }
    print(json.dumps({"machine": describe_machine(), "requests": arguments.requests, **figures}))


def _cpu_ms(call: Callable[[], None]) -> float:
    began = time.process_time()
    call()
    return (time.process_time() - began) * 1000


def _post(api: Api, body: dict[str, Any], key: str = "") -> None:
    http = {"method": "POST", "path": "/v1/screenshots"}
    event = {
        "rawPath": http["path"],
        "headers": {"content-type": "application/json", "authorization": f"Bearer {key}"},
        "body": json.dumps(body),
        "requestContext": {"http": http, "stage": "$default"},
    }
    answer = api.handle(event)
    assert answer["statusCode"] == 202, answer


def _bare(clients: Clients, settings: Settings, body: dict[str, Any]) -> None:
    """What an application would do without the API: the record is one attribute, and nothing is checked."""
    text = json.dumps(body)
    item = to_attributes({"id": f"bare-{body['url']}", "request": text})
    clients.dynamodb.put_item(TableName=settings.table_name, Item=item)
    clients.sqs.send_message(QueueUrl=settings.queue_url, MessageBody=text)


def _resources(settings: Settings) -> dict[str, str]:
    return {
        "QUEUE_URL": settings.queue_url,
        "DEAD_LETTER_QUEUE_URL": settings.dead_letter_queue_url,
        "TABLE_NAME": settings.table_name,
        "BUCKET_NAME": settings.bucket_name,
        "LOG_LEVEL": "ERROR",
        "STILLFRAME_API_AUTHORISATION": "gateway",
    }


def _start(code: str, variables: dict[str, str]) -> float:
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    main()
