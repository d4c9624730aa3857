"""The processes of a browser and the ports on which they listen."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from stillframe_renderer.chromium.browser import Chromium


class Launches:
    """Launches browsers for an engine and remembers them."""

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self.browsers: list[Chromium] = []

    async def __call__(self) -> Chromium:
        self.browsers.append(await Chromium.launch(self._executable))
        return self.browsers[-1]

    @property
    def alive(self) -> list[int]:
        """Process ids of the launched browsers that still exist, including zombies."""
        return [each.pid for each in self.browsers if Path(f"/proc/{each.pid}").exists()]


def processes_of(chromium: Chromium) -> list[Path]:
    """The entries under /proc of the browser's whole process group."""
    return members_of(chromium.pid)


def members_of(group: int) -> list[Path]:
    """The entries under /proc of a process group."""
    return [path for path in Path("/proc").glob("[0-9]*") if group_of(path) == group]


def group_of(process: Path) -> int:
    """The process group, or -1 if the process has ended."""
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[2])
    except (OSError, ValueError):
        return -1


def listening_ports(chromium: Chromium) -> set[int]:
    """TCP ports on which any process of the browser listens (proc(5), /proc/net/tcp)."""
    sockets = set()
    for process in processes_of(chromium):
        # A process may end and a descriptor may be closed in the meantime.
        with contextlib.suppress(FileNotFoundError):
            targets = [_target(f"{process}/fd/{number}") for number in os.listdir(process / "fd")]
            sockets |= {target[8:-1] for target in targets if target.startswith("socket:[")}
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""
