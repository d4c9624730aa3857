"""Real consumers on the emulator under random kills; ends with one JSON line and the audit's verdict.

    python -m tests.chaos.run --messages 2000 --seed 7

Consumers and their browsers get SIGKILL every few seconds and are started again. What the queue gives up on
the way is redriven, as an operator would. At the end nothing may be lost, stored twice or stuck.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.backlog import message_counts
from cli.emulator import running_emulator
from cli.provision import QueuePolicy
from stillframe.record import Status
from stillframe.request import CaptureRequest
from tests.support.cloud import Cloud
from tests.support.site import serving_site
from tests.support.workers import ROOT, Fleet, Worker, environment, fleet

# A worker is given up after 6 s and its message comes back after 8: most kills are healed while the run goes on.
SETTINGS = {
    "STILLFRAME_JOB_DEADLINE_SECONDS": "5",
    "STILLFRAME_LEASE_MARGIN_SECONDS": "1",
    "STILLFRAME_BACKOFF_BASE_SECONDS": "1",
    "STILLFRAME_BACKOFF_CAP_SECONDS": "4",
}
VISIBILITY_SECONDS = 8
POLL_SECONDS = 0.5


@dataclass
class Plan:
    """What is done to whom."""

    messages: int
    duplicate_share: float
    consumers: int
    kill_seconds: float
    seed: int
    limit_seconds: float


class Chaos:
    """One run."""

    def __init__(self, plan: Plan, cloud: Cloud, workers: Fleet) -> None:
        self._plan = plan
        self._cloud = cloud
        self._workers = workers
        self._random = random.Random(plan.seed)
        self._live: list[Worker] = []
        self.kills = 0
        self.browser_kills = 0

    def run(self, requests: list[CaptureRequest]) -> dict[str, int]:
        """Send, disturb until everything is settled, and account for every message."""
        duplicates = self._random.sample(requests, round(len(requests) * self._plan.duplicate_share))
        mixed = requests + duplicates
        self._random.shuffle(mixed)
        self._cloud.send(*mixed)
        started = next_kill = next_note = time.monotonic()
        next_kill += self._plan.kill_seconds
        while not self._is_settled():
            if time.monotonic() - started > self._plan.limit_seconds:
                break
            self._keep_running()
            if time.monotonic() >= next_kill:
                self._disturb()
                next_kill = time.monotonic() + self._random.uniform(0.5, 1.5) * self._plan.kill_seconds
            if time.monotonic() >= next_note:
                self._report(started)
                next_note = time.monotonic() + 10
            time.sleep(POLL_SECONDS)
        return self._account(requests, len(duplicates), time.monotonic() - started)

    def _keep_running(self) -> None:
        self._live = [worker for worker in self._live if worker.process.poll() is None]
        while len(self._live) < self._plan.consumers:
            self._live.append(self._workers.start(self._cloud.exports, "--continuous", "--tabs", "3"))

    def _disturb(self) -> None:
        """Kill a consumer, or with one chance in three its browser."""
        victim = self._random.choice(self._live)
        if self._random.random() < 1 / 3:
            self.browser_kills += kill_browsers_of(victim.process.pid)
        else:
            self.kills += 1
            victim.kill()

    def _is_settled(self) -> bool:
        """Nothing is on the queue, after what it gave up was brought back."""
        if any(message_counts(self._cloud.clients, self._cloud.settings.queue_url)):
            return False
        if not any(message_counts(self._cloud.clients, self._cloud.settings.dead_letter_queue_url)):
            return True
        subprocess.run(
            [sys.executable, "-m", "cli", "redrive"],
            cwd=ROOT,
            env=environment(self._cloud.exports),
            capture_output=True,
            check=True,
        )
        return False

    def _report(self, started: float) -> None:
        visible, in_flight, _ = message_counts(self._cloud.clients, self._cloud.settings.queue_url)
        print(
            f"chaos: {time.monotonic() - started:4.0f} s, {visible} waiting, {in_flight} in flight, "
            f"{self.kills} consumers and {self.browser_kills} browsers killed",
            file=sys.stderr,
        )

    def _account(self, requests: list[CaptureRequest], duplicates: int, seconds: float) -> dict[str, int]:
        findings = self._cloud.audit()
        successes = sum(
            1 for each in requests if (record := self._cloud.record(each.id)) and record.status is Status.SUCCESS
        )
        for finding in findings.lost + findings.stored_twice + findings.stuck:
            print(f"chaos: {finding}", file=sys.stderr)
        return {
            "sent": len(requests) + duplicates,
            "duplicates": duplicates,
            "succeeded": successes,
            "lost": len(requests) - successes + len(findings.lost),
            "storedTwice": len(findings.stored_twice),
            "stuck": len(findings.stuck),
            "kills": self.kills,
            "browserKills": self.browser_kills,
            "seconds": round(seconds),
        }


def kill_browsers_of(pid: int) -> int:
    """SIGKILL the process group of every browser that is a child of the process; returns how many."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"--remote-debugging-pipe" in (process / "cmdline").read_bytes():
                os.killpg(int(process.name), signal.SIGKILL)
                killed += 1
    return killed


@contextlib.contextmanager
def prepared() -> Iterator[tuple[Cloud, Fleet, str]]:
    """An emulator with an account, a site, and a folder for the workers' logs."""
    with (
        tempfile.TemporaryDirectory(prefix="stillframe-chaos-") as folder,
        serving_site("127.0.0.1") as site,
        running_emulator() as emulator,
    ):
        policy = QueuePolicy(VISIBILITY_SECONDS, max_receive_count=5)
        cloud = Cloud.create(emulator, policy, STILLFRAME_ALLOW_HOSTS=site, **SETTINGS)
        with fleet(Path(folder)) as workers:
            yield cloud, workers, site


def chaos(plan: Plan) -> dict[str, int]:
    """Prepare, run, and return the figures."""
    with prepared() as (cloud, workers, site):
        tiny = {"viewport": {"width": 64, "height": 48}}
        requests = [
            CaptureRequest(url=f"http://{site}/colour?hex=00aa00&n={n}", request_id=f"chaos-{n}", options=tiny)
            for n in range(plan.messages)
        ]
        return Chaos(plan, cloud, workers).run(requests)


def main() -> None:
    """Exit status 1 when anything is lost, stored twice or stuck."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--duplicates", type=float, default=0.1, help="share of the messages that is sent twice")
    parser.add_argument("--consumers", type=int, default=3)
    parser.add_argument("--kill-every", type=float, default=4.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--limit", type=float, default=3600, metavar="SECONDS")
    given = parser.parse_args()
    print(f"chaos: seed {given.seed}", file=sys.stderr)
    figures = chaos(Plan(given.messages, given.duplicates, given.consumers, given.kill_every, given.seed, given.limit))
    print(json.dumps(figures))
    sys.exit(1 if figures["lost"] or figures["storedTwice"] or figures["stuck"] else 0)


if __name__ == "__main__":
    main()
