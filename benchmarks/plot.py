"""Plots the figures on its standard input: captures per second as bars, with one chart per latency."""

from __future__ import annotations

import json
import sys

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt  # after its backend is chosen

mpl.rcParams.update({"svg.hashsalt": "stillframe", "font.size": 9})


def main() -> None:
    data = json.load(sys.stdin)
    latencies, titles = data["figures"]["latencies"], data["titles"]
    figure, axes = plt.subplots(1, len(latencies), figsize=(4 * len(latencies), 3), sharey=True)
    names = [name for name in titles if name in next(iter(latencies.values()))][::-1]
    for axis, (latency, figures) in zip(axes if len(latencies) > 1 else [axes], latencies.items(), strict=True):
        speeds = [figures[name] for name in names]
        colours = ["#12343b" if name in ("renderer", "pipeline") else "#c9b79c" for name in names]
        axis.barh([titles[name] for name in names], speeds, color=colours)
        axis.axvline(figures["limit"], color="#c03a2b", linewidth=1)
        axis.set_title(f"{latency} ms per response")
        axis.set_xlabel("captures per second")
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(sys.argv[1], metadata={"Date": None})


if __name__ == "__main__":
    main()
