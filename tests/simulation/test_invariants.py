"""The promises that no seeded bug breaks first: these tests break them by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.table import transitions
from stillframe.table.attributes import item_key

from .network import Weather
from .plan import Plan
from .promise import Promise, Violation
from .schedule import Schedule
from .surroundings import Parts

REQUEST = CaptureRequest(url="https://example.com/", request_id="id0")
NOTHING_HAPPENS = replace(Plan.draw(0), messages=0, redrives=0, weather=Weather(), mishaps=0.0)


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(NOTHING_HAPPENS, Parts())


def accept(schedule: Schedule) -> None:
    """Send a message and write its record; then the message vanishes without a trace."""
    schedule.sqs.send_message(QueueUrl="queue", MessageBody=REQUEST.to_body())
    update = transitions.queue(REQUEST, 0, 0)
    schedule.table.update_item(TableName="table", Key=item_key(REQUEST.id), **update.to_arguments())
    schedule.queue.messages.clear()


@pytest.mark.parametrize(
    ("promise", "check"),
    [
        (Promise.EVERY_MESSAGE_ENDS, lambda schedule: schedule.invariants.check_end()),
        (Promise.REDRIVE_HEALS, lambda schedule: schedule.invariants.check_healed()),
    ],
)
def test_a_vanished_message_is_reported(
    schedule: Schedule, promise: Promise, check: Callable[[Schedule], None]
) -> None:
    # Given an accepted message that is gone while its record is queued
    accept(schedule)
    # When the end is checked
    with pytest.raises(Violation) as raised:
        check(schedule)
    # Then the loss is reported
    assert raised.value.promise is promise
