"""The process of the emulator. It ends when the process that started it ends, whatever the reason.

MiniStack is an ASGI application. It runs under uvicorn because MiniStack's own server, which is all Python, takes twice
the CPU time for a call, on a machine that it shares with browsers.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys

from .emulator_guard import guarded

PR_SET_PDEATHSIG = 1  # prctl(2)
# The value of MiniStack's own server: SDKs keep their connections open.
KEEP_ALIVE_SECONDS = 75
# At the end, requests that take longer (long polls above all) are aborted, and then the state is written.
GRACE_SECONDS = 1


def main() -> None:
    """Serve MiniStack until the parent ends. Arguments: the number of a listening socket, the parent's process id."""
    parent = int(sys.argv.pop())
    listener = socket.socket(fileno=int(sys.argv.pop()))
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    # The parent may have died before the signal was requested.
    if os.getppid() != parent:
        sys.exit(0)
    _, max_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max_files, max_files))
    import uvicorn
    from ministack.app import app

    config = uvicorn.Config(
        guarded(app),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level=os.environ["LOG_LEVEL"].lower(),
        access_log=False,
        # MiniStack sends the headers that AWS sends.
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
