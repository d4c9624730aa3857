"""Lambda's event source mapping between the table's stream and the notifier.

AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB": it polls each shard, delivers batches in order and
at least once, and goes on behind the last change of which it knows that the function has dealt with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stillframe_notifier.change import Change, Unreadable
from stillframe_notifier.wiring import FailureQueue, wire_notifier

from .aws.event_bus import SimulatedEventBus
from .aws.stream import SimulatedStream, StreamRecord
from .scheduler import Defect, Process
from .surroundings import Surroundings

BATCH_SIZE = 10
TIMEOUT_MS = 60_000
MAX_POLL_MS = 1000
MAX_PAUSE_MS = 60_000
# How often the answer of an invocation is lost, and how often Lambda delivers changes again that it has delivered.
LOST_ANSWERS = 0.02
REPETITIONS = 0.05
FINAL = ("success", "failed")


class NothingIsUnreadable(FailureQueue):
    """In no schedule is there a record that the notifier cannot read."""

    def __call__(self, change: Change, error: Unreadable) -> None:
        raise Defect(str(error))


class EventSource:
    """Delivers the changes of every shard."""

    def __init__(self, surroundings: Surroundings, stream: SimulatedStream, bus: SimulatedEventBus) -> None:
        self._shards = [Shard(surroundings, number, records, bus) for number, records in enumerate(stream.shards)]
        stream.watcher = lambda shard: self._shards[shard].wake()


class Shard:
    """The position in one shard, and the invocation that is under way."""

    def __init__(
        self, surroundings: Surroundings, number: int, records: list[StreamRecord], bus: SimulatedEventBus
    ) -> None:
        self._surroundings = surroundings
        self._scheduler = surroundings.scheduler
        self._name = f"notifier{number + 1}"
        self._records = records
        self._bus = bus
        self._position = 0
        self._limit = BATCH_SIZE
        self._is_busy = False
        self._since_ms = 0

    def wake(self) -> None:
        """Deliver what there is, some time within the interval of polling."""
        if not self._is_busy and self._position < len(self._records):
            self._is_busy = True
            self._since_ms = self._scheduler.now_ms
            self._scheduler.after(self._scheduler.rng.randint(0, MAX_POLL_MS), self._deliver)

    def _deliver(self) -> None:
        batch = self._records[self._position : self._position + self._limit]
        self._surroundings.events.check_busy(self._since_ms, self._scheduler.now_ms)
        chosen = [record for record in batch if self._passes(record)]
        if not chosen:
            self._go_on(len(batch))
            return
        process = self._surroundings.process(self._name)
        process.is_bounded = True
        process.on_death = lambda: self._ended(process, batch, None)
        self._scheduler.at(
            self._scheduler.now_ms + TIMEOUT_MS, lambda: self._scheduler.kill(process, "the function timed out")
        )
        self._scheduler.spawn(process, self._name, lambda: self._invoke(process, batch, chosen))

    def _passes(self, record: StreamRecord) -> bool:
        """The filter of the mapping. The notifier must not depend on it, so half of the schedules have none."""
        return not self._surroundings.plan.is_filtered or record.new.get("status", {}).get("S") in FINAL

    def _invoke(self, process: Process, batch: list[StreamRecord], chosen: list[StreamRecord]) -> None:
        surroundings = self._surroundings
        client, sqs = surroundings.network.client(self._bus, process), surroundings.clients(process).sqs
        notifier = wire_notifier(
            surroundings.settings, client, sqs, parts=replace(surroundings.parts.notifier, failures=NothingIsUnreadable)
        )
        answer: Any = notifier.handle({"Records": [record.to_lambda() for record in chosen]})
        if not process.alive:
            return
        process.alive = False
        is_lost = not surroundings.is_calm and self._scheduler.rng.random() < LOST_ANSWERS
        self._scheduler.after(0, lambda: self._ended(process, batch, None if is_lost else answer))

    def _ended(self, process: Process, batch: list[StreamRecord], answer: Any) -> None:
        """Move on to the first change that must come again. Without an answer, that is the first of all."""
        positions = {str(record.number): index for index, record in enumerate(batch)}
        failures = [] if answer is None else answer["batchItemFailures"]
        if answer is not None and not failures:
            self._scheduler.log(self._name, f"has dealt with {len(batch)} changes")
            self._limit = BATCH_SIZE
            self._go_on(len(batch))
            return
        # "If the itemIdentifier is unknown, Lambda treats the batch as a complete failure."
        done = min((positions.get(each["itemIdentifier"], 0) for each in failures), default=0)
        self._scheduler.log(self._name, f"has dealt with {done} of {len(batch)} changes")
        self._position += done
        self._limit = max(1, (len(batch) - done) // 2)
        self._scheduler.after(self._scheduler.rng.randint(0, MAX_PAUSE_MS), self._deliver)

    def _go_on(self, count: int) -> None:
        self._position += count
        rng = self._scheduler.rng
        if not self._surroundings.is_calm and rng.random() < REPETITIONS:
            self._position = rng.randint(max(0, self._position - BATCH_SIZE), self._position)
        self._is_busy = False
        self.wake()
