"""Everybody at their own idea of when a page is ready: captures per second and wrong pictures, on the corpus.

Stillframe waits until a page has settled, which is its default; Playwright and puppeteer-cluster wait for an idle
network; shot-scraper, by default, until the page has loaded. As root, on Linux:

python -m benchmarks.ready --rounds 1
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stillframe_renderer.chromium.executable import find_chromium
from tests.corpus.pages import PAGES
from tests.corpus.site import At50
from tests.corpus.test_corpus import picture_problems
from tests.support.served import serving_apart

from .account import account
from .harness import Contender, begin, contenders, services, start
from .report import THROUGHPUT, write_report

NAMES = ("pipeline", "playwright", "puppeteerCluster", "shotScraperParallel")
TABS = 3
# The default of all of them. Some pages are never idle: those who wait for that have no picture of them.
TIMEOUT_SECONDS = 30
# What every contender can be asked for.
COMMON = [name for name, page in PAGES.items() if set(page.options) <= {"fullPage"}]


def measure(contender: Contender, chromium: str, site: str, timeout_seconds: int) -> dict[str, Any]:
    """Capture every page once, each within the timeout.

    The time runs from the first finished capture on: browsers start before.
    """
    urls = [f"http://{site}/corpus/{name}{'?full' if PAGES[name].options else ''}" for name in COMMON]
    with account() as used, services(contender) as exports, tempfile.TemporaryDirectory() as folder:
        process = start(contender, used, exports)
        begin(process, chromium, urls, TABS, folder=folder, timeout_ms=timeout_seconds * 1000)
        assert process.stdin is not None
        assert process.stdout is not None
        arrived = [time.monotonic() for line in process.stdout if line.startswith("{")]
        process.stdin.close()
        process.wait(60)
        if len(arrived) < len(urls):
            raise RuntimeError(f"{contender.name} reported {len(arrived)} of {len(urls)} captures")
        images = {name: Path(folder, f"{number}.png") for number, name in enumerate(COMMON)}
        missing = [name for name, image in images.items() if not image.exists()]
        wrong = [n for n, image in images.items() if image.exists() and picture_problems(PAGES[n], image.read_bytes())]
    seconds = arrived[-1] - arrived[0]
    return {"capturesASecond": round((len(urls) - 1) / seconds, 2), "wrong": wrong, "none": missing}


def compare(
    every: Mapping[str, Contender], names: Sequence[str], rounds: int, timeout_seconds: int = TIMEOUT_SECONDS
) -> dict[str, Any]:
    """Measure the contenders in turn. A page is wrong, or has no picture, if that was so in any round."""
    chromium = find_chromium()
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with serving_apart(At50) as site:
        for number in range(rounds):
            for name, of_name in measured.items():
                of_name.append(measure(every[name], chromium, site, timeout_seconds))
                speed, wrong = of_name[-1]["capturesASecond"], len(of_name[-1]["wrong"])
                progress = f"round {number + 1} of {rounds}, {name}: {speed} per second, {wrong} wrong"
                print(f"bench: ready, {progress}", file=sys.stderr)
    figures = {
        name: {
            "capturesASecond": round(statistics.median(each["capturesASecond"] for each in of_name), 2),
            "wrong": sorted({page for each in of_name for page in each["wrong"]}),
            "none": sorted({page for each in of_name for page in each["none"]}),
        }
        for name, of_name in measured.items()
    }
    mine = figures["pipeline"]["capturesASecond"] if "pipeline" in figures else None
    return {
        "pages": len(COMMON),
        "tabs": TABS,
        "latencyMs": 50,
        "timeoutSeconds": timeout_seconds,
        "rounds": rounds,
        "contenders": figures,
        "pipelineTo": {name: round(mine / figures[name]["capturesASecond"], 2) for name in figures if mine is not None},
    }


def main() -> None:
    """Print progress on stderr and the figures as one JSON line on stdout.

    Those of all contenders at their default timeout are kept.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=TIMEOUT_SECONDS, help="seconds for each page")
    parser.add_argument("--only", action="append", choices=NAMES, help="run this contender only; may be repeated")
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers"), help="folder created by scripts/peers")
    arguments = parser.parse_args()
    figures = compare(contenders(arguments.peers), arguments.only or NAMES, arguments.rounds, arguments.timeout)
    if arguments.only is None and arguments.timeout == TIMEOUT_SECONDS:
        keep(figures, arguments.peers)
    print(json.dumps(figures))


def keep(figures: dict[str, Any], peers: Path) -> None:
    """Put the figures beside those of the last whole benchmark."""
    saved = json.loads(THROUGHPUT.read_text()) | {"ready": figures}
    THROUGHPUT.write_text(json.dumps(saved, indent=1))
    runs = saved.pop("runs")
    write_report(saved, runs, peers)


if __name__ == "__main__":
    main()
