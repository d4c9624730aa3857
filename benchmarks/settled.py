"""The time that `settled` takes and the errors it makes, compared with `networkidle` and `load`, on the corpus.

python -m benchmarks.settled --rounds 3
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
from collections import defaultdict

from stillframe.image.render_result import RenderResult
from stillframe_renderer.chromium.executable import find_chromium
from tests.corpus.pages import PAGES
from tests.corpus.site import At0, At50, At300, At1500
from tests.corpus.test_corpus import problems
from tests.support.rendering import local_engine, outcome_of
from tests.support.served import serving_apart

WAITS = ("settled", "networkidle", "load")
LATENCIES_MS = (0, 50, 300, 1500)
# Some pages are never idle for `networkidle`, and end at this timeout.
TIMEOUT_MS = 12000
PROGRESS_PAGES = 10
SITES = {0: At0, 50: At50, 300: At300, 1500: At1500}


def measure(latency_ms: int, rounds: int) -> dict[str, object]:
    """Capture every page with every wait in turn, one at a time. Times are medians over the rounds, in milliseconds."""
    times: dict[tuple[str, str], list[int]] = defaultdict(list)
    wrong: dict[str, set[str]] = {wait: set() for wait in WAITS}
    with serving_apart(SITES[latency_ms]) as site, local_engine(find_chromium(), site) as engine:
        for number in range(rounds):
            for count, (name, page) in enumerate(PAGES.items(), 1):
                # The wait that goes first changes with the page.
                for wait in (*WAITS[count % 3 :], *WAITS[: count % 3]):
                    options = {**page.options, "waitUntil": wait, "timeoutMs": TIMEOUT_MS}
                    result = outcome_of(engine, f"http://{site}/corpus/{name}", **options)
                    if problems(page, result):
                        wrong[wait].add(name)
                    if isinstance(result, RenderResult):
                        times[name, wait].append(result.render_ms)
                if count % PROGRESS_PAGES == 0 or count == len(PAGES):
                    where = f"round {number + 1} of {rounds}, {count} of {len(PAGES)} pages"
                    print(f"settled: {latency_ms} ms, {where}", file=sys.stderr)
    medians = {key: statistics.median(values) for key, values in times.items()}
    both = [name for name in PAGES if (name, "settled") in medians and (name, "networkidle") in medians]
    ratios = [medians[name, "settled"] / medians[name, "networkidle"] for name in both]
    return {
        **{wait: round(statistics.median(medians[name, wait] for name in both)) for wait in WAITS},
        "settledToNetworkidle": round(statistics.median(ratios), 3),
        "wrong": {wait: sorted(names) for wait, names in wrong.items()},
        "onlySettledWrong": sorted(wrong["settled"] - wrong["networkidle"]),
    }


def main() -> None:
    """Print progress on stderr and the figures as one JSON line on stdout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=int, action="append", choices=LATENCIES_MS, help="may be repeated")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    print(
        json.dumps(
            {
                "pages": len(PAGES),
                **{str(ms): measure(ms, arguments.rounds) for ms in arguments.latency or LATENCIES_MS},
            }
        )
    )


if __name__ == "__main__":
    main()
