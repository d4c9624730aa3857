"""A child process in a group of its own, with two pipes to it."""

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
# Above every descriptor that is rearranged between fork and exec.
FIRST_FREE_FD = 10
REAP_SECONDS = 5.0
# The capacity of a pipe. With the default of 64 KB, an image would take ten reads, with a thread switch for each.
PIPE_BYTES = 1 << 20
# A page can make the browser write files (blobs, caches); this limits the size of each. A core dump would contain the
# page's secrets.
MAX_FILE_BYTES = 1 << 30
LIMITS = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: MAX_FILE_BYTES}


class ProcessGroup:
    """A child that leads its own process group, so that it and all its children can be killed at once."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._is_reaped = False

    def kill(self) -> None:
        """Send SIGKILL to the group. Does nothing if the group is gone."""
        if not self._is_reaped:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Wait for the killed leader, and for orphans of its group, so that no zombie is left.

        Orphans become our children if we are the first process of a container; elsewhere the init process reaps them.
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
        """Whether any process of the group still exists, zombies included."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return True


def spawn(executable: str, arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[ProcessGroup, int, int]:
    """Start a program with pipes on descriptors 3 and 4. Returns its group, and our ends of the two pipes.

    Uses posix_spawn and not fork: none of our code runs in the child, which makes it safe with threads.
    Raises OSError if the program cannot be run.
    """
    command_read, command_write = _pipe()
    answer_read, answer_write = _pipe()
    # Best effort: the quota of an unprivileged user may be exhausted (pipe(7)).
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
            # Python ignores SIGPIPE, and an ignored signal stays ignored across exec.
            setsigdef=[signal.SIGPIPE],
        )
    except OSError:
        os.close(command_write)
        os.close(answer_read)
        raise
    finally:
        for fd in (command_read, answer_write, null):
            os.close(fd)
    # Its children inherit the limits: it has none yet, because a browser takes longer than this to start.
    for limit, value in LIMITS.items():
        resource.prlimit(pid, limit, (value, value))
    return ProcessGroup(pid), command_write, answer_read


def _pipe() -> tuple[int, int]:
    """Create a pipe whose descriptors do not collide with those that the child gets."""
    ends = os.pipe()
    try:
        read, write = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE_FD) for fd in ends)
    finally:
        for fd in ends:
            os.close(fd)
    return read, write
