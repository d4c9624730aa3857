"""The workers of a schedule: functions behind an event source mapping, and consumers, on one queue."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from stillframe_cli.poller import VISIBILITY_MARGIN_SECONDS

from .aws.queue import SimulatedQueue, SimulatedSqs, StoredMessage
from .batch import Batch, Context
from .plan import FUNCTION_TIMEOUT_MS
from .scheduler import Process
from .surroundings import Surroundings


class Fleet:
    """Gives messages to idle workers: out of order, late, and now and then twice."""

    def __init__(self, around: Surroundings, sqs: SimulatedSqs, queue: SimulatedQueue) -> None:
        self._around = around
        self._sqs = sqs
        self._queue = queue
        plan = around.plan
        self._workers: list[Worker] = [Function(around, n, self.stir) for n in range(plan.functions)]
        self._workers += [Consumer(around, n, self.stir) for n in range(plan.consumers)]

    def stir_at(self, when_ms: int) -> None:
        """A worker looks at the queue when a message is visible, or somewhat later: visibility may be delayed."""
        rng = self._around.scheduler.rng
        self._around.scheduler.at(when_ms + rng.choice((0, 1, rng.randint(0, 2000))), self.stir)

    def stir(self) -> None:
        """Let an idle worker receive."""
        now_ms = self._around.scheduler.now_ms
        if any(message.visible_ms <= now_ms for message in self._queue.messages.values()):
            worker = self._idle_worker()
            deliveries = self._receive() if worker else []
            if worker and deliveries:
                worker.work_on(deliveries)

    def haunt(self, message: StoredMessage) -> None:
        """A deleted message is delivered once more, which SQS calls rare but possible (DeleteMessage)."""
        scheduler = self._around.scheduler

        def deliver() -> None:
            worker = self._idle_worker()
            if worker:
                scheduler.tell("queue", f"delivers {message.message_id}, which was deleted")
                worker.work_on([self._sqs.deliver(self._queue, message)])

        scheduler.after(scheduler.rng.choice((100, 1000, 5000, 60_000)), deliver)

    def _idle_worker(self) -> Worker | None:
        idle = [worker for worker in self._workers if worker.is_idle]
        return self._around.scheduler.rng.choice(idle) if idle else None

    def _receive(self) -> list[dict[str, Any]]:
        around, rng = self._around, self._around.scheduler.rng
        count = rng.randint(1, around.plan.batch_size)
        answer = self._sqs.receive_message(QueueUrl=self._queue.url, MaxNumberOfMessages=count)
        deliveries = list(answer.get("Messages", []))
        for delivery in deliveries:
            if not around.is_calm and rng.random() < around.plan.duplicate_probability:
                self._deliver_later(delivery["MessageId"])
        if rng.random() < around.network.weather.fault_probability / 4:
            around.scheduler.tell("queue", "the answer to a receive is lost")
            return []
        return deliveries

    def _deliver_later(self, message_id: str) -> None:
        """At least once: another delivery of a message in flight, to whoever is idle by then."""
        scheduler = self._around.scheduler

        def deliver() -> None:
            message = self._queue.messages.get(message_id)
            worker = self._idle_worker()
            if message is not None and worker and message.receive_count < self._queue.max_receive_count:
                scheduler.tell("queue", f"delivers {message_id} again while it is in flight")
                worker.work_on([self._sqs.deliver(self._queue, message)])

        scheduler.after(scheduler.rng.randint(0, 5000), deliver)


class Worker:
    """A place where one batch at a time is handled."""

    kind = "worker"

    def __init__(self, around: Surroundings, number: int, stir: Callable[[], None]) -> None:
        self._around = around
        self._name = f"{self.kind}{number + 1}"
        self._stir = stir
        self._starts = itertools.count(1)
        self._process: Process | None = None
        self.is_idle = True

    def work_on(self, deliveries: list[dict[str, Any]]) -> None:
        """Handle the batch in a process of this worker."""
        raise NotImplementedError

    def _new_process(self) -> Process:
        process = self._process = self._around.process(f"{self._name}.{next(self._starts)}")
        process.on_death = lambda: self._rest(process)
        return process

    def _begin(self, process: Process, deleter: Process, deliveries: list[dict[str, Any]], context: Context) -> None:
        self.is_idle = False
        counts = (f"{each['MessageId']} ({each['Attributes']['ApproximateReceiveCount']})" for each in deliveries)
        self._around.scheduler.tell(process.name, f"receives {', '.join(counts)}")
        Batch(self._around, process, deleter, deliveries, context, lambda: self._rest(process))

    def _rest(self, process: Process) -> None:
        """Back to idle after a while, once for each batch."""
        if process is not self._process or self.is_idle:
            return
        scheduler = self._around.scheduler

        def be_ready() -> None:
            self.is_idle = True
            self._stir()

        scheduler.after(scheduler.rng.choice((0, 1, scheduler.rng.randint(0, 5000))), be_ready)


class Function(Worker):
    """An execution environment: killed at its time-out. The mapping, which outlives it, deletes what succeeded."""

    kind = "function"

    def work_on(self, deliveries: list[dict[str, Any]]) -> None:
        scheduler = self._around.scheduler
        process = self._new_process()
        process.is_bounded = True
        mapping = self._around.process("mapping")
        mapping.on_death = process.on_death
        ends_ms = scheduler.now_ms + FUNCTION_TIMEOUT_MS
        scheduler.at(ends_ms, lambda: scheduler.kill(process, "the function timed out"))
        self._begin(process, mapping, deliveries, Context(scheduler, ends_ms, FUNCTION_TIMEOUT_MS))


class Consumer(Worker):
    """A long-running process. Nobody ends a batch of it in time: it may be paused, and go on when it is too late."""

    kind = "consumer"

    def work_on(self, deliveries: list[dict[str, Any]]) -> None:
        around = self._around
        process = self._process if self._process and self._process.alive else self._new_process()
        # As stillframe_cli.poller counts it: the leases end before the messages are visible again.
        margin_seconds = VISIBILITY_MARGIN_SECONDS + 2 * around.settings.lease_margin_seconds
        ends_ms = around.scheduler.now_ms + int(1000 * (around.plan.visibility_seconds - margin_seconds))
        job_ms = int(1000 * around.settings.job_deadline_seconds)
        self._begin(process, process, deliveries, Context(around.scheduler, ends_ms, job_ms))
