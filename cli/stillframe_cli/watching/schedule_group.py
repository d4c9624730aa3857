"""The schedules of watches on EventBridge Scheduler: one for each URL, which sends its request to the queue."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from stillframe.clients import Clients
from stillframe.refused import Refused
from stillframe.settings import Settings
from stillframe.watches.schedule import Schedule
from stillframe.watches.watch import Watch, url_digest

# Replaced by EventBridge Scheduler with the time of the schedule itself, also when the call is late or comes again
# ("Adding context attributes").
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
# RetryPolicy of EventBridge Scheduler.
MAX_AGE_SECONDS = 24 * 3600
MIN_AGE_SECONDS = 60
MAX_RETRIES = 185
# The shortest time between two periods is looked for in so many of them, and so far. No day has more.
MAX_LOOK_AHEAD = 1500
LOOK_AHEAD_MS = 62 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class ScheduleGroup:
    """The group of a deployment, the role by which its schedules send, and the queue that they send to."""

    name: str
    role_arn: str
    queue_arn: str

    @classmethod
    def of(cls, settings: Settings, clients: Clients) -> Self | None:
        """The group of a deployment; None for an emulator, where `stillframe serve` sends what is due.

        Raises Refused if the deployment has none, before anything is changed.
        """
        if ".amazonaws." not in (urlsplit(settings.queue_url).hostname or ""):
            return None
        if not settings.watch_group or not settings.watch_role_arn:
            raise Refused('This deployment has no watches: deploy it with watches = "on", and name it with --stack.')
        answer = clients.sqs.get_queue_attributes(QueueUrl=settings.queue_url, AttributeNames=["QueueArn"])
        return cls(settings.watch_group, settings.watch_role_arn, answer["Attributes"]["QueueArn"])

    def put(self, watch: Watch) -> None:
        """Make the schedules of a watch what it says, and delete those of URLs that it has no more.

        It may be called again after it has failed half-way. Raises ClientError.
        """
        client = connect_scheduler()
        wanted = {} if watch.is_removed else {self.schedule_name(watch.name, url): url for url in watch.urls}
        existing = self._existing(client, f"{watch.name}.")
        for name, url in wanted.items():
            arguments = {"Name": name, "GroupName": self.name, **self.arguments(watch, url)}
            if name in existing:
                client.update_schedule(**arguments)
            else:
                client.create_schedule(**arguments)
        for name in existing - wanted.keys():
            client.delete_schedule(Name=name, GroupName=self.name)

    def delete_others(self, names: Set[str]) -> None:
        """Delete the schedules of all watches but these, which a removal that ended half-way has left.

        Raises ClientError.
        """
        client = connect_scheduler()
        for name in self._existing(client, ""):
            watch, dot, _ = name.rpartition(".")
            if dot and watch not in names:
                client.delete_schedule(Name=name, GroupName=self.name)

    def arguments(self, watch: Watch, url: str) -> dict[str, Any]:
        """The schedule of one URL, as CreateSchedule and UpdateSchedule take it.

        A call that fails is tried again until the next period begins, or for a day.
        """
        window: dict[str, Any] = {"Mode": "OFF"}
        if watch.spread_minutes:
            window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": watch.spread_minutes}
        body = {"url": url, "requestId": watch.id(url, SCHEDULED_TIME), "options": watch.all_options}
        return {
            "ScheduleExpression": watch.schedule.expression,
            "ScheduleExpressionTimezone": watch.schedule.timezone,
            "FlexibleTimeWindow": window,
            "State": "DISABLED" if watch.is_paused else "ENABLED",
            "Target": {
                "Arn": self.queue_arn,
                "RoleArn": self.role_arn,
                "Input": json.dumps(body, ensure_ascii=False),
                "RetryPolicy": {
                    "MaximumEventAgeInSeconds": _age(watch.schedule, watch.eras[-1].since_ms),
                    "MaximumRetryAttempts": MAX_RETRIES,
                },
            },
        }

    def schedule_name(self, watch: str, url: str) -> str:
        """The name of the schedule of a URL. No watch's name has a dot."""
        return f"{watch}.{url_digest(url)}"

    def _existing(self, client: Any, prefix: str) -> set[str]:
        wanted = {"NamePrefix": prefix} if prefix else {}
        pages = client.get_paginator("list_schedules").paginate(GroupName=self.name, **wanted)
        return {each["Name"] for page in pages for each in page["Schedules"]}


def connect_scheduler() -> Any:
    """A client of EventBridge Scheduler. A watch with many URLs makes many calls, which are throttled."""
    session: Any = boto3.session.Session()
    return session.client("scheduler", config=Config(retries={"mode": "adaptive", "total_max_attempts": 8}))


@functools.lru_cache
def _age(schedule: Schedule, since_ms: int) -> int:
    """How long a call is tried again, in seconds: between the two periods that follow each other soonest."""
    periods = list(itertools.islice(schedule.between(since_ms, since_ms + LOOK_AHEAD_MS), MAX_LOOK_AHEAD))
    shortest = min((after - before for before, after in itertools.pairwise(periods)), default=LOOK_AHEAD_MS)
    return max(MIN_AGE_SECONDS, min(MAX_AGE_SECONDS, shortest // 1000))
