"""The emulator's own process: ends with the process that started it, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    """Run MiniStack, tied to its parent; the parent's process id is the only argument."""
    parent = int(sys.argv.pop())
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    # The parent may have died before the signal was asked for.
    if os.getppid() != parent:
        sys.exit(0)
    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
