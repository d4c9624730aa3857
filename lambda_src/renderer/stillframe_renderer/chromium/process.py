"""A child process in a group of its own, spoken to over two pipes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import time
from collections.abc import Mapping, Sequence

# Where Chromium's --remote-debugging-pipe reads commands and writes answers.
COMMAND_FD = 3
ANSWER_FD = 4
# Above everything that is moved around between fork and exec.
FIRST_FREE_FD = 10
REAP_SECONDS = 5.0
# What a pipe holds; by default 64 KB, of which an image takes ten, with a change of threads for each.
PIPE_BYTES = 1 << 20
# A page can have the browser write (blobs, caches); no file of it gets larger. A core would hold the page's secrets.
MAX_FILE_BYTES = 1 << 30
LIMITS = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: MAX_FILE_BYTES}


class ProcessGroup:
    """A child that leads its own group, so that it and all its children can be ended at once."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._is_reaped = False

    def kill(self) -> None:
        """SIGKILL to the group; quiet when it is gone."""
        if not self._is_reaped:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Collect the killed leader and what comes to us of its group, so that no zombie is left.

        Orphans come to us where we are the first process of a container; elsewhere somebody else collects them.
        Idempotent; gives up after 5 s.
        """
        give_up_at = time.monotonic() + REAP_SECONDS
        while not self._is_reaped and time.monotonic() < give_up_at:
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-self.pid, os.WNOHANG)[0]:
                    pass
            self._is_reaped = not self._has_members()
            if not self._is_reaped:
                time.sleep(0.005)

    def _has_members(self) -> bool:
        """Whether any process of the group is there, zombies included."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return True


def spawn(executable: str, arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[ProcessGroup, int, int]:
    """Start a program with its pipes on descriptors 3 and 4; returns it and our two ends.

    posix_spawn and not fork: nothing of ours runs in the child, which is what makes it safe with threads.
    Raises OSError when the program cannot be run.
    """
    command_read, command_write = _pipe()
    answer_read, answer_write = _pipe()
    # No more than a wish: an ordinary user may have no more of them.
    with contextlib.suppress(OSError):
        fcntl.fcntl(answer_write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
    actions += [
        (os.POSIX_SPAWN_DUP2, command_read, COMMAND_FD),
        (os.POSIX_SPAWN_DUP2, answer_write, ANSWER_FD),
    ]
    try:
        pid = os.posix_spawn(
            executable,
            [executable, *arguments],
            dict(environment),
            file_actions=actions,
            setsid=True,
            # Python ignores SIGPIPE, and what is ignored stays ignored across exec.
            setsigdef=[signal.SIGPIPE],
        )
    except OSError:
        os.close(command_write)
        os.close(answer_read)
        raise
    finally:
        for fd in (command_read, answer_write, null):
            os.close(fd)
    # Before it has children, which inherit them: a browser takes longer than that to start.
    for limit, value in LIMITS.items():
        resource.prlimit(pid, limit, (value, value))
    return ProcessGroup(pid), command_write, answer_read


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are clear of the descriptors that the child gets."""
    ends = os.pipe()
    try:
        read, write = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE_FD) for fd in ends)
    finally:
        for fd in ends:
            os.close(fd)
    return read, write
