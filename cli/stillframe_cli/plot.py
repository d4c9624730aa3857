"""Plots, written as SVG or PNG by the name of the file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

# No display is asked for, and no configuration of the user's.
os.environ.setdefault("MPLBACKEND", "Agg")

Points = tuple[Sequence[float], Sequence[float]]


def draw(path: Path, title: str, panels: Mapping[str, Mapping[str, Points]], x_label: str) -> None:
    """One panel above the other, each with named lines; all over the same x.

    Raises ValueError when the ending of the file's name is no known format.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(panels), 1, figsize=(9, 2.4 * len(panels) + 0.6), sharex=True, squeeze=False)
    try:
        for axis, (label, lines) in zip(axes[:, 0], panels.items(), strict=True):
            for name, (xs, ys) in lines.items():
                axis.plot(xs, ys, label=name, linewidth=1.4)
            axis.set_ylabel(label)
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.25)
            if len(lines) > 1:
                axis.legend(loc="best", fontsize="small")
        axes[-1, 0].set_xlabel(x_label)
        figure.suptitle(title)
        figure.tight_layout()
        figure.savefig(path)
    finally:
        plt.close(figure)
