"""What wakes someone: each alarm names the entry of docs/runbook.md that says what to do."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from .config import CONCURRENCY_PER_POLLER, DeployConfig
from .fleet import Fleet
from .measures import MINUTE, by_outcome, over_all
from .nag import acknowledge
from .storage_stack import StorageStack

FIVE_MINUTES = Duration.minutes(5)
QUARTER = Duration.minutes(15)
HOUR = Duration.hours(1)
# Of all claims, in percent.
LOST_CLAIMS_PERCENT = 5
BLANK_PERCENT = 5
STALE_CLAIMS = 5
# Minutes at the maximum before it is more than a burst.
MINUTES_AT_MAXIMUM = 15
RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something to be woken for: the metric, when it is too much, for how many periods, and the entry to read."""

    name: str
    metric: cloudwatch.IMetric
    threshold: float
    entry: str
    meaning: str
    periods: int = 1

    @property
    def description(self) -> str:
        return f"{self.meaning} {RUNBOOK}#{self.entry}"


class Alarms(Construct):
    """Alarms to one topic, for what there is of function and fleet."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeployConfig,
        storage: StorageStack,
        function: lambda_.IFunction | None,
        fleet: Fleet | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", display_name="Stillframe alarms", enforce_ssl=True)
        acknowledge(
            self.topic,
            "AwsSolutions-SNS2",
            "CloudWatch cannot publish to a topic under the AWS-managed key, and an alarm names metrics, no data.",
        )
        if config.alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))
        symptoms = [*_of_queue(config, storage), *_of_captures(config)]
        if function is not None:
            symptoms += _of_function(config, function)
        if fleet is not None:
            symptoms += _of_fleet(config, fleet)
        for symptom in symptoms:
            self._alarm(symptom)

    def _alarm(self, symptom: Symptom) -> None:
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


def _of_queue(config: DeployConfig, storage: StorageStack) -> list[Symptom]:
    queue, dead = storage.queue, storage.dead_letter_queue
    return [
        Symptom(
            "QueueDepth",
            queue.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
            config.alarm_depth,
            "queue-depth",
            "More messages wait than the workers were sized for.",
            periods=5,
        ),
        Symptom(
            "OldestMessage",
            queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            config.alarm_age_seconds,
            "oldest-message",
            "A message has waited for too long.",
            periods=3,
        ),
        # NumberOfMessagesSent does not count what SQS moves there by itself.
        Symptom(
            "DeadLetters",
            dead.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
            1,
            "dead-letters",
            "Messages are in the dead-letter queue.",
        ),
    ]


def _of_captures(config: DeployConfig) -> list[Symptom]:
    return [
        Symptom(
            "ServiceErrors",
            over_all("ServiceErrors", "Sum", FIVE_MINUTES),
            1,
            "service-errors",
            "AWS refuses calls of the workers, or a defect shows.",
        ),
        Symptom(
            "LostClaims",
            over_all("LostClaims", "Average", FIVE_MINUTES),
            LOST_CLAIMS_PERCENT,
            "lost-claims",
            "Over 5 % of the claims fail their condition: duplicates, or a visibility timeout that is too short.",
            periods=3,
        ),
        Symptom(
            "StaleClaims",
            by_outcome("StaleClaims", "captured", period=FIVE_MINUTES),
            STALE_CLAIMS,
            "stale-claims",
            "Workers take over what others left behind: they die, or are frozen.",
        ),
        # In each quarter of an hour: a page that is blank for once wakes nobody, however few pages there are.
        Symptom(
            "BlankImages",
            over_all("BlankImages", "Average", QUARTER),
            BLANK_PERCENT,
            "blank-images",
            "Over 5 % of the pictures have been of one colour for an hour.",
            periods=4,
        ),
        Symptom(
            "Cost",
            by_outcome("EstimatedUsd", "captured", "Sum", HOUR),
            config.alarm_usd_per_hour,
            "cost",
            "Compute costs more an hour than was set as usual.",
        ),
    ]


def _of_function(config: DeployConfig, function: lambda_.IFunction) -> list[Symptom]:
    most = config.max_pollers * CONCURRENCY_PER_POLLER if config.is_provisioned else config.max_concurrency
    return [
        Symptom(
            "FunctionErrors",
            function.metric_errors(period=MINUTE, statistic="Sum"),
            1,
            "function-errors",
            "Invocations of the renderer fail as a whole (time-out, memory, a defect).",
        ),
        Symptom(
            "Throttles",
            function.metric_throttles(period=FIVE_MINUTES, statistic="Sum"),
            1,
            "throttles",
            "Lambda refuses invocations: the account or the reservation has no concurrency left.",
        ),
        Symptom(
            "ConcurrencyAtMaximum",
            function.metric("ConcurrentExecutions", period=MINUTE, statistic="Maximum"),
            most,
            "at-its-maximum",
            "The function has been at its maximum for a quarter of an hour.",
            periods=MINUTES_AT_MAXIMUM,
        ),
    ]


def _of_fleet(config: DeployConfig, fleet: Fleet) -> list[Symptom]:
    return [
        Symptom(
            "TasksAtMaximum",
            fleet.running_tasks,
            config.max_tasks,
            "at-its-maximum",
            "The fleet has been at its maximum for a quarter of an hour.",
            periods=MINUTES_AT_MAXIMUM,
        ),
    ]
