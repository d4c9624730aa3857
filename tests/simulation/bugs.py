"""Plausible mistakes, each of which the simulation has to catch: the code under test with one part replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from stillframe.errors import HostBusy, TransientError
from stillframe.image.extra import Extra
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.image.store import ImageStore
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import Delivery, Message
from stillframe.table.claim import Claim
from stillframe.table.host_limit import HostLimit, Slot
from stillframe.table.record import Record, queued_item
from stillframe.table.update import Update
from stillframe.table.wait_count import WaitCounts
from stillframe_cli.producer import Producer
from stillframe_renderer.message.capture import Capture
from stillframe_renderer.message.under_claim import InvocationContext

from .surroundings import Parts

HOUR_MS = 3_600_000


class AcknowledgesEveryDuplicate(Capture):
    """Takes whatever does not win the claim for a duplicate, redeliveries of the holder's own message included."""

    def _may_guarantee(self, message: Message, found: Record) -> bool:
        return False


class AcknowledgesEarlierHolders(Capture):
    """Takes every message but the holder's own for a duplicate, also one that held the claim before."""

    def _may_guarantee(self, message: Message, found: Record) -> bool:
        return found.message_id == message.message_id


class ForgetsTheRedrive(Capture):
    """Takes a message that was brought back for one that never held the claim."""

    def _may_guarantee(self, message: Message, found: Record) -> bool:
        return message.receive_count > 1 or found.message_id == message.message_id


class HurriesToTheDeadLetters(Capture):
    """Hands a message back at once at its last receive, when a lease on its account may still run."""

    def _hand_back(self, message: Message, error: TransientError, outcome: Outcome) -> Outcome:
        self._queue.delay(message.receipt_handle, 0)
        return super()._hand_back(message, error, outcome)


class LetsErrorsThrough(Capture):
    """Raises what it cannot handle, so that one record fails its whole batch."""

    def _hand_back(self, message: Message, error: TransientError, outcome: Outcome) -> Outcome:
        raise error


class SwallowsCancellation(Capture):
    """Calls a cancelled delivery done."""

    def handle(self, message: Message, context: InvocationContext) -> Outcome:
        try:
            return super().handle(message, context)
        except asyncio.CancelledError:
            return Outcome(kind=OutcomeKind.CAPTURED, acknowledge=True, id="", url="", message_id=message.message_id)


class UnfencedCompletion(Claim):
    """Completes whatever claim there is, as Powertools' own layer does."""

    def _fenced(self, update: Update) -> None:
        if update.condition == "claimToken = :mine":
            self._client.update_item(**self._addressed(replace(update, condition="attribute_exists(id)")))
        else:
            super()._fenced(update)


class UnfencedRelease(Claim):
    """Releases whatever claim there is, as Powertools' own layer does."""

    def _delete_record(self, data_record: DataRecord) -> None:
        self._client.update_item(
            TableName=self._settings.table_name,
            Key=self._key,
            UpdateExpression="SET #status = :queued REMOVE leaseExpiresAt, claimToken",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":queued": {"S": "queued"}},
        )


class ForgetsTheContext(Claim):
    """Without a registered context Powertools holds a claim until the record expires: an hour by default."""

    def save_inprogress(self, data: dict[str, Any], remaining_time_in_millis: int | None = None) -> None:
        super().save_inprogress(data, HOUR_MS)


class KeepsAnOldContext(Claim):
    """The context of an invocation that has ended says that no time is left: the claim expires at once."""

    def save_inprogress(self, data: dict[str, Any], remaining_time_in_millis: int | None = None) -> None:
        super().save_inprogress(data, 0)


class TakesOverAnything(Claim):
    """Claims what is being processed, whether or not the lease has run out."""

    def _addressed(self, update: Update) -> dict[str, Any]:
        values: Mapping[str, Any] = update.values
        if ":now" in values:
            update = update.with_values({":now": values[":now"] + HOUR_MS})
        return super()._addressed(update)


class LetsSuccessExpire(Claim):
    """Takes a success for claimable, as a record is whose idempotency window has ended."""

    def _addressed(self, update: Update) -> dict[str, Any]:
        if ":now" in update.values:
            condition = f"{update.condition} OR (#status = :success AND claimedAt < :now)"
            update = replace(update, condition=condition).with_values({":success": "success"})
        return super()._addressed(update)


class OverwritesObjects(ImageStore):
    """Puts without If-None-Match."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        super().__init__(_WithoutIfNoneMatch(client), bucket, prefix)  # type: ignore[arg-type]


class _WithoutIfNoneMatch:
    def __init__(self, client: Any) -> None:
        self._client = client

    def put_object(self, IfNoneMatch: str, **arguments: Any) -> Any:
        return self._client.put_object(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class BelievesItsOwnImage(ImageStore):
    """On 412 it takes the object for its own instead of looking at it."""

    def find(self, screenshot_id: str, image_format: Any) -> StoredImage | None:
        return self._mine

    def put(self, screenshot_id: str, claim_token: str, shot: RenderResult) -> tuple[StoredImage, bool]:
        self._mine = self._describe(screenshot_id, shot)
        return super().put(screenshot_id, claim_token, shot)

    _mine: StoredImage | None = None


class StoresExtrasLast(ImageStore):
    """Stores the image, and then what belongs to it."""

    def put(self, screenshot_id: str, claim_token: str, shot: RenderResult) -> tuple[StoredImage, bool]:
        stored = super().put(screenshot_id, claim_token, shot)
        for extra in shot.extras:
            super()._write_extra(screenshot_id, claim_token, extra)
        return stored

    def _write_extra(self, screenshot_id: str, claim_token: str, extra: Extra) -> None:
        pass


class KeepsExtrasById(ImageStore):
    """Has one place for the extra objects of an id, whichever render they are of."""

    def extra_key(self, screenshot_id: str, claim_token: str, file: str) -> str:
        return super().extra_key(screenshot_id, "extras", file)


class KeyedByMessageId(Claim):
    """Takes the SQS message id for the screenshot id."""

    def __init__(self, client: Any, settings: Any, clock: Any, delivery: Delivery) -> None:
        renamed = delivery.request.model_copy(update={"request_id": delivery.message.message_id})
        super().__init__(client, settings, clock, replace(delivery, request=renamed))


class OverwritesRecords(Producer):
    """Writes `queued` over whatever is known of the id."""

    def _write_queued(self, request: CaptureRequest) -> None:
        item = queued_item(request, self._clock.now_ms(), self._settings.record_retention_seconds)
        self._clients.dynamodb.put_item(TableName=self._settings.table_name, Item=item)


class WaitsWithoutACopy(Capture):
    """Takes a message whose host is busy for one that somebody will send again."""

    def _postpone(self, message: Message, error: HostBusy, outcome: Outcome) -> Outcome:
        return replace(outcome, kind=OutcomeKind.RETRY, reason=error.code)


class CountsNoTurns(WaitCounts):
    """Lets every copy of a waiting message wait on, and be copied again."""

    def is_newest(self, message: Message) -> bool:
        return True


class ReleasesWhatItLost(HostLimit):
    """Gives back the slot that it once had, whoever has it now."""

    def release(self, slot: Slot | None) -> None:
        if slot is not None:
            self._write(slot, -1, "attribute_exists(holder) OR holder = :mine")


@dataclass(frozen=True)
class Bug:
    """A mistake, by name, and the code that makes it."""

    name: str
    parts: Parts


BUGS = (
    Bug("acknowledge every duplicate", Parts(capture=AcknowledgesEveryDuplicate)),
    Bug("acknowledge a message that held the claim before", Parts(capture=AcknowledgesEarlierHolders)),
    Bug("acknowledge a redriven message as a duplicate", Parts(capture=ForgetsTheRedrive)),
    Bug("no wait before the dead-letter queue", Parts(capture=HurriesToTheDeadLetters)),
    Bug("no fence on complete", Parts(claim=UnfencedCompletion)),
    Bug("no fence on release", Parts(claim=UnfencedRelease)),
    Bug("no If-None-Match", Parts(artifacts=OverwritesObjects)),
    Bug("adopt without looking at the object", Parts(artifacts=BelievesItsOwnImage)),
    Bug("extra objects after the image", Parts(artifacts=StoresExtrasLast)),
    Bug("extra objects by id alone", Parts(artifacts=KeepsExtrasById)),
    Bug("lease longer than visibility", Parts(settings={"lease_margin_seconds": 600.0})),
    Bug("key by message id", Parts(claim=KeyedByMessageId)),
    Bug("delete before complete", Parts(acknowledge_first=True)),
    Bug("forget to register the context", Parts(claim=ForgetsTheContext)),
    Bug("keep the context of an earlier invocation", Parts(claim=KeepsAnOldContext)),
    Bug("take over a claim whose lease still runs", Parts(claim=TakesOverAnything)),
    Bug("let a success expire", Parts(claim=LetsSuccessExpire)),
    Bug("let an error through to the batch", Parts(capture=LetsErrorsThrough)),
    Bug("swallow cancellation", Parts(capture=SwallowsCancellation)),
    Bug("producer overwrites the record", Parts(producer=OverwritesRecords)),
    Bug("wait for a host without a copy", Parts(capture=WaitsWithoutACopy)),
    Bug("every copy that waits is copied", Parts(turns=CountsNoTurns)),
    Bug("release a slot that another one has", Parts(slots=ReleasesWhatItLost)),
)
