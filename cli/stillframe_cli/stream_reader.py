"""Reads the stream of a table in place of Lambda's event source mapping, and hands its changes to the notifier."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

logger = logging.getLogger(__name__)

BATCH_SIZE = 100
POLL_SECONDS = 0.2
RETRY_SECONDS = 1.0
# How long the end of a process may take for the changes that are left.
DRAIN_SECONDS = 5.0


class StreamClient(Protocol):
    """What is used of the client of DynamoDB's streams."""

    def list_streams(self, *, TableName: str) -> Any: ...  # noqa: N803
    def describe_stream(self, *, StreamArn: str) -> Any: ...  # noqa: N803
    def get_shard_iterator(self, **arguments: str) -> Any: ...
    def get_records(self, *, ShardIterator: str, Limit: int) -> Any: ...  # noqa: N803


class NoStream(Exception):
    """The table has no stream."""


class StreamReader:
    """Hands over every change from the oldest that the stream has, in order and at least once.

    `handle` is a function's handler: it gets an event of Lambda, and answers with the first change that must come
    again. When it raises an error, all of the batch comes again. Nothing is ever given up.
    """

    def __init__(
        self, client: StreamClient, table_name: str, handle: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> None:
        """Raises NoStream, ClientError or BotoCoreError."""
        self._client = client
        self._handle = handle
        streams = client.list_streams(TableName=table_name)["Streams"]
        if not streams:
            raise NoStream(f"the table {table_name} has no stream")
        self._stream_arn: str = streams[0]["StreamArn"]
        # By shard: where to go on. None once a shard is closed and read.
        self._iterators: dict[str, str | None] = {}

    def read(self) -> int:
        """Deliver one batch of each shard. Returns the number of changes that are done with.

        Raises ClientError, BotoCoreError, or what the handler raises: then the batch comes again.
        """
        done = 0
        for shard in self._client.describe_stream(StreamArn=self._stream_arn)["StreamDescription"]["Shards"]:
            shard_id = shard["ShardId"]
            if shard_id not in self._iterators:
                self._iterators[shard_id] = self._iterator(shard_id, ShardIteratorType="TRIM_HORIZON")
            iterator = self._iterators[shard_id]
            if iterator is not None:
                done += self._read_shard(shard_id, iterator)
        return done

    def _read_shard(self, shard_id: str, iterator: str) -> int:
        answer = self._client.get_records(ShardIterator=iterator, Limit=BATCH_SIZE)
        records = answer["Records"]
        failures = self._handle({"Records": records})["batchItemFailures"] if records else []
        if not failures:
            self._iterators[shard_id] = answer.get("NextShardIterator")
            return len(records)
        position = failures[0]["itemIdentifier"]
        self._iterators[shard_id] = self._iterator(
            shard_id, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=position
        )
        return [record["dynamodb"]["SequenceNumber"] for record in records].index(position)

    def _iterator(self, shard_id: str, **where: str) -> str:
        answer = self._client.get_shard_iterator(StreamArn=self._stream_arn, ShardId=shard_id, **where)
        iterator: str = answer["ShardIterator"]
        return iterator

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set, then read on until nothing is left, or nothing goes on any more."""
        while not stop.is_set():
            done = self._read_or_log()
            if not done:
                stop.wait(RETRY_SECONDS if done is None else POLL_SECONDS)
        while self._read_or_log():
            pass

    def _read_or_log(self) -> int | None:
        """What `read` returns, or None if it failed."""
        try:
            return self.read()
        except (ClientError, BotoCoreError) as error:
            logger.warning("the stream cannot be read: %s", error)
            # An iterator may have expired. The stream is read again from its beginning, with the same event ids.
            self._iterators.clear()
        except Exception:
            logger.exception("the notifier failed, and gets the same changes again")
        return None


@contextlib.contextmanager
def reading(reader: StreamReader) -> Iterator[None]:
    """Read on a thread, and at the end what is left."""
    stop = threading.Event()
    thread = threading.Thread(target=reader.run, args=(stop,), name="stream-reader", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(DRAIN_SECONDS)


def connect_streams() -> StreamClient:
    """A client of DynamoDB's streams."""
    session: Any = boto3.session.Session()
    client: StreamClient = session.client("dynamodbstreams")
    return client
