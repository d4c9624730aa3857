"""Real consumers on the emulator under everything that goes wrong; ends with one JSON line and the audit's verdict.

    python -m tests.chaos.run --messages 10000 --seed 7

Every few seconds a consumer or its browser gets SIGKILL, a consumer is drained or stands still for longer than its
lease, or the emulator pauses; a proxy fails a share of the AWS calls all the time. What the queue gives up on the
way is redriven, as an operator would. At the end nothing may be lost, stored twice or stuck.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic.alias_generators import to_camel

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from stillframe_cli.backlog import message_counts
from stillframe_cli.emulator import running_emulator
from stillframe_cli.findings import FindingKind
from stillframe_cli.provision import QueuePolicy
from tests.support.cloud import Cloud
from tests.support.proxy import proxying
from tests.support.site import serving_site
from tests.support.workers import ROOT, environment, fleet

from .disturbances import Disturbances, Interference, Tally

# A worker is given up after 6 s and its message comes back after 9: most kills are healed while the run goes on.
SETTINGS = {
    "STILLFRAME_JOB_DEADLINE_SECONDS": "5",
    "STILLFRAME_LEASE_MARGIN_SECONDS": "1",
    "STILLFRAME_BACKOFF_BASE_SECONDS": "1",
    "STILLFRAME_BACKOFF_CAP_SECONDS": "4",
}
VISIBILITY_SECONDS = 9
MAX_RECEIVE_COUNT = 5
POLL_SECONDS = 0.5
NOTE_SECONDS = 10


@dataclass(frozen=True)
class Plan:
    """How much of what. Seconds are between two disturbances, on average, and until the run is given up."""

    messages: int
    duplicate_share: float = 0.1
    consumers: int = 3
    disturb_seconds: float = 4.0
    error_share: float = 0.02
    seed: int = 0
    limit_seconds: float = 3600


class Chaos:
    """One run."""

    def __init__(self, plan: Plan, cloud: Cloud, disturbances: Disturbances) -> None:
        self._plan = plan
        self._cloud = cloud
        self._disturbances = disturbances
        self._rng = disturbances.rng
        self._started = time.monotonic()

    def run(self, requests: list[CaptureRequest]) -> dict[str, int]:
        """Send, disturb until everything is settled, and account for every message."""
        duplicates = self._rng.sample(requests, round(len(requests) * self._plan.duplicate_share))
        mixed = requests + duplicates
        self._rng.shuffle(mixed)
        print(f"chaos: sending {len(mixed)} messages", file=sys.stderr)
        self._cloud.send(*mixed)
        self._started = next_note = time.monotonic()
        next_disturbance = self._started + self._plan.disturb_seconds
        while not self._is_settled() and self._seconds < self._plan.limit_seconds:
            self._disturbances.keep_running()
            if time.monotonic() >= next_disturbance:
                self._disturbances.disturb()
                next_disturbance = time.monotonic() + self._rng.uniform(0.5, 1.5) * self._plan.disturb_seconds
            if time.monotonic() >= next_note:
                self._report()
                next_note = time.monotonic() + NOTE_SECONDS
            time.sleep(POLL_SECONDS)
        self._disturbances.calm()
        return self._account(requests, len(duplicates))

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _is_settled(self) -> bool:
        """Nothing is on the queue, after what it gave up was brought back."""
        clients, settings = self._cloud.clients, self._cloud.settings
        if any(message_counts(clients, settings.queue_url)):
            return False
        if not any(message_counts(clients, settings.dead_letter_queue_url)):
            return True
        command = [sys.executable, "-m", "stillframe_cli", "redrive"]
        subprocess.run(command, cwd=ROOT, env=environment(self._cloud.exports), capture_output=True, check=True)
        return False

    def _report(self) -> None:
        visible, in_flight, _ = message_counts(self._cloud.clients, self._cloud.settings.queue_url)
        tally = asdict(self._disturbances.tally)
        done = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in tally.items())
        print(f"chaos: {self._seconds:4.0f} s, {visible} waiting, {in_flight} in flight; {done}", file=sys.stderr)

    def _account(self, requests: list[CaptureRequest], duplicates: int) -> dict[str, int]:
        seconds = round(self._seconds)
        audited = self._cloud.audit()
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
            **{to_camel(name): count for name, count in asdict(self._disturbances.tally).items()},
            "seconds": seconds,
        }


def chaos(plan: Plan) -> dict[str, int]:
    """Prepare an emulator, an account in it, a site and a proxy; run; return the figures."""
    rng, tally = random.Random(plan.seed), Tally()
    interference = Interference(random.Random(plan.seed + 1), plan.error_share, tally)
    with (
        tempfile.TemporaryDirectory(prefix="stillframe-chaos-") as folder,
        serving_site("127.0.0.1") as site,
        running_emulator() as emulator,
        proxying(emulator.endpoint, interference.before, interference.after) as endpoint,
        fleet(Path(folder)) as workers,
    ):
        policy = QueuePolicy(VISIBILITY_SECONDS, MAX_RECEIVE_COUNT)
        cloud = Cloud.create(emulator, policy, STILLFRAME_ALLOW_HOSTS=site, **SETTINGS)
        exports = {**cloud.exports, "AWS_ENDPOINT_URL": endpoint}
        disturbances = Disturbances(rng, emulator, workers, exports, plan.consumers, tally)
        tiny = {"viewport": {"width": 64, "height": 48}}
        requests = [
            CaptureRequest(url=f"http://{site}/colour?hex=00aa00&n={n}", request_id=f"chaos-{n}", options=tiny)
            for n in range(plan.messages)
        ]
        return Chaos(plan, cloud, disturbances).run(requests)


def is_clean(figures: dict[str, int]) -> bool:
    """Whether every promise held, and every drain ended as it should."""
    return not any(figures[name] for name in ("lost", "storedTwice", "stuck", "drainsFailed"))


def main() -> None:
    """Exit status 1 when anything is lost, stored twice or stuck, or a drain failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--duplicates", type=float, default=0.1, help="share of the messages that is sent twice")
    parser.add_argument("--consumers", type=int, default=3)
    parser.add_argument("--disturb-every", type=float, default=4.0, metavar="SECONDS")
    parser.add_argument("--errors", type=float, default=0.02, help="share of the AWS calls that fails on the way")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--limit", type=float, default=3600, metavar="SECONDS")
    given = parser.parse_args()
    print(f"chaos: seed {given.seed}", file=sys.stderr)
    plan = Plan(
        messages=given.messages,
        duplicate_share=given.duplicates,
        consumers=given.consumers,
        disturb_seconds=given.disturb_every,
        error_share=given.errors,
        seed=given.seed,
        limit_seconds=given.limit,
    )
    figures = chaos(plan)
    print(json.dumps(figures))
    sys.exit(0 if is_clean(figures) else 1)


if __name__ == "__main__":
    main()
