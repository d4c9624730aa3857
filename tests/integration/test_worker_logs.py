"""Whatever becomes of a worker's log, its messages are captured and deleted."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, cast

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from stillframe_cli.backlog import message_counts
from stillframe_cli.log_stream import MAX_PENDING_BYTES, LogStream
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.workers import ROOT, STILLFRAME, environment, wait_for


@contextlib.contextmanager
def consumer(cloud: Cloud, output: int) -> Iterator[subprocess.Popen[bytes]]:
    """A consumer whose output and errors go to a descriptor."""
    command = [*STILLFRAME, "consume", "--continuous", "--log-format", "json"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(cloud.exports), stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def check_captured_and_deleted(cloud: Cloud, process: subprocess.Popen[bytes]) -> None:
    wait_for(lambda: not any(message_counts(cloud.clients, cloud.settings.queue_url)), what="an empty queue")
    assert process.poll() is None
    assert {cloud.record(f"page-{n}").status for n in range(5)} == {Status.SUCCESS}
    assert cloud.dead_letters() == []


@pytest.fixture
def five_pages(make_cloud: MakeCloud, site: str, chromium: str) -> Cloud:
    cloud = make_cloud(visibility=20, max_receive_count=1, STILLFRAME_ALLOW_HOSTS=site)
    url = f"http://{site}/colour?hex=00aa00"
    cloud.send(*(CaptureRequest(url=f"{url}&n={n}", request_id=f"page-{n}") for n in range(5)))
    return cloud


def test_a_full_disk_under_the_log_keeps_no_message_on_the_queue(five_pages: Cloud) -> None:
    with Path("/dev/full").open("wb") as full, consumer(five_pages, full.fileno()) as process:
        check_captured_and_deleted(five_pages, process)


def test_a_log_whose_reader_has_gone_keeps_no_message_on_the_queue(five_pages: Cloud) -> None:
    read, write = os.pipe()
    os.close(read)
    with consumer(five_pages, write) as process:
        os.close(write)
        check_captured_and_deleted(five_pages, process)


def test_a_log_that_nobody_reads_blocks_no_capture(five_pages: Cloud) -> None:
    # Given a pipe that is full and that nobody reads
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, bytes(4096))
    os.set_blocking(write, True)
    # When a consumer logs to it, then it captures as usual
    with consumer(five_pages, write) as process:
        os.close(write)
        check_captured_and_deleted(five_pages, process)
    os.close(read)


def test_what_was_dropped_is_counted_once_somebody_reads_again(caplog: pytest.LogCaptureFixture) -> None:
    # Given a log that nobody reads while more is written than is kept
    read, write = os.pipe()
    line = "x" * 1023 + "\n"
    # As much again may be in the hands of the thread that writes.
    written = 2 * MAX_PENDING_BYTES // len(line) + 500
    with os.fdopen(write, "w") as file, os.fdopen(read, "rb") as reader:
        log = LogStream(cast(IO[str], file))
        began = time.monotonic()
        for _ in range(written):
            log.write(line)
        assert time.monotonic() - began < 5
        # When somebody reads it to its end
        kept = ThreadPoolExecutor(1).submit(reader.read)
        log.finish(10)
        file.close()
        lines = kept.result(10).count(b"\n")
    # Then the lines that were read and those that were counted as dropped are all that were written
    dropped = sum(vars(record)["lines"] for record in caplog.records if "log lines were dropped" in record.message)
    assert (lines + dropped, dropped > 0) == (written, True)
