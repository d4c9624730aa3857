"""The promises, checked at every write, at every deletion of a message, and at the end."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stillframe.errors import CaptureError, retryable_codes
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import SPARED
from stillframe.table import host_limit
from stillframe.table.attributes import from_attributes
from stillframe_renderer.health import FAULT_CODES, FAULTS_IN_A_ROW

from .aws.bucket import SimulatedBucket, Version
from .aws.queue import SimulatedQueue, StoredMessage
from .aws.table import SimulatedTable
from .image_promises import image_problem
from .index_promises import index_problem
from .network import Network
from .promise import Promise, Violation
from .scheduler import Process, Scheduler, Task

# The largest difference between a worker's clock and true time; the lease margin allows for twice that.
MAX_SKEW_MS = 1000
# A worker stops after this many faults in a row. A batch, of three at most, may be under way then.
MAX_FAULTS = FAULTS_IN_A_ROW + 2
# A limit above the number of messages of one request that senders, redrives and lost answers can explain.
MAX_COPIES = 30
# The same when copies were sent because of a worker's fault. The fault may be that it cannot reach the table: then
# nobody can count them, and every answer that is lost adds one, for ten generations.
MAX_SPARED_COPIES = 500
Item = dict[str, Any]


class Invariants:
    """Watches the services and raises Violation in the call that breaks a promise."""

    def __init__(
        self,
        scheduler: Scheduler,
        network: Network,
        table: SimulatedTable,
        bucket: SimulatedBucket,
        queue: SimulatedQueue,
        dead_letters: SimulatedQueue,
        own_limit: int | None,
    ) -> None:
        """`own_limit` is the number of receives after which the workers give a message up, if SQS never does."""
        self._own_limit = own_limit
        self._scheduler = scheduler
        self._network = network
        self._table = table
        self._bucket = bucket
        self._queue = queue
        self._dead_letters = dead_letters
        self._holders: dict[str, Task] = {}
        self._deliveries: dict[str, set[str]] = {}
        # By worker: the deliveries that its own fault has ended since it turned sick.
        self._faults: Counter[str] = Counter()
        # The bodies of which a copy was sent because of a worker's fault.
        self._spared: set[str] = set()
        self.requests: dict[str, CaptureRequest | None] = {}
        # By message id: the screenshot that the message, or the one that it is a copy of, was sent for.
        self._screenshots: dict[str, str] = {}
        # Bodies whose record was final when it expired: their messages may be deleted, although no record says so now.
        self._were_final: set[str] = set()
        table.watchers.append(self._written)
        bucket.watchers.append(self._stored)

    def accepted(self, queue: SimulatedQueue, message: StoredMessage) -> None:
        """Remember the message's request, which must end as final or in the dead-letter queue."""
        self._were_final.discard(message.body)
        if SPARED in message.attributes:
            self._spared.add(message.body)
        copies = sum(each.body == message.body for each in queue.messages.values())
        if copies > (MAX_SPARED_COPIES if message.body in self._spared else MAX_COPIES):
            raise self.broken(Promise.FEW_COPIES, f"{copies} messages of one request wait")
        if message.body not in self.requests:
            try:
                # The first message with this body, whose copies and redrives come later.
                self.requests[message.body] = CaptureRequest.from_body(message.body).named(message.sent_ms)
            except CaptureError:
                self.requests[message.body] = None
        request = self.requests[message.body]
        if request is not None:
            self._screenshots[message.message_id] = request.id

    def deleted(self, queue: SimulatedQueue, message: StoredMessage) -> None:
        """Check that the deleted message is no longer needed."""
        if not self._is_final(message.body) and not self._is_queued(message.body):
            raise self.broken(
                Promise.ACKNOWLEDGED_IS_SAFE, f"{message.message_id} was deleted: {self._state(message.body)}"
            )

    def raised(self, error: Exception) -> None:
        """Report a delivery that ended in an exception instead of an outcome."""
        raise self.broken(Promise.NEVER_RAISES, f"{type(error).__name__}: {error}")

    def forget(self) -> None:
        """Forget the requests so far: what was promised about them has ended with their retention."""
        self.requests.clear()

    def expires(self, key: str) -> None:
        """Remember which requests a record answers, before it expires."""
        bodies = [body for body, request in self.requests.items() if request is not None and request.id == key]
        self._were_final.update(filter(self._is_final, bodies))

    def ended(self, process: Process, outcome: Outcome) -> None:
        """Check who gives a message up, and count what a sick consumer goes on receiving.

        A function cannot stop Lambda from delivering to it.
        """
        is_last = self._own_limit is not None and outcome.receive_count >= self._own_limit
        if is_last and outcome.kind is OutcomeKind.FAILED and not (outcome.acknowledge or process.is_sick()):
            receives = f"received {outcome.receive_count} times"
            raise self.broken(Promise.RECEIVE_LIMIT, f"{outcome.message_id} was {receives}, and nobody gives it up")
        worker = process.name.partition(".")[0]
        if not process.is_sick():
            self._faults[worker] = 0
        elif outcome.error_code in FAULT_CODES and not process.is_bounded:
            self._faults[worker] += 1
            if self._faults[worker] > MAX_FAULTS:
                raise self.broken(Promise.SICK_STOPS, f"{worker} is sick, and has failed {self._faults[worker]} times")

    def observer_decided(self, error: Exception) -> None:
        """Report an observer whose exception reached the batch, which then does not acknowledge the message."""
        raise self.broken(Promise.OBSERVERS, f"{type(error).__name__}: {error}")

    def check_end(self) -> None:
        """Check, when nothing runs any longer, that each request is final or has a dead letter."""
        for body in self.requests:
            if not self._is_final(body) and not self._is_queued(body):
                raise self.broken(Promise.EVERY_MESSAGE_ENDS, self._state(body))
        if self._queue.messages:
            raise self.broken(Promise.EVERY_MESSAGE_ENDS, f"left on the queue: {sorted(self._queue.messages)}")

    def check_healed(self) -> None:
        """Check, after a redrive without faults, that requests are final unless their dead letter carries a reason."""
        reasons = {each.body for each in self._dead_letters.messages.values() if "errorCode" in each.attributes}
        for body in self.requests:
            if not self._is_final(body) and not any(body in reason for reason in reasons):
                raise self.broken(Promise.REDRIVE_HEALS, self._state(body))

    def broken(self, promise: Promise, what: str) -> Violation:
        """The violation to raise, which is also raised where the code under test handles it."""
        self._scheduler.log("invariants", f"BROKEN: {promise}: {what}")
        self._scheduler.failure = self._scheduler.failure or Violation(promise, what)
        return Violation(promise, what)

    def _written(self, key: str, old: Item | None, new: Item) -> None:
        was, now = from_attributes(old or {}), from_attributes(new)
        if key.startswith(host_limit.PREFIX):
            self._check_slot(key, was, now)
        elif "#" not in key:
            # No screenshot id has this character, so it is a record.
            self._check_record(key, was, now)

    def _check_slot(self, key: str, was: Item, now: Item) -> None:
        is_held = was.get("leaseExpiresAt", 0) >= self._scheduler.now_ms + MAX_SKEW_MS
        if is_held and now["holder"] != was["holder"]:
            raise self.broken(Promise.SLOT_IS_KEPT, f"{key} was taken before its lease ran out")

    def _check_record(self, key: str, was: Item, now: Item) -> None:
        author = self._network.author
        if was.get("status") == "success" and (now["status"] != "success" or now.get("sha256") != was.get("sha256")):
            raise self.broken(Promise.SUCCESS_IS_FINAL, f"{key} was success and is {now['status']} now")
        is_claim = now["status"] == "processing" and now.get("claimToken") != was.get("claimToken")
        if was.get("status") == "processing":
            self._check_holder(key, was, author, is_claim)
        if is_claim:
            assert author is not None
            self._check_claim(key, now, author)
        if now["status"] == "success":
            self._check_image(key, now)
        problem = index_problem(was, now)
        if problem is not None:
            raise self.broken(problem[0], f"{key} {problem[1]}")
        if now["status"] == "failed" and now.get("errorCode") in FAULT_CODES:
            raise self.broken(Promise.FAULT_IS_NO_FAILURE, f"{key} failed with {now['errorCode']}")

    def _check_holder(self, key: str, was: Item, author: Task | None, is_claim: bool) -> None:
        holder = self._holders.get(was["claimToken"])
        if author is holder:
            return
        name = holder.name if holder is not None else "an unknown task"
        if not is_claim:
            changer = author.name if author is not None else "an unknown task"
            raise self.broken(Promise.HOLDER_ONLY, f"{key} is held by {name}, but {changer} changed it")
        if was["leaseExpiresAt"] >= self._scheduler.now_ms + MAX_SKEW_MS:
            raise self.broken(Promise.HOLDER_ONLY, f"{key} was taken from {name} before its lease ran out")
        if holder is not None and holder.process.is_bounded and holder.process.alive and not holder.dead:
            raise self.broken(Promise.NO_OVERLAP, f"{key} was taken from {name}, which is still running")

    def _check_claim(self, key: str, now: Item, author: Task) -> None:
        self._holders[now["claimToken"]] = author
        message_id = now["messageId"]
        if self._screenshots[message_id] != key:
            raise self.broken(Promise.ONE_ID, f"{message_id} claimed {key}, not {self._screenshots[message_id]}")
        deliveries = self._deliveries.setdefault(message_id, set())
        deliveries.add(author.name)
        if self._queue.dead_letters is not None and len(deliveries) > self._queue.max_receive_count:
            raise self.broken(Promise.RECEIVE_LIMIT, f"{message_id} claimed {key} in {sorted(deliveries)}")
        visible_ms = author.received_ms + self._queue.visibility_seconds * 1000
        if now["leaseExpiresAt"] > visible_ms - MAX_SKEW_MS:
            late = now["leaseExpiresAt"] - visible_ms
            raise self.broken(
                Promise.LEASE_IN_VISIBILITY, f"the lease on {key} ends {late} ms after {message_id} is visible"
            )

    def _check_image(self, key: str, now: Item) -> None:
        problem = image_problem(self._bucket, now)
        if problem is not None:
            raise self.broken(problem[0], f"{key} names {problem[1]}")

    def _stored(self, key: str, version: Version) -> None:
        if len(self._bucket.versions[key]) > 1:
            raise self.broken(Promise.ONE_VERSION, f"{key} has {len(self._bucket.versions[key])} versions")

    def _is_final(self, body: str) -> bool:
        """Whether the record belongs to this request and is `success`, or `failed` with a permanent code."""
        if body in self._were_final:
            return True
        request = self.requests[body]
        item = self._table.items.get(request.id) if request else None
        if request is None or item is None:
            return False
        record = from_attributes(item)
        if record.get("payloadHash") != request.payload_hash:
            return False
        is_failed = record["status"] == "failed" and record.get("errorCode") not in retryable_codes()
        return is_failed or record["status"] == "success"

    def _is_queued(self, body: str) -> bool:
        """Whether a message of the request is on the queue or in the dead-letter queue."""
        waiting = (*self._queue.messages.values(), *self._dead_letters.messages.values())
        request = self.requests.get(body)
        if request is None:
            # The dead letter of an unreadable record holds the whole record.
            return any(body in message.body for message in waiting)
        same = {other for other, each in self.requests.items() if _is_same(each, request)}
        return any(message.body in same for message in waiting)

    def _state(self, body: str) -> str:
        request = self.requests[body]
        item = self._table.items.get(request.id) if request else None
        record = from_attributes(item) if item else {}
        name = request.id if request else repr(body)
        status = f"{record.get('status', 'not in the table')} ({record.get('errorCode', 'no error')})"
        return f"{name} is {status}, and nothing is queued for it"


def _is_same(one: CaptureRequest | None, other: CaptureRequest) -> bool:
    """Whether two messages, which may differ in what is not captured, are of one screenshot."""
    return one is not None and (one.id, one.payload_hash) == (other.id, other.payload_hash)
