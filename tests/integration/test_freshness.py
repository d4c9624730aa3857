"""Freshness by naming, on a real table and bucket: equal requests of one window are captured once."""

from __future__ import annotations

import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.freshness import Window
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

MESSAGES, WORKERS, SECONDS, SEED = 1008, 8, 60, 7
REQUEST = CaptureRequest(url="https://example.com/", fresh_for=SECONDS)


def test_a_thousand_equal_requests_over_three_windows_are_three_captures(cloud: Cloud) -> None:
    # Given a thousand equal requests, sent at any time of three windows, and received by eight workers
    clock, renderer, drawn = FakeClock(), FakeRenderer(), random.Random(SEED)
    workers = [capture_with(cloud.clients, cloud.settings, renderer, clock, f"worker-{n}") for n in range(WORKERS)]
    first = Window.at(REQUEST.payload_hash, SECONDS, clock.ms)
    windows = [replace(first, number=first.number + number) for number in range(3)]
    urls: dict[str, set[str | None]] = defaultdict(set)

    def deliver(number: int) -> Outcome:
        sent = message(REQUEST, f"m-{number}", received_at_ms=clock.ms)
        sent = replace(sent, sent_at_ms=clock.ms, first_sent_at_ms=clock.ms)
        for count in range(1, 50):
            worker = workers[(number + count) % WORKERS]
            outcome = worker.process(replace(sent, receive_count=count), FakeContext())
            if outcome.acknowledge:
                return outcome
        raise AssertionError(f"{sent.message_id} was never acknowledged")

    # When all of them are delivered until they are acknowledged
    with ThreadPoolExecutor(WORKERS) as pool:
        numbers = iter(range(MESSAGES))
        for window in windows:
            moments = sorted(drawn.randrange(window.begins_ms, window.ends_ms) for _ in range(MESSAGES // 3 // WORKERS))
            for moment in moments:
                clock.ms = moment
                for outcome in pool.map(deliver, [next(numbers) for _ in range(WORKERS)]):
                    assert outcome.kind in (OutcomeKind.CAPTURED, OutcomeKind.SKIPPED)
                    urls[outcome.id].add(outcome.image.s3_url if outcome.image else outcome.s3_url)
    # Then each window has one capture, which every answer of the window names
    assert len(renderer.rendered) == len(cloud.versions()) == 3
    assert sorted(urls) == sorted(window.id for window in windows)
    assert [len(answers - {None}) for answers in urls.values()] == [1, 1, 1]
    # And no image is older than its window
    for window in windows:
        claimed = cloud.record(window.id).claimed_at
        assert claimed is not None
        assert window.begins_ms <= claimed < window.ends_ms
