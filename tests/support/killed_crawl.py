"""A crawl that is killed again and again: is every page of the site captured once?

python -m tests.support.killed_crawl --pages 2000 --kills 10 [--here]

The crawler (`stillframe site`) ends by SIGKILL, at moments that a seed chooses: while it starts, in the middle, and
while it writes. Each time the same command goes on. The pages are captured by a consumer that is not killed, as in an
account; with --here, by the crawler's own worker, which dies with it. The last line of the output is JSON:

- `once`, `twice`, `missing`: pages of the site with one result in the manifest, with several, with none
- `foreign`: results that are no page of the site
- `records`, `versions`: success records of the table, and versions of their images in the bucket (not with --here)
- `loadedTwice`: pages that the site has sent more than once, because a render ran twice
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stillframe.archive import Archive
from stillframe_cli.emulator import running_emulator
from stillframe_cli.provision import QueuePolicy

from .cloud import Cloud
from .linked_site import LinkedSite, serving_linked_site
from .workers import ROOT, STILLFRAME, environment, fleet

RUN = "killed"
OPTIONS = ("--width", "64", "--height", "48", "--wait", "load", "--depth", "20", "--max", "100000")
# How long a run may save nothing until it counts as stuck.
MAX_SILENCE_SECONDS = 120.0


@dataclass
class KilledCrawl:
    """Starts the crawler, and kills it when it has saved as much as was drawn."""

    site: LinkedSite
    out: Path
    exports: dict[str, str]
    kills: int
    per_host: int
    rng: random.Random = field(default_factory=lambda: random.Random(25))

    def run(self) -> tuple[int, list[int]]:
        """Crawl to the end. Returns the last exit status, and how many results were saved at each kill."""
        # One of the kills comes before anything is captured.
        fractions = [0.0, *sorted(self.rng.uniform(0.02, 0.85) for _ in range(self.kills - 1))][: self.kills]
        killed_at = []
        for fraction in fractions:
            process = self._start()
            self._wait_for(int(fraction * self.site.pages), process)
            time.sleep(self.rng.uniform(0, 0.6))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, "the crawl was over before it could be killed"
            killed_at.append(self.saved)
        return self._start().wait(), killed_at

    @property
    def saved(self) -> int:
        """How many results there are."""
        with contextlib.suppress(OSError):
            return (self.out / "results.jsonl").read_bytes().count(b"\n")
        return 0

    def _start(self) -> subprocess.Popen[bytes]:
        command = [*STILLFRAME, "site", self.site.url, "--out", str(self.out), "--name", RUN, *OPTIONS]
        command += ["--allow-host", self.site.host, "--ignore-query", "utm_*", "--per-host", str(self.per_host)]
        return subprocess.Popen(command, cwd=ROOT, env=environment(self.exports), stdout=subprocess.DEVNULL)

    def _wait_for(self, count: int, process: subprocess.Popen[bytes]) -> None:
        last, changed_at = -1, time.monotonic()
        while (saved := self.saved) < count and process.poll() is None:
            if saved != last:
                last, changed_at = saved, time.monotonic()
            assert time.monotonic() - changed_at < MAX_SILENCE_SECONDS, f"stuck at {saved} of {self.site.pages}"
            time.sleep(0.02)


def measure(pages: int, kills: int, folder: Path, here: bool, per_host: int = 8) -> dict[str, Any]:
    """Crawl a site of so many pages, with so many kills. Returns the figures of the last line."""
    with serving_linked_site(pages) as site, _captures(site, folder, here) as cloud:
        began = time.monotonic()
        crawl = KilledCrawl(site, folder / "out", cloud.exports if cloud else {}, kills, per_host)
        status, killed_at = crawl.run()
        seconds = time.monotonic() - began
        manifest = json.loads((folder / "out/site.json").read_text())
        results = Counter(str(each["url"]) for each in manifest["results"] if each["status"] == "success")
        figures = {
            "mode": "here" if here else "deployment",
            "pages": pages,
            "once": sum(results[url] == 1 for url in site.urls),
            "twice": sum(results[url] > 1 for url in site.urls),
            "missing": sum(results[url] == 0 for url in site.urls),
            "foreign": len(results.keys() - set(site.urls)),
            "inOrder": [each["url"] for each in manifest["results"]] == site.urls,
            "images": len(list((folder / "out").glob("*.png"))),
            "leftOut": {reason: each["count"] for reason, each in manifest["leftOut"].items()},
            "loadedTwice": sum(site.loads[f"/{number}"] > 1 for number in range(pages)),
            "kills": len(killed_at),
            "savedAtKill": killed_at,
            "exitStatus": status,
            "seconds": round(seconds, 1),
        }
        return figures | (_stored(cloud) if cloud else {})


@contextlib.contextmanager
def _captures(site: LinkedSite, folder: Path, here: bool) -> Iterator[Cloud | None]:
    """What captures the pages: a consumer, or with `here` nothing of its own."""
    if here:
        yield None
        return
    with running_emulator() as emulator, fleet(folder) as workers:
        cloud = Cloud.create(emulator, QueuePolicy(), STILLFRAME_ALLOW_HOSTS=site.host)
        workers.start(cloud.exports, "--continuous")
        yield cloud


def _stored(cloud: Cloud) -> dict[str, int]:
    records = [record for record in Archive(cloud.clients, cloud.settings).all_records() if record.s3_key]
    paginator: Any = cloud.clients.s3.get_paginator("list_object_versions")
    pages = paginator.paginate(Bucket=cloud.settings.bucket_name)
    versions = Counter(each["Key"] for page in pages for each in page.get("Versions", []))
    return {
        "records": len(records),
        "attempts": sum(record.attempts for record in records),
        "versions": sum(versions[record.s3_key or ""] for record in records),
    }


def main() -> int:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--per-host", type=int, default=8)
    parser.add_argument("--here", action="store_true", help="the crawler's own worker captures, and is killed with it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(given.pages, given.kills, Path(folder), given.here, given.per_host)
    print(json.dumps(figures))
    return 0 if figures["once"] == given.pages and not figures["twice"] + figures["foreign"] else 1


if __name__ == "__main__":
    sys.exit(main())
