"""The alarms. The description of each names the entry of docs/runbook.md that says what to do."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .alarm_topic import alarm_topic
from .config import CONCURRENCY_PER_POLLER, DeployConfig
from .digests import Digests
from .event_symptoms import digest_symptoms, event_symptoms, webhook_symptoms
from .fleet import Fleet
from .measures import MINUTE, Measures
from .notifier import Notifier
from .storage_stack import StorageStack
from .symptom import Symptom
from .webhooks import Webhooks

FIVE_MINUTES = Duration.minutes(5)
QUARTER_HOUR = Duration.minutes(15)
HOUR = Duration.hours(1)
# In percent of all claims.
LOST_CLAIMS_PERCENT = 5
# In percent of all images.
BLANK_PERCENT = 5
STALE_CLAIMS = 5
DAY_SECONDS = 24 * 3600
# SQS deletes a message at the end of its queue's retention, wherever the message is: this share of it is left to act.
EXPIRY_SHARE = 0.5
# The part of its deadline from which on a job is in danger of missing it.
DEADLINE_SHARE = 0.9
# After this many minutes at the maximum, the load is more than a burst.
MINUTES_AT_MAXIMUM = 15


class Alarms(Construct):
    """All alarms, sent to one topic: of queue and captures, and of whatever else there is."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeployConfig,
        storage: StorageStack,
        function: lambda_.IFunction | None,
        fleet: Fleet | None,
        notifier: Notifier | None,
        webhooks: Webhooks | None,
        digests: Digests | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = alarm_topic(self, config.alarm_email)
        symptoms = [*_queue_symptoms(config, storage), *_capture_symptoms(config)]
        if function is not None:
            symptoms += _function_symptoms(config, function)
        if fleet is not None:
            symptoms += _fleet_symptoms(config, fleet)
        if notifier is not None:
            symptoms += event_symptoms(notifier)
        if webhooks is not None:
            symptoms += webhook_symptoms(webhooks)
        if digests is not None:
            symptoms += digest_symptoms(digests)
        self.by_name = {symptom.name: self._alarm(symptom) for symptom in symptoms}

    def _alarm(self, symptom: Symptom) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            symptom.name,
            metric=symptom.metric,
            threshold=symptom.threshold,
            evaluation_periods=symptom.periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=symptom.description,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))
        return alarm


def _queue_symptoms(config: DeployConfig, storage: StorageStack) -> list[Symptom]:
    queue, dead = storage.queue, storage.dead_letter_queue
    return [
        Symptom(
            "QueueDepth",
            queue.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
            config.alarm_depth,
            "queue-depth",
            "More messages are waiting than the workers were sized for.",
            periods=5,
        ),
        Symptom(
            "OldestMessage",
            queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            config.alarm_age_seconds,
            "oldest-message",
            "A message has been waiting for too long.",
            periods=3,
        ),
        # Once in alarm, OldestMessage says nothing new for days, for instance while the event source is paused.
        Symptom(
            "ExpiringMessages",
            queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            int(config.queue_retention_days * DAY_SECONDS * EXPIRY_SHARE),
            "expiring-messages",
            "Half of the time is over after which SQS deletes a message that nobody has processed.",
            periods=5,
        ),
        # NumberOfMessagesSent does not count the messages that SQS itself moves there.
        Symptom(
            "DeadLetters",
            dead.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
            1,
            "dead-letters",
            "There are messages in the dead-letter queue.",
        ),
    ]


def _capture_symptoms(config: DeployConfig) -> list[Symptom]:
    measures = Measures(config.service)
    return [
        Symptom(
            "ServiceErrors",
            measures.over_all("ServiceErrors", "Sum", FIVE_MINUTES),
            1,
            "service-errors",
            "AWS calls of the workers fail, or there is a defect.",
        ),
        Symptom(
            "WorkerUnhealthy",
            measures.over_all("WorkerUnhealthy", "Sum", FIVE_MINUTES),
            1,
            "unhealthy-workers",
            "A worker cannot work (browser, disk, permissions), and receives nothing.",
        ),
        Symptom(
            "FailedCaptures",
            measures.over_all("FailedCaptures", "Average", FIVE_MINUTES),
            config.alarm_failed_percent,
            "failed-captures",
            "More captures than configured fail for good (alarmFailedPercent).",
            periods=3,
        ),
        Symptom(
            "Latency",
            measures.by_outcome("Latency", "captured", "p95", FIVE_MINUTES),
            config.alarm_latency_seconds * 1000,
            "latency",
            "An image in twenty comes later than configured (alarmLatencySeconds).",
            periods=3,
        ),
        Symptom(
            "NearDeadline",
            measures.by_outcome("RenderDuration", "captured", "p99", FIVE_MINUTES),
            int(config.job_deadline_seconds * 1000 * DEADLINE_SHARE),
            "near-the-deadline",
            "The slowest captures take almost as long as a job may (jobDeadlineSeconds).",
            periods=3,
        ),
        Symptom(
            "LostClaims",
            measures.over_all("LostClaims", "Average", FIVE_MINUTES),
            LOST_CLAIMS_PERCENT,
            "lost-claims",
            "Over 5 % of the claims are lost: duplicates, or a visibility timeout that is too short.",
            periods=3,
        ),
        Symptom(
            "StaleClaims",
            measures.by_outcome("StaleClaims", "captured", period=FIVE_MINUTES),
            STALE_CLAIMS,
            "stale-claims",
            "Workers take over stale claims: other workers die, or are frozen.",
        ),
        # Over 5 % in four quarters of an hour in a row: a single blank page alerts nobody, even if there are few pages.
        Symptom(
            "BlankImages",
            measures.over_all("BlankImages", "Average", QUARTER_HOUR),
            BLANK_PERCENT,
            "blank-images",
            "Over 5 % of the images have been blank (one colour) for an hour.",
            periods=4,
        ),
        Symptom(
            "Cost",
            measures.over_all("EstimatedUsd", "Sum", HOUR),
            config.alarm_usd_per_hour,
            "cost",
            "Compute costs more per hour than configured (alarmUsdPerHour).",
        ),
    ]


def _function_symptoms(config: DeployConfig, function: lambda_.IFunction) -> list[Symptom]:
    maximum = config.max_pollers * CONCURRENCY_PER_POLLER if config.is_provisioned else config.max_concurrency
    return [
        Symptom(
            "FunctionErrors",
            function.metric_errors(period=MINUTE, statistic="Sum"),
            1,
            "function-errors",
            "Whole invocations of the renderer fail (timeout, memory, a defect).",
        ),
        Symptom(
            "Throttles",
            function.metric_throttles(period=FIVE_MINUTES, statistic="Sum"),
            1,
            "throttles",
            "Lambda throttles invocations: the account or the reservation has no concurrency left.",
        ),
        Symptom(
            "ConcurrencyAtMaximum",
            function.metric("ConcurrentExecutions", period=MINUTE, statistic="Maximum"),
            maximum,
            "at-its-maximum",
            "The function has been at its maximum concurrency for a quarter of an hour.",
            periods=MINUTES_AT_MAXIMUM,
        ),
    ]


def _fleet_symptoms(config: DeployConfig, fleet: Fleet) -> list[Symptom]:
    return [
        Symptom(
            "TasksAtMaximum",
            fleet.running_tasks,
            config.max_tasks,
            "at-its-maximum",
            "The fleet has had its maximum number of tasks for a quarter of an hour.",
            periods=MINUTES_AT_MAXIMUM,
        ),
    ]
