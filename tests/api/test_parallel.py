"""However many send a request at once, one key is one screenshot."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from stillframe.clients import Clients, connect_presigner
from stillframe.settings import Settings
from stillframe.table.record import Status
from stillframe_api.api import Api
from stillframe_api.services import Services
from tests.conftest import MakeCloud
from tests.support.workers import Fleet, wait_for

REQUESTS = 1000
PROCESSES = 4
THREADS = 8


def post_many(exports: dict[str, str], body: str, count: int) -> Counter[tuple[int, str]]:
    """Send the same request to an API of this process's own, as Lambda's environments have it."""
    os.environ.update(exports)
    api = Api(Services.build(Clients.connect(), Settings.from_environment(), connect_presigner()))
    http = {"method": "POST", "path": "/v1/screenshots"}
    headers = {"idempotency-key": "one", "content-type": "application/json"}
    event = {"rawPath": http["path"], "headers": headers, "body": body}
    event["requestContext"] = {"http": http, "stage": "$default"}
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: api.handle(dict(event)), range(count)))
    return Counter((answer["statusCode"], json.loads(answer["body"])["id"]) for answer in answers)


def test_a_thousand_parallel_posts_with_one_key_are_one_screenshot(
    make_cloud: MakeCloud, workers: Fleet, site: str, chromium: str
) -> None:
    # Given a cloud with two workers
    cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=site, STILLFRAME_TABS="1")
    for _ in range(2):
        workers.start(cloud.exports, "--continuous")
    page = {"url": f"http://{site}/colour?hex=00aa00", "options": {"viewport": {"width": 64, "height": 48}}}
    # When 1,000 requests with one key reach APIs in several processes
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context) as pool:
        share = REQUESTS // PROCESSES
        runs = [pool.submit(post_many, cloud.exports, json.dumps(page), share) for _ in range(PROCESSES)]
        answers = sum((run.result() for run in runs), Counter())
    # Then each is accepted, or told that it is captured already, under the one id
    assert sum(answers.values()) == REQUESTS
    assert {screenshot_id for _, screenshot_id in answers} == {"one"}
    assert {status for status, _ in answers} <= {200, 202}
    # And once all messages are worked off, there is one record and one object
    wait_for(lambda: cloud.record("one").status is Status.SUCCESS, 60, "the capture")
    wait_for(lambda: cloud.audit().summary.pending_messages == 0, 120, "the duplicates")
    assert cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name)["Count"] == 1
    assert len(cloud.versions()) == 1
    assert cloud.audit().is_clean
    assert cloud.dead_letters() == []
