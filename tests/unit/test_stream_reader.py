"""The reader of a stream: shards that close, iterators that expire, and handlers that fail, which no emulator shows."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillframe_cli.stream_reader import BATCH_SIZE, NoStream, StreamReader

ALL_WELL: dict[str, list[Any]] = {"batchItemFailures": []}


class FakeStreams:
    """A stream with these shards, each a list of sequence numbers. A shard of `closed` has no next iterator."""

    def __init__(self, shards: Mapping[str, list[str]], closed: tuple[str, ...] = ()) -> None:
        self.shards = shards
        self.closed = closed
        self.expired = 0

    def list_streams(self, *, TableName: str) -> Any:
        return {"Streams": [{"StreamArn": "arn"}] if self.shards else []}

    def describe_stream(self, *, StreamArn: str) -> Any:
        return {"StreamDescription": {"Shards": [{"ShardId": name} for name in self.shards]}}

    def get_shard_iterator(self, **arguments: str) -> Any:
        shard = arguments["ShardId"]
        begins = 0
        if arguments["ShardIteratorType"] == "AT_SEQUENCE_NUMBER":
            begins = self.shards[shard].index(arguments["SequenceNumber"])
        return {"ShardIterator": f"{shard}/{begins}"}

    def get_records(self, *, ShardIterator: str, Limit: int) -> Any:
        if self.expired:
            self.expired -= 1
            raise ClientError({"Error": {"Code": "ExpiredIteratorException", "Message": "expired"}}, "GetRecords")
        shard, _, begins = ShardIterator.partition("/")
        numbers = self.shards[shard][int(begins) : int(begins) + Limit]
        answer: dict[str, Any] = {"Records": [{"dynamodb": {"SequenceNumber": number}} for number in numbers]}
        if shard not in self.closed:
            answer["NextShardIterator"] = f"{shard}/{int(begins) + len(numbers)}"
        return answer


class Handler:
    """Keeps the batches that it gets. `answers` are its first answers, or the errors that it raises instead."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.batches: list[list[str]] = []

    def __call__(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        self.batches.append([record["dynamodb"]["SequenceNumber"] for record in event["Records"]])
        answer = self.answers.pop(0) if self.answers else ALL_WELL
        if isinstance(answer, Exception):
            raise answer
        return {"batchItemFailures": [{"itemIdentifier": answer}]} if isinstance(answer, str) else ALL_WELL


def test_every_shard_is_read_to_its_end_and_a_closed_one_not_again() -> None:
    # Given a shard with more changes than a batch has, and a closed one
    long = [str(number) for number in range(BATCH_SIZE + 1)]
    handler = Handler()
    reader = StreamReader(FakeStreams({"a": long, "b": ["x"]}, closed=("b",)), "table", handler)
    # When it is read until nothing is left
    assert [reader.read() for _ in range(4)] == [BATCH_SIZE + 1, 1, 0, 0]
    # Then every change was delivered once, in order
    assert handler.batches == [long[:BATCH_SIZE], ["x"], long[BATCH_SIZE:]]


def test_what_failed_comes_again_with_all_that_follows() -> None:
    # Given a handler that fails for the third change, then for the first of what comes again
    handler = Handler("3", "3")
    reader = StreamReader(FakeStreams({"a": ["1", "2", "3", "4"]}), "table", handler)
    # When it is read, then only what is done with counts
    assert [reader.read() for _ in range(4)] == [2, 0, 2, 0]
    assert handler.batches == [["1", "2", "3", "4"], ["3", "4"], ["3", "4"]]


def test_a_handler_that_raises_gets_the_batch_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a handler that breaks once, and a reader that runs
    monkeypatch.setattr("stillframe_cli.stream_reader.RETRY_SECONDS", 0.01)
    stop, handler = threading.Event(), Handler(RuntimeError("broken"))
    reader = StreamReader(FakeStreams({"a": ["1", "2"]}), "table", lambda event: _then_stop(handler, event, stop))
    # When it runs until it is stopped, then the batch came twice
    reader.run(stop)
    assert handler.batches == [["1", "2"], ["1", "2"]]


def _then_stop(handler: Handler, event: Mapping[str, Any], stop: threading.Event) -> Mapping[str, Any]:
    answer = handler(event)
    stop.set()
    return answer


def test_after_an_iterator_has_expired_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a reader that has read, and an iterator that expires then, while there is more
    monkeypatch.setattr("stillframe_cli.stream_reader.RETRY_SECONDS", 0.01)
    numbers, handler, stop = ["1"], Handler(), threading.Event()
    streams = FakeStreams({"a": numbers})
    reader = StreamReader(streams, "table", lambda event: _then_stop(handler, event, stop))
    reader.read()
    stop.clear()
    numbers.append("2")
    streams.expired = 1
    # When it runs, then it begins again
    reader.run(stop)
    assert handler.batches == [["1"], ["1", "2"]]


def test_a_table_without_a_stream_is_told() -> None:
    with pytest.raises(NoStream, match="table has no stream"):
        StreamReader(FakeStreams({}), "table", Handler())
