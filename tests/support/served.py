"""A site in its own process, so that its CPU time and memory are not counted as the worker's.

python -m tests.support.served tests.security.hostile_pages HostilePages
"""

from __future__ import annotations

import contextlib
import importlib
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

from .serving import serving


@contextlib.contextmanager
def serving_apart(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve in a child process; yields host and port."""
    command = [sys.executable, "-m", __name__, handler.__module__, handler.__qualname__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Print host and port, then serve until the parent ends."""
    module, name = sys.argv[1:]
    with serving(getattr(importlib.import_module(module), name)) as site:
        print(site, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
