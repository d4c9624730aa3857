"""The live screen of `monitor`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import ClassVar

from botocore.exceptions import BotoCoreError, ClientError
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical
from textual.widgets import DataTable, Footer, Header, Label, Sparkline

from .status_snapshot import StatusSnapshot

HISTORY = 120
# What is usually looked at with concern when it is above.
MANY_DEAD = 0
OLD_SECONDS = 600


class Figure(Vertical):
    """A number with its name."""

    def __init__(self, name: str, key: str) -> None:
        super().__init__(Label("-", id=key, classes="value"), Label(name, classes="name"), classes="figure")


class MonitorScreen(App[None]):
    """Shows vitals, taken anew every few seconds on a thread of its own."""

    TITLE = "Stillframe"
    CSS = """
    Grid { grid-size: 6; grid-rows: 4; grid-gutter: 0 1; height: 9; padding: 0 1; }
    .figure { border: round $primary; padding: 0 1; height: 4; }
    .value { text-style: bold; width: 100%; }
    .name { color: $text-muted; }
    .bad { color: $error; }
    #charts { height: 7; padding: 0 1; }
    .chart { width: 1fr; padding: 0 1; }
    Sparkline { height: 5; }
    DataTable { width: 1fr; height: 1fr; margin: 0 1; }
    #problem { color: $error; padding: 0 2; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("p", "pause", "Pause"),
        Binding("r", "refresh_now", "Refresh"),
    ]

    def __init__(self, take: Callable[[], StatusSnapshot], every_seconds: float, title: str) -> None:
        super().__init__()
        self._take = take
        self._every_seconds = every_seconds
        self.sub_title = title
        self._is_paused = False
        self._depth: deque[float] = deque(maxlen=HISTORY)
        self._speed: deque[float] = deque(maxlen=HISTORY)

    def compose(self) -> ComposeResult:
        """The layout."""
        yield Header(show_clock=True)
        yield Grid(
            Figure("waiting", "depth"),
            Figure("in flight", "flight"),
            Figure("oldest", "oldest"),
            Figure("dead letters", "dead"),
            Figure("workers", "workers"),
            Figure("claimed", "processing"),
            Figure("captures/s", "speed"),
            Figure("p50", "p50"),
            Figure("p95", "p95"),
            Figure("failed", "failed"),
            Figure("skipped", "skipped"),
            Figure("cost in window", "cost"),
        )
        yield Horizontal(
            Vertical(Label("waiting", classes="name"), Sparkline([0.0], id="depths"), classes="chart"),
            Vertical(Label("captures a second", classes="name"), Sparkline([0.0], id="speeds"), classes="chart"),
            id="charts",
        )
        yield Horizontal(DataTable(id="reasons"), DataTable(id="who"))
        yield Label("", id="problem")
        yield Footer()

    def on_mount(self) -> None:
        """Begin."""
        self.query_one("#reasons", DataTable).add_columns("OUTCOME", "REASON", "COUNT")
        self.query_one("#who", DataTable).add_columns("WORKERS WITH A CLAIM")
        self.set_interval(self._every_seconds, self._look)
        self._look()

    def action_pause(self) -> None:
        """Stand still, or go on."""
        self._is_paused = not self._is_paused
        self.query_one("#problem", Label).update("paused" if self._is_paused else "")

    def action_refresh_now(self) -> None:
        """Without waiting."""
        self._look()

    def _look(self) -> None:
        if not self._is_paused:
            # A slow answer is not overtaken by the next one.
            self.run_worker(self._take_and_show, thread=True, exclusive=True)

    def _take_and_show(self) -> None:
        try:
            vitals = self._take()
        except (ClientError, BotoCoreError) as error:
            self.call_from_thread(self._tell_problem, str(error))
            return
        self.call_from_thread(self._show, vitals)

    def _tell_problem(self, problem: str) -> None:
        self.query_one("#problem", Label).update(f"AWS: {problem}")

    def _show(self, vitals: StatusSnapshot) -> None:
        self._depth.append(vitals.queue_depth)
        self._speed.append(vitals.captures_per_second)
        self._set("depth", f"{vitals.queue_depth:,}")
        self._set("flight", f"{vitals.in_flight:,}")
        self._set("oldest", readable_seconds(vitals.oldest_seconds), vitals.oldest_seconds > OLD_SECONDS)
        self._set("dead", f"{vitals.dead_letters:,}", vitals.dead_letters > MANY_DEAD)
        self._set("workers", str(len(vitals.workers)))
        self._set("processing", f"{vitals.processing:,}")
        self._set("speed", f"{vitals.captures_per_second:.2f}")
        self._set("p50", _milliseconds(vitals.p50_ms))
        self._set("p95", _milliseconds(vitals.p95_ms))
        failed = sum(vitals.failed.values())
        self._set("failed", f"{failed:,}", failed > 0)
        self._set("skipped", f"{sum(vitals.skipped.values()):,}")
        self._set("cost", f"${vitals.cost_usd:.4f}")
        self.query_one("#depths", Sparkline).data = list(self._depth)
        self.query_one("#speeds", Sparkline).data = list(self._speed)
        self._fill("reasons", _reasons(vitals))
        self._fill("who", [(worker,) for worker in vitals.workers])
        taken = time.strftime("%H:%M:%S", time.localtime(vitals.at))
        self.query_one("#problem", Label).update(f"[dim]taken {taken}, window {vitals.window_seconds:.0f} s[/dim]")

    def _set(self, key: str, text: str, is_bad: bool = False) -> None:
        label = self.query_one(f"#{key}", Label)
        label.update(text)
        label.set_class(is_bad, "bad")

    def _fill(self, key: str, rows: list[tuple[str, ...]]) -> None:
        table: DataTable[str] = self.query_one(f"#{key}", DataTable)
        table.clear()
        for row in rows:
            table.add_row(*row)


def _reasons(vitals: StatusSnapshot) -> list[tuple[str, ...]]:
    captured = vitals.outcomes.get("captured", 0)
    groups: Mapping[str, Mapping[str, int]] = {
        "skipped": vitals.skipped,
        "failed": vitals.failed,
        "retry": vitals.retried,
    }
    return [
        ("captured", "", f"{captured:,}"),
        *((kind, reason, f"{count:,}") for kind, counts in groups.items() for reason, count in sorted(counts.items())),
    ]


def readable_seconds(seconds: int) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms"
