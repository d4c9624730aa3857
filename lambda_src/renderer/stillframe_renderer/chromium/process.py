"""A child process in a group of its own, with pipes to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Spawned:
    """A child and our ends of its pipes: to write commands, to read answers, and to read its standard error."""

    group: ProcessGroup
    commands: int
    answers: int
    errors: int


def spawn(executable: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Spawned:
    """Start a program with pipes on descriptors 2, 3 and 4.

    Uses posix_spawn and not fork: none of our code runs in the child, which makes it safe with threads.
    Raises OSError if the program cannot be run, or if this process has no descriptors left.
    """
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        command_read, command_write = _pipe(ours, theirs, is_read_by_child=True)
        answer_read, answer_write = _pipe(ours, theirs)
        error_read, error_write = _pipe(ours, theirs)
        # Best effort: the quota of an unprivileged user may be exhausted (pipe(7)).
        with contextlib.suppress(OSError):
            fcntl.fcntl(answer_write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        theirs.callback(os.close, null)
        pid = os.posix_spawn(
            executable,
            [executable, *arguments],
            dict(environment),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, null, 0),
                (os.POSIX_SPAWN_DUP2, null, 1),
                (os.POSIX_SPAWN_DUP2, error_write, 2),
                (os.POSIX_SPAWN_DUP2, command_read, COMMAND_FD),
                (os.POSIX_SPAWN_DUP2, answer_write, ANSWER_FD),
            ],
            setsid=True,
            # Python ignores SIGPIPE, and an ignored signal stays ignored across exec.
            setsigdef=[signal.SIGPIPE],
        )
        ours.pop_all()
    # Its children inherit the limits: it has none yet, because a browser takes longer than this to start.
    for limit, value in LIMITS.items():
        resource.prlimit(pid, limit, (value, value))
    return Spawned(ProcessGroup(pid), command_write, answer_read, error_read)


def _pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack, is_read_by_child: bool = False) -> tuple[int, int]:
    """Create a pipe whose descriptors do not collide with those that the child gets; each stack closes its end."""
    ends = os.pipe()
    with contextlib.ExitStack() as low:
        for fd in ends:
            low.callback(os.close, fd)
        read = fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, FIRST_FREE_FD)
        (theirs if is_read_by_child else ours).callback(os.close, read)
        write = fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, FIRST_FREE_FD)
        (ours if is_read_by_child else theirs).callback(os.close, write)
    return read, write
