"""The emulator's own process: ends with the process that started it, however that one ends.

MiniStack is an ASGI application. Its own server is written in Python throughout; this one takes half the CPU time for a
call, on a machine that browsers share with it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)
# As MiniStack's own server has it: an SDK keeps its connections for as long.
KEEP_ALIVE_SECONDS = 75
# What is under way at the end, a long poll above all, is broken off after it; the state is written then.
GRACE_SECONDS = 1


def main() -> None:
    """Serve MiniStack, tied to its parent; the parent's process id is the only argument."""
    parent = int(sys.argv.pop())
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    # The parent may have died before the signal was asked for.
    if os.getppid() != parent:
        sys.exit(0)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    import uvicorn
    from ministack.app import app

    uvicorn.run(
        app,
        host=os.environ["BIND_HOST"],
        port=int(os.environ["GATEWAY_PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level=os.environ["LOG_LEVEL"].lower(),
        access_log=False,
        # MiniStack's answers have those of AWS.
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()
