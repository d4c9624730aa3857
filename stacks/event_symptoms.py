"""The symptoms of events: of the notifier, of digests and of webhooks."""

from __future__ import annotations

from .digests import Digests
from .measures import MINUTE
from .notifier import Notifier
from .symptom import Symptom
from .webhooks import Webhooks

# An event comes within seconds. The stream keeps a change for a day.
LATE_EVENT_MS = 15 * 60 * 1000
# Of the 120,000 messages that SQS hides at once ("Amazon SQS message quotas").
MAX_WAITING_WEBHOOKS = 80_000


def event_symptoms(notifier: Notifier) -> list[Symptom]:
    """Events that are late, and changes of which nobody was told."""
    return [
        Symptom(
            "LateEvents",
            notifier.iterator_age,
            LATE_EVENT_MS,
            "late-events",
            "Events come a quarter of an hour late or more: the notifier or EventBridge fails.",
            periods=3,
        ),
        Symptom(
            "LostEvents",
            notifier.failures.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
            1,
            "lost-events",
            "There are changes in the failure queue of the notifier, for which no event was sent.",
        ),
    ]


def digest_symptoms(digests: Digests) -> list[Symptom]:
    """Days of which nobody was told."""
    return [
        Symptom(
            "LateDigests",
            digests.errors,
            1,
            "late-digests",
            "For an hour, the days of some watches could not be told of.",
            periods=4,
        )
    ]


def webhook_symptoms(webhooks: Webhooks) -> list[Symptom]:
    """Webhooks that their receivers do not take."""
    return [
        Symptom(
            "WebhooksGivenUp",
            webhooks.dead_letter_queue.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic="Maximum"
            ),
            1,
            "webhooks-given-up",
            "There are webhooks that their receivers have not accepted.",
        ),
        Symptom(
            "WebhooksWaiting",
            webhooks.queue.metric_approximate_number_of_messages_not_visible(period=MINUTE, statistic="Maximum"),
            MAX_WAITING_WEBHOOKS,
            "webhooks-waiting",
            "So many webhooks wait for their next attempt that others will soon not be sent at all.",
        ),
    ]
