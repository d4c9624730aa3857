"""One schedule: everything that one seed decides, run to its end and checked."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from stillframe.clients import Clients
from stillframe.queue_settings import QueueSettings
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe_cli.dead_letters import VISIBILITY_SECONDS

from .aws.bucket import SimulatedBucket
from .aws.event_bus import SimulatedEventBus
from .aws.queue import QueueWatcher, SimulatedQueue, SimulatedSqs, StoredMessage
from .aws.stream import SimulatedStream
from .aws.table import SimulatedTable
from .batch import UNREADABLE_BODY
from .event_promises import EventPromises
from .event_source import EventSource
from .fleet import Fleet
from .invariants import Invariants
from .network import Network, Weather
from .plan import Plan
from .promise import Violation
from .retention import MAX_DELETION_DELAY_MS, Retention
from .scheduler import Process, Scheduler
from .surroundings import Parts, Surroundings, produce, redrive

# Long after the last message must have ended.
LIMIT_MS = 7 * 24 * 3600 * 1000
RETENTION_SECONDS = 4 * 24 * 3600
INVALID_BODY = '{"url": 5}'

SETTINGS = Settings.model_validate(
    {
        "QUEUE_URL": "queue",
        "DEAD_LETTER_QUEUE_URL": "dead-letters",
        "TABLE_NAME": "table",
        "BUCKET_NAME": "bucket",
        "STILLFRAME_WORKER_ID": "worker",
    }
)

# When even the record that was written last has expired.
RETENTION_MS = SETTINGS.record_retention_seconds * 1000


@dataclass
class Result:
    """How a schedule ended. `violation` is None if every promise held; times in the story are ms since the start."""

    plan: Plan
    violation: Violation | None = None
    story: list[tuple[int, str, str]] = field(default_factory=list)

    def to_text(self) -> str:
        """The plan and the story, one line per step."""
        shape = ", ".join(f"{name} {value}" for name, value in asdict(self.plan).items() if name != "seed")
        lines = [f"{at_ms / 1000:11.3f} s  {who:22} {what}" for at_ms, who, what in self.story]
        return "\n".join([f"seed {self.plan.seed}: {shape}", *lines])


class Schedule:
    """The surroundings of one plan, and the events in them."""

    def __init__(self, plan: Plan, parts: Parts) -> None:
        self._plan = plan
        self._scheduler = scheduler = Scheduler(plan.seed)

        def now_ms() -> int:
            return scheduler.now_ms

        dead_letters = SimulatedQueue("dead-letters")
        queue = SimulatedQueue("queue", plan.visibility_seconds, plan.max_receive_count)
        queue.dead_letters = dead_letters if plan.has_redrive_policy else None
        told = SETTINGS.model_copy(update={"max_receive_count": plan.told_receive_count})
        table, bucket = SimulatedTable(now_ms, scheduler.rng), SimulatedBucket()
        self.queue, self.table, self.bucket = queue, table, bucket
        self.sqs = SimulatedSqs(now_ms, [queue, dead_letters], scheduler.rng)
        stream = SimulatedStream(now_ms)
        table.watchers.append(stream.written)
        self._network = Network(scheduler, plan.weather)
        self.bus = bus = SimulatedEventBus(lambda: scheduler.rng.random() < self._network.weather.fault_probability)
        self.invariants = Invariants(scheduler, self._network, table, bucket, queue, dead_letters, plan.own_limit)
        self.surroundings = Surroundings(
            plan=plan,
            scheduler=scheduler,
            network=self._network,
            services=Clients(*cast(Any, (self.sqs, table, bucket))),
            settings=(_queue_settings(plan).apply(told) if parts.asks_the_queue else told).model_copy(
                update=parts.settings
            ),
            parts=parts,
            images=itertools.count(1),
            invariants=self.invariants,
            events=EventPromises(self.invariants.broken, table, bus),
        )
        self._retention = Retention(scheduler, self.invariants, table, dead_letters)
        EventSource(self.surroundings, stream, bus)
        fleet = Fleet(self.surroundings, self.sqs, queue)
        self.sqs.watcher = QueueWatcher(
            accepted=self.invariants.accepted,
            timed=lambda where, message: fleet.wake_worker_at(message.visible_ms) if where is queue else None,
            deleted=self._deleted,
            dead_lettered=self._dead_lettered,
        )
        self._fleet = fleet

    def run(self) -> Result:
        """Run with faults until everything has ended; then run a redrive without faults, and check again.

        In some schedules the records expire in between, and their ids are used again.
        """
        result = Result(self._plan, story=self._scheduler.story)
        try:
            self._send_all()
            self._settle()
            if self._plan.later_messages:
                self._scheduler.after(RETENTION_MS, self._use_again)
                self._settle(RETENTION_MS + LIMIT_MS)
            self._clear_up()
            # Dead letters that an interrupted redrive received are invisible for a while.
            self._scheduler.after(VISIBILITY_SECONDS * 1000, lambda: self._start("operator", redrive))
            self._settle()
            self.invariants.check_healed()
            self._conclude()
        except Violation as violation:
            result.violation = violation
        finally:
            self._scheduler.close()
        return result

    def _conclude(self) -> None:
        """Check what else is promised of a schedule of this kind."""

    def _send_all(self) -> None:
        plan, rng = self._plan, self._scheduler.rng
        for number in range(plan.messages):
            # Sometimes the same id with other options: a conflict.
            self._send(number, plan.spread_ms, 0.05)
        for body in (INVALID_BODY, UNREADABLE_BODY):
            if rng.random() < 0.05:
                self._scheduler.after(0, lambda body=body: self._send_body(body))  # type: ignore[misc]
        self._redrive_now_and_then()

    def _use_again(self) -> None:
        """Let the records expire, and send messages with the same ids before and after they are deleted."""
        self._retention.expire()
        for number in range(self._plan.later_messages):
            spread_ms = self._scheduler.rng.choice((self._plan.spread_ms, MAX_DELETION_DELAY_MS))
            self._send(self._plan.messages + number, spread_ms, 0.4)
        self._redrive_now_and_then()

    def _send(self, number: int, spread_ms: int, other_options: float) -> None:
        """Start a producer within the spread. `other_options` is how likely it sends other options with its id."""
        options = {"fullPage": True} if self._scheduler.rng.random() < other_options else {}
        page = number % self._plan.ids
        if self._scheduler.rng.random() < self._plan.fresh_probability:
            self._send_fresh(number, page, options, spread_ms)
            return
        request = CaptureRequest(url=f"https://example.com/{page}", request_id=f"id{page}", options=options)
        self._start_within(spread_ms, f"producer{number + 1}", _producing(request))

    def _send_fresh(self, number: int, page: int, options: dict[str, Any], spread_ms: int) -> None:
        """Send a bare message that is named by its window: several of one window are one screenshot.

        Its metadata, which do not name it, tell its copies from those of other messages.
        """
        fresh_for, metadata = self._plan.fresh_seconds, {"number": str(number)}
        url = f"https://example.com/{page}"
        body = CaptureRequest(url=url, options=options, fresh_for=fresh_for, metadata=metadata).to_body()
        self._scheduler.after(self._scheduler.rng.randint(0, spread_ms), lambda: self._send_body(body))

    def _send_body(self, body: str) -> None:
        self.sqs.send_message(QueueUrl="queue", MessageBody=body)

    def _redrive_now_and_then(self) -> None:
        for _ in range(self._plan.redrives):
            self._start_within(3_600_000, "operator", redrive)

    def _deleted(self, queue: SimulatedQueue, message: StoredMessage) -> None:
        self.invariants.deleted(queue, message)
        if (
            queue.url == "queue"
            and not self.surroundings.is_calm
            and self._scheduler.rng.random() < self._plan.ghost_probability
        ):
            self._fleet.redeliver_deleted(message)

    def _dead_lettered(self, queue: SimulatedQueue, message: StoredMessage) -> None:
        if self._plan.prompt_redrive and not self.surroundings.is_calm:
            self._start_within(2000, "operator", redrive)

    def _settle(self, limit_ms: int = LIMIT_MS) -> None:
        self._scheduler.run(self._scheduler.now_ms + limit_ms)
        self.invariants.check_end()
        self.surroundings.events.check_end()

    def _clear_up(self) -> None:
        self._scheduler.log("weather", "clears up")
        self._network.weather = Weather()
        self.surroundings.is_calm = True

    def _start_within(self, spread_ms: int, name: str, run: Callable[[Surroundings, Process], None]) -> None:
        self._scheduler.after(self._scheduler.rng.randint(0, spread_ms), lambda: self._start(name, run))

    def _start(self, name: str, run: Callable[[Surroundings, Process], None]) -> None:
        process = self.surroundings.process(name)
        self._scheduler.spawn(process, name, lambda: run(self.surroundings, process))


def _queue_settings(plan: Plan) -> QueueSettings:
    """What a worker learns from the queue."""
    return QueueSettings(
        arn="arn:aws:sqs:us-east-1:000000000000:queue",
        visibility_seconds=plan.visibility_seconds,
        retention_seconds=RETENTION_SECONDS,
        max_receive_count=plan.max_receive_count if plan.has_redrive_policy else None,
        dead_letter_arn="arn:aws:sqs:us-east-1:000000000000:dead-letters" if plan.has_redrive_policy else None,
    )


def _producing(request: CaptureRequest) -> Callable[[Surroundings, Process], None]:
    return lambda surroundings, process: produce(surroundings, process, [request])


def run_schedule(seed: int, parts: Parts | None = None) -> Result:
    """Run the schedule of a seed, with the unchanged code unless parts are given."""
    return Schedule(Plan.draw(seed), parts or Parts()).run()
