"""A desk at which somebody types lines into a shell."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .workers import STILLFRAME, environment


@dataclass(frozen=True)
class Ending:
    """How a line ended. `text` is everything that it printed."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class Desk:
    """A directory in which somebody types lines. `SITE` in a line stands for the host of a page on this machine."""

    def __init__(self, folder: Path, site: str, exports: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.site = site
        self.exports = {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), **(exports or {})}

    def type(self, line: str, **variables: str) -> Ending:
        """Type a line into sh. `stillframe` is the command of this checkout."""
        command = " ".join(STILLFRAME)
        script = f'stillframe() {{ {command} "$@"; }}\n{line.replace("SITE", self.site)}'
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.folder,
            env=environment({**self.exports, **variables}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=90,
            check=False,
        )
        # An image on stdout is no text.
        ending = Ending(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode())
        assert "Traceback" not in ending.err, ending.err
        return ending
