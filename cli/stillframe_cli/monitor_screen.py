"""The live screen of `monitor`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from botocore.exceptions import BotoCoreError, ClientError
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical
from textual.widgets import DataTable, Footer, Header, Label, Sparkline

from .console import human_seconds
from .status_snapshot import StatusSnapshot

# Points in a sparkline.
HISTORY = 120
# Narrower terminals get three columns of figures.
NORMAL_COLUMNS = 90
# Figures above these are shown in red.
WARN_DEAD_LETTERS = 0
WARN_AGE_SECONDS = 600


class Figure(Vertical):
    """A number with its name below it."""

    def __init__(self, name: str, key: str) -> None:
        super().__init__(Label("-", id=key, classes="value"), Label(name, classes="name"), classes="figure")


class MonitorScreen(App[None]):
    """Shows a status snapshot, and reads a new one every few seconds on a thread."""

    TITLE = "Stillframe"
    CSS = """
    Grid { grid-size: 5; grid-rows: 3; grid-gutter: 0 1; height: 9; padding: 0 1; }
    .figure { border-left: thick $primary; padding: 0 1; height: 2; }
    .value { text-style: bold; width: 100%; }
    .name { color: $text-muted; width: 100%; }
    .bad { color: $error; }
    #charts { height: 7; padding: 0 1; }
    .chart { width: 1fr; padding: 0 1; }
    Sparkline { height: 5; }
    #tables { height: 1fr; }
    DataTable { width: 1fr; height: 1fr; margin: 0 1; }
    #problem { color: $text-muted; padding: 0 2; height: auto; }
    #problem.bad { color: $error; }
    .-narrow Grid { grid-size: 3; grid-rows: 2; height: 10; }
    .-narrow #charts { height: 4; }
    .-narrow Sparkline { height: 2; }
    .-narrow #tables { layout: vertical; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("p", "pause", "Pause"),
        Binding("r", "refresh_now", "Refresh"),
    ]

    def __init__(self, read_snapshot: Callable[[], StatusSnapshot], every_seconds: float, title: str) -> None:
        super().__init__()
        # The class of the screen by the width of the terminal in columns.
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NORMAL_COLUMNS, "-normal")]
        self._read_snapshot = read_snapshot
        self._every_seconds = every_seconds
        self.sub_title = title
        self._is_paused = False
        # Before the first value, nothing was seen: a line of one value alone would fill its box.
        self._depth: deque[float] = deque([0.0] * HISTORY, maxlen=HISTORY)
        self._speed: deque[float] = deque([0.0] * HISTORY, maxlen=HISTORY)

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Header(show_clock=True)
        yield Grid(
            Figure("waiting", "depth"),
            Figure("in flight", "flight"),
            Figure("oldest", "oldest"),
            Figure("dead letters", "dead"),
            Figure("processing", "processing"),
            Figure("workers busy", "workers"),
            Figure("workers idle", "idle"),
            Figure("tasks / desired", "tasks"),
            Figure("concurrency", "concurrency"),
            Figure("captures/s", "speed"),
            Figure("p50", "p50"),
            Figure("p95", "p95"),
            Figure("failed", "failed"),
            Figure("skipped", "skipped"),
            Figure("cost", "cost"),
        )
        yield Horizontal(
            Vertical(Label("waiting", classes="name"), Sparkline(list(self._depth), id="depths"), classes="chart"),
            Vertical(
                Label("captures per second", classes="name"), Sparkline(list(self._speed), id="speeds"), classes="chart"
            ),
            id="charts",
        )
        yield Horizontal(DataTable(id="reasons"), DataTable(id="who"), DataTable(id="tenants"), id="tables")
        yield Label("", id="problem")
        yield Footer()

    def on_mount(self) -> None:
        """Add the columns of the tables and start to refresh."""
        self.query_one("#reasons", DataTable).add_columns("OUTCOME", "REASON", "COUNT")
        self.query_one("#who", DataTable).add_columns("WORKERS WITH A CLAIM")
        tenants = self.query_one("#tenants", DataTable)
        tenants.add_columns("TENANT", "CAPTURES", "USD THIS MONTH")
        # Most deployments have none.
        tenants.display = False
        self.set_interval(self._every_seconds, self._refresh_snapshot)
        self._refresh_snapshot()

    def action_pause(self) -> None:
        """Pause refreshing, or resume."""
        self._is_paused = not self._is_paused
        self.query_one("#problem", Label).update("paused" if self._is_paused else "")

    def action_refresh_now(self) -> None:
        """Refresh without waiting for the interval."""
        self._refresh_snapshot()

    def _refresh_snapshot(self) -> None:
        if not self._is_paused:
            # Exclusive: a slow answer is not shown after a newer one.
            self.run_worker(self._read_and_show, thread=True, exclusive=True)

    def _read_and_show(self) -> None:
        try:
            snapshot = self._read_snapshot()
        except (ClientError, BotoCoreError) as error:
            self.call_from_thread(self._show_problem, str(error))
            return
        self.call_from_thread(self._show, snapshot)

    def _show_problem(self, problem: str) -> None:
        self._set("problem", f"AWS: {problem}", is_bad=True)

    def _show(self, snapshot: StatusSnapshot) -> None:
        self._depth.append(snapshot.queue_depth)
        self._speed.append(snapshot.captures_per_second)
        self._set("depth", f"{snapshot.queue_depth:,}")
        self._set("flight", f"{snapshot.in_flight:,}")
        self._set("oldest", human_seconds(snapshot.oldest_seconds), snapshot.oldest_seconds > WARN_AGE_SECONDS)
        self._set("dead", f"{snapshot.dead_letters:,}", snapshot.dead_letters > WARN_DEAD_LETTERS)
        self._set("workers", str(len(snapshot.workers)))
        self._set("idle", _format_count(snapshot.idle_workers))
        self._set("tasks", f"{_format_count(snapshot.tasks_running)} / {_format_count(snapshot.tasks_desired)}")
        self._set("concurrency", _format_count(snapshot.concurrency))
        self._set("processing", f"{snapshot.processing:,}")
        self._set("speed", f"{snapshot.captures_per_second:.2f}")
        self._set("p50", _format_milliseconds(snapshot.p50_ms))
        self._set("p95", _format_milliseconds(snapshot.p95_ms))
        failed = sum(snapshot.failed.values())
        self._set("failed", f"{failed:,}", failed > 0)
        self._set("skipped", f"{sum(snapshot.skipped.values()):,}")
        self._set("cost", f"${snapshot.cost_usd:.4f}")
        self.query_one("#depths", Sparkline).data = scaled(self._depth)
        self.query_one("#speeds", Sparkline).data = scaled(self._speed)
        self._fill("reasons", _reason_rows(snapshot))
        self._fill("who", [(worker,) for worker in snapshot.workers])
        self._fill(
            "tenants",
            [(str(each["tenant"]), f"{each['captures']:,}", f"{each['usd']:.2f}") for each in snapshot.tenants],
        )
        self.query_one("#tenants").display = bool(snapshot.tenants)
        read_at = time.strftime("%H:%M:%S", time.localtime(snapshot.at))
        windows = f"window {snapshot.window_seconds:.0f} s, rate over {snapshot.rate_seconds:.0f} s"
        self._set("problem", f"read at {read_at}, {windows}")

    def _set(self, key: str, text: str, is_bad: bool = False) -> None:
        label = self.query_one(f"#{key}", Label)
        label.update(text)
        label.set_class(is_bad, "bad")

    def _fill(self, key: str, rows: list[tuple[str, ...]]) -> None:
        table: DataTable[str] = self.query_one(f"#{key}", DataTable)
        table.clear()
        for row in rows:
            table.add_row(*row)


def _reason_rows(snapshot: StatusSnapshot) -> list[tuple[str, ...]]:
    captured = snapshot.outcomes.get("captured", 0)
    groups: Mapping[str, Mapping[str, int]] = {
        "skipped": snapshot.skipped,
        "failed": snapshot.failed,
        "retry": snapshot.retried,
    }
    return [
        ("captured", "", f"{captured:,}"),
        *((kind, reason, f"{count:,}") for kind, counts in groups.items() for reason, count in sorted(counts.items())),
    ]


def _format_count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _format_milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms"


def scaled(history: Sequence[float]) -> list[float]:
    """A line's values after a zero, so that it is drawn above zero and not above its smallest value."""
    return [0.0, *history]
