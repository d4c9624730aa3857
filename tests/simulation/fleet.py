"""The workers of a schedule: functions behind an event source mapping, and consumers, all on one queue."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

from stillframe.queue_settings import margin_seconds
from stillframe_renderer.health import WorkerHealth, WorkerUnfit

from .aws.queue import SimulatedQueue, SimulatedSqs, StoredMessage
from .batch import Batch, Context
from .plan import FUNCTION_TIMEOUT_MS
from .scheduler import Process
from .sickness import FOR_EVER, Sickness
from .surroundings import Surroundings


class Fleet:
    """Delivers messages to idle workers: out of order, late, and sometimes twice."""

    def __init__(self, surroundings: Surroundings, sqs: SimulatedSqs, queue: SimulatedQueue) -> None:
        self._surroundings = surroundings
        self._sqs = sqs
        self._queue = queue
        plan = surroundings.plan
        self._workers: list[Worker] = [Function(surroundings, n, self.wake_worker) for n in range(plan.functions)]
        self._workers += [Consumer(surroundings, n, self.wake_worker) for n in range(plan.consumers)]
        # The first worker always recovers, so that the messages of a schedule end.
        for number, worker in enumerate(self._workers):
            worker.turn_sick(Sickness.draw(surroundings, may_stay=number > 0))

    def wake_worker_at(self, when_ms: int) -> None:
        """Let a worker poll when a message becomes visible, or somewhat later, because visibility may be delayed."""
        rng = self._surroundings.scheduler.rng
        self._surroundings.scheduler.at(when_ms + rng.choice((0, 1, rng.randint(0, 2000))), self.wake_worker)

    def wake_worker(self) -> None:
        """Let an idle worker receive messages, if there are any."""
        now_ms = self._surroundings.scheduler.now_ms
        if any(message.visible_ms <= now_ms for message in self._queue.messages.values()):
            worker = self._idle_worker()
            deliveries = self._receive(worker) if worker else []
            if worker and deliveries:
                worker.work_on(deliveries)

    def redeliver_deleted(self, message: StoredMessage) -> None:
        """Deliver a deleted message once more, which is rare but possible (SQS API reference, DeleteMessage)."""
        scheduler = self._surroundings.scheduler

        def deliver() -> None:
            worker = self._idle_worker()
            if worker and message.receive_count < self._queue.max_receive_count:
                scheduler.log("queue", f"delivers {message.message_id}, which was deleted")
                worker.work_on([self._sqs.deliver(self._queue, message)])

        scheduler.after(scheduler.rng.choice((100, 1000, 5000, 60_000)), deliver)

    def _idle_worker(self) -> Worker | None:
        idle = [worker for worker in self._workers if worker.is_idle and worker.may_receive()]
        return self._surroundings.scheduler.rng.choice(idle) if idle else None

    def _receive(self, worker: Worker) -> list[dict[str, Any]]:
        surroundings, rng = self._surroundings, self._surroundings.scheduler.rng
        count = min(rng.randint(1, surroundings.plan.batch_size), worker.max_messages)
        answer = self._sqs.receive_message(QueueUrl=self._queue.url, MaxNumberOfMessages=count)
        deliveries = list(answer.get("Messages", []))
        for delivery in deliveries:
            if not surroundings.is_calm and rng.random() < surroundings.plan.duplicate_probability:
                self._deliver_later(delivery["MessageId"])
        if rng.random() < surroundings.network.weather.fault_probability / 4:
            surroundings.scheduler.log("queue", "the answer to a receive is lost")
            return []
        return deliveries

    def _deliver_later(self, message_id: str) -> None:
        """Deliver a message in flight once more (at-least-once delivery), to a worker that is idle by then."""
        scheduler = self._surroundings.scheduler

        def deliver() -> None:
            message = self._queue.messages.get(message_id)
            worker = self._idle_worker()
            if message is not None and worker and message.receive_count < self._queue.max_receive_count:
                scheduler.log("queue", f"delivers {message_id} again while it is in flight")
                worker.work_on([self._sqs.deliver(self._queue, message)])

        scheduler.after(scheduler.rng.randint(0, 5000), deliver)


class Worker:
    """Handles one batch at a time."""

    kind = "worker"

    def __init__(self, surroundings: Surroundings, number: int, wake_worker: Callable[[], None]) -> None:
        self._surroundings = surroundings
        self._name = f"{self.kind}{number + 1}"
        self._wake_worker = wake_worker
        self._starts = itertools.count(1)
        self._process: Process | None = None
        self._sickness = Sickness(surroundings, "nothing", FOR_EVER, FOR_EVER)
        self._health = self._new_health()
        self.is_idle = True

    def turn_sick(self, sickness: Sickness) -> None:
        """From now on, the worker suffers from this."""
        self._sickness = sickness

    def may_receive(self) -> bool:
        """Whether the worker takes messages at this moment."""
        return True

    @property
    def max_messages(self) -> int:
        """How many messages the worker takes at this moment."""
        return self._surroundings.plan.batch_size

    def _new_health(self) -> WorkerHealth:
        scheduler = self._surroundings.scheduler
        return self._surroundings.parts.health(
            check=self._check,
            monotonic=lambda: scheduler.now_ms / 1000,
            uniform=scheduler.rng.uniform,
        )

    def _check(self) -> None:
        self._sickness.check()

    def _refresh(self) -> None:
        """Check the worker when it is time; its platform replaces it when it gives up."""
        try:
            self._health.refresh()
        except WorkerUnfit:
            self._surroundings.scheduler.log(self._name, "gives up and is replaced")
            self._process = None
            self._health = self._new_health()
            self._health.require_check()

    def work_on(self, deliveries: list[dict[str, Any]]) -> None:
        """Handle the batch in a process of this worker."""
        raise NotImplementedError

    def _new_process(self) -> Process:
        process = self._process = self._surroundings.process(f"{self._name}.{next(self._starts)}")
        process.on_death = lambda: self._become_idle_later(process)
        process.cannot = self._sickness.prevents
        process.is_sick = lambda: self._sickness.is_active
        return process

    def _begin(self, process: Process, deleter: Process, deliveries: list[dict[str, Any]], context: Context) -> None:
        self.is_idle = False
        counts = (f"{each['MessageId']} ({each['Attributes']['ApproximateReceiveCount']})" for each in deliveries)
        self._surroundings.scheduler.log(process.name, f"receives {', '.join(counts)}")
        on_end = functools.partial(self._become_idle_later, process)
        Batch(self._surroundings, process, deleter, deliveries, context, self._health, on_end)

    def _become_idle_later(self, process: Process) -> None:
        """Become idle after a while, once for each batch."""
        if process is not self._process or self.is_idle:
            return
        scheduler = self._surroundings.scheduler

        def become_idle() -> None:
            self.is_idle = True
            self._wake_worker()

        scheduler.after(scheduler.rng.choice((0, 1, scheduler.rng.randint(0, 5000))), become_idle)


class Function(Worker):
    """An execution environment, killed at its timeout. The mapping outlives it and deletes what succeeded."""

    kind = "function"

    def work_on(self, deliveries: list[dict[str, Any]]) -> None:
        scheduler = self._surroundings.scheduler
        self._refresh()
        process = self._new_process()
        process.is_bounded = True
        mapping = self._surroundings.process("mapping")
        mapping.on_death = process.on_death
        ends_ms = scheduler.now_ms + FUNCTION_TIMEOUT_MS
        scheduler.at(ends_ms, lambda: scheduler.kill(process, "the function timed out"))
        self._begin(process, mapping, deliveries, Context(scheduler, ends_ms, FUNCTION_TIMEOUT_MS))


class Consumer(Worker):
    """A long-running process. Nothing bounds its batches: it may be paused and go on when it is too late."""

    kind = "consumer"

    _wakes = False

    def may_receive(self) -> bool:
        if self._process is not None and not self._process.alive:
            self._process, self._health = None, self._new_health()
            self._health.require_check()
        self._refresh()
        if self._health.max_messages != 0:
            return True
        if not self._wakes:
            self._wakes = True
            self._surroundings.scheduler.after(int(self._health.pause_seconds() * 1000) + 1, self._wake_up)
        return False

    @property
    def max_messages(self) -> int:
        most = self._health.max_messages
        return super().max_messages if most is None else most

    def _wake_up(self) -> None:
        self._wakes = False
        self._wake_worker()

    def work_on(self, deliveries: list[dict[str, Any]]) -> None:
        surroundings = self._surroundings
        process = self._process if self._process and self._process.alive else self._new_process()
        # As in stillframe_cli.queue_settings: the leases end before the messages are visible again.
        left_seconds = surroundings.plan.visibility_seconds - margin_seconds(surroundings.settings)
        ends_ms = surroundings.scheduler.now_ms + int(1000 * left_seconds)
        job_ms = int(1000 * surroundings.settings.job_deadline_seconds)
        self._begin(process, process, deliveries, Context(surroundings.scheduler, ends_ms, job_ms))
