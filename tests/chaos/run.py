"""Run real consumers on the emulator while things fail at random; the last line is JSON with the result of an audit.

    python -m tests.chaos.run --messages 10000 --seed 7

Every few seconds a consumer or its browser gets SIGKILL, a consumer is drained or frozen for longer than its lease, or
the emulator pauses; a proxy fails a share of the AWS calls all the time, and denies one kind of them for 20 s of every
minute. One more consumer has a browser that cannot start. Dead letters are redriven, as by an operator. Every
screenshot has a webhook, whose receiver fails a third of the time; the notifier and the function that posts are killed
every few seconds. A third of the requests have shots, which are read and verified all the while. At the end nothing may
be lost, stored twice or stuck, no webhook missing, and no shot ever seen without the others of its attempt.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError
from pydantic.alias_generators import to_camel

from stillframe.request.capture_request import CaptureRequest
from stillframe.request.envelope import Webhook
from stillframe.table.record import Status
from stillframe_cli.backlog import message_counts
from stillframe_cli.emulator import EVENT_SERVICES, running_emulator
from stillframe_cli.findings import FindingKind
from stillframe_cli.provision import QueuePolicy, provision
from stillframe_renderer.health import FAULT_CODES
from tests.support.cloud import Cloud
from tests.support.proxy import proxying
from tests.support.site import serving_site
from tests.support.workers import ROOT, environment, fleet

from .disturbances import Disturbances, Interference, Tally
from .shots import ShotReader, options_of
from .webhooks import Webhooks, calling_webhooks

# A lease ends after 6 s and a message is visible again after 9 s, so that most kills are repaired during the run.
SETTINGS = {
    "STILLFRAME_JOB_DEADLINE_SECONDS": "5",
    "STILLFRAME_LEASE_MARGIN_SECONDS": "1",
    "STILLFRAME_BACKOFF_BASE_SECONDS": "1",
    "STILLFRAME_BACKOFF_CAP_SECONDS": "4",
}
VISIBILITY_SECONDS = 9
MAX_RECEIVE_COUNT = 5
POLL_SECONDS = 0.5
# The share of the messages that may fail for a reason that was the worker's.
MAX_FAILED_BY_WORKER = 0.01
REPORT_SECONDS = 10
PROMISED = (
    "lost",
    "storedTwice",
    "stuck",
    "drainsFailed",
    "webhooksMissing",
    "webhooksUnverified",
    "webhooksUnlike",
    "shotsTorn",
)


@dataclass(frozen=True)
class Plan:
    """The size of a run. `disturb_seconds` is the average time between disturbances, `limit_seconds` the timeout."""

    messages: int
    duplicate_share: float = 0.1
    consumers: int = 3
    disturb_seconds: float = 4.0
    error_share: float = 0.02
    seed: int = 0
    limit_seconds: float = 3600
    # One kind of AWS call is denied this often, and for this long.
    deny_every: float = 60.0
    deny_seconds: float = 20.0


class Chaos:
    """One chaos run."""

    def __init__(self, plan: Plan, cloud: Cloud, disturbances: Disturbances, webhooks: Webhooks) -> None:
        self._plan = plan
        self._webhooks = webhooks
        self._cloud = cloud
        self._disturbances = disturbances
        self._rng = disturbances.rng
        self._shots = ShotReader(cloud, random.Random(plan.seed + 3))
        self._started = time.monotonic()
        self._redriven = 0

    def run(self, requests: list[CaptureRequest]) -> dict[str, int]:
        """Send, disturb until everything is settled, and account for every message."""
        duplicates = self._rng.sample(requests, round(len(requests) * self._plan.duplicate_share))
        mixed = requests + duplicates
        self._rng.shuffle(mixed)
        print(f"chaos: sending {len(mixed)} messages", file=sys.stderr)
        self._cloud.send(*mixed)
        self._started = next_report = time.monotonic()
        next_disturbance = self._started + self._plan.disturb_seconds
        while not self._is_settled() and self._seconds < self._plan.limit_seconds:
            self._disturbances.keep_running()
            if time.monotonic() >= next_disturbance:
                self._disturbances.disturb()
                next_disturbance = time.monotonic() + self._rng.uniform(0.5, 1.5) * self._plan.disturb_seconds
            if time.monotonic() >= next_report:
                self._report()
                next_report = time.monotonic() + REPORT_SECONDS
            with contextlib.suppress(BotoCoreError):
                # The emulator may be paused.
                self._shots.read_one(requests)
            time.sleep(POLL_SECONDS)
        self._disturbances.calm()
        self._webhooks.settle()
        return self._account(requests, len(duplicates))

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _is_settled(self) -> bool:
        """Whether nothing is left on either queue. Redrives the dead letters once the queue is empty."""
        clients, settings = self._cloud.clients, self._cloud.settings
        if any(message_counts(clients, settings.queue_url)):
            return False
        if not any(message_counts(clients, settings.dead_letter_queue_url)):
            return True
        self._redriven += sum(message_counts(clients, settings.dead_letter_queue_url))
        command = [sys.executable, "-m", "stillframe_cli", "redrive"]
        subprocess.run(command, cwd=ROOT, env=environment(self._cloud.exports), capture_output=True, check=True)
        return False

    def _failed_by_worker(self) -> int:
        """The deliveries that were recorded as failures although the fault was the worker's."""
        ended = self._disturbances.workers.captures()
        return sum(line["outcome"] == "failed" and line.get("errorCode") in FAULT_CODES for line in ended)

    def _report(self) -> None:
        visible, in_flight, _ = message_counts(self._cloud.clients, self._cloud.settings.queue_url)
        tally = asdict(self._disturbances.tally)
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in tally.items())
        print(f"chaos: {self._seconds:4.0f} s, {visible} waiting, {in_flight} in flight; {counts}", file=sys.stderr)

    def _account(self, requests: list[CaptureRequest], duplicates: int) -> dict[str, int]:
        seconds = round(self._seconds)
        audited = self._cloud.audit()
        self._shots.read_all(requests)
        records = [self._cloud.record(each.id) for each in requests]
        successes = sum(1 for record in records if record is not None and record.status is Status.SUCCESS)
        for finding in audited.findings:
            print(f"chaos: {finding.to_wire()}", file=sys.stderr)
        found = audited.summary.found
        return {
            "sent": len(requests) + duplicates,
            "duplicates": duplicates,
            "succeeded": successes,
            "lost": max(len(requests) - successes, found[FindingKind.LOST]),
            "storedTwice": found[FindingKind.STORED_TWICE],
            "stuck": found[FindingKind.STUCK],
            "failedByWorker": self._failed_by_worker(),
            "redriven": self._redriven,
            **self._webhooks.account(records),
            **self._shots.counts,
            **{to_camel(name): count for name, count in asdict(self._disturbances.tally).items()},
            "seconds": seconds,
        }


def chaos(plan: Plan) -> dict[str, int]:
    """Run on a new emulator with its own account, a site and a proxy; returns the figures."""
    rng, tally = random.Random(plan.seed), Tally()
    interference = Interference(
        random.Random(plan.seed + 1), plan.error_share, tally, plan.deny_every, plan.deny_seconds
    )
    with (
        tempfile.TemporaryDirectory(prefix="stillframe-chaos-") as folder,
        serving_site("127.0.0.1") as site,
        running_emulator(services=EVENT_SERVICES) as emulator,
        proxying(emulator.endpoint, interference.before, interference.after) as endpoint,
        fleet(Path(folder)) as workers,
        contextlib.ExitStack() as stack,
    ):
        policy = QueuePolicy(VISIBILITY_SECONDS, MAX_RECEIVE_COUNT)
        cloud = Cloud.create(emulator, policy, STILLFRAME_ALLOW_HOSTS=site, **SETTINGS)
        provision(cloud.clients, policy, cloud.settings.table_name, has_stream=True)
        exports = {**cloud.exports, "AWS_ENDPOINT_URL": endpoint}
        webhooks = stack.enter_context(calling_webhooks(cloud, exports, random.Random(plan.seed + 2)))
        broken = Path(folder) / "broken-browser"
        broken.write_text("#!/bin/sh\necho 'error while loading shared libraries' >&2\nexit 127\n")
        broken.chmod(0o755)
        disturbances = Disturbances(rng, emulator, workers, exports, plan.consumers, str(broken), tally)
        webhook = Webhook(url=webhooks.receiver.url())
        requests = [
            CaptureRequest(
                url=f"http://{site}/colour?hex=00aa00&n={n}",
                request_id=f"chaos-{n}",
                options=options_of(n),
                webhook=webhook,
            )
            for n in range(plan.messages)
        ]
        return Chaos(plan, cloud, disturbances, webhooks).run(requests)


def is_clean(figures: dict[str, int]) -> bool:
    """Whether every promise held, every drain succeeded, and hardly any message failed because of a worker."""
    is_kept = not any(figures[name] for name in PROMISED)
    return is_kept and figures["failedByWorker"] <= MAX_FAILED_BY_WORKER * figures["sent"]


def main() -> None:
    """Exit with status 1 when anything is lost, stored twice or stuck, or a drain failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--duplicates", type=float, default=0.1, help="share of the messages that is sent twice")
    parser.add_argument("--consumers", type=int, default=3)
    parser.add_argument("--disturb-every", type=float, default=4.0, metavar="SECONDS")
    parser.add_argument("--errors", type=float, default=0.02, help="share of the AWS calls that fails")
    parser.add_argument("--deny-every", type=float, default=60.0, metavar="SECONDS", help="how often a call is denied")
    parser.add_argument("--deny-for", type=float, default=20.0, metavar="SECONDS", help="for how long it is denied")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--limit", type=float, default=3600, metavar="SECONDS")
    options = parser.parse_args()
    print(f"chaos: seed {options.seed}", file=sys.stderr)
    plan = Plan(
        messages=options.messages,
        duplicate_share=options.duplicates,
        consumers=options.consumers,
        disturb_seconds=options.disturb_every,
        error_share=options.errors,
        seed=options.seed,
        limit_seconds=options.limit,
        deny_every=options.deny_every,
        deny_seconds=options.deny_for,
    )
    figures = chaos(plan)
    print(json.dumps(figures))
    sys.exit(0 if is_clean(figures) else 1)


if __name__ == "__main__":
    main()
