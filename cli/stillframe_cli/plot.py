"""Draws plots and writes them as SVG or PNG."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

# Draw without a display, whatever the user's matplotlib configuration says.
os.environ.setdefault("MPLBACKEND", "Agg")

Points = tuple[Sequence[float], Sequence[float]]


def draw(path: Path, title: str, panels: Mapping[str, Mapping[str, Points]], x_label: str) -> None:
    """Draw panels one above the other, each with named lines, over the same x axis.

    The file's suffix selects the format. Raises ValueError when matplotlib does not know it.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(panels), 1, figsize=(9, 2.4 * len(panels) + 0.6), sharex=True, squeeze=False)
    try:
        for axis, (label, lines) in zip(axes[:, 0], panels.items(), strict=True):
            for number, (name, (xs, ys)) in enumerate(lines.items()):
                # Lines that lie one on the other are all seen: the first is a broad band below the others.
                is_band = number == 0 and len(lines) > 1
                axis.plot(xs, ys, label=name, linewidth=6 if is_band else 1.4, alpha=0.3 if is_band else 1)
            axis.set_ylabel(label)
            axis.set_ylim(0, max(1, 1.08 * max((y for _, ys in lines.values() for y in ys), default=0)))
            axis.grid(alpha=0.25)
            if len(lines) > 1:
                axis.legend(loc="best", fontsize="small")
        axes[-1, 0].set_xlabel(x_label)
        figure.suptitle(title)
        figure.tight_layout()
        figure.savefig(path)
    finally:
        plt.close(figure)
