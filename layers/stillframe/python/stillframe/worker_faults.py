"""Which errors of the operating system are the worker's own fault, and not the message's."""

from __future__ import annotations

import errno

from stillframe.errors import WorkerFault

# The machine has run out of descriptors, memory or ports (socket(7), open(2), posix_spawn(3)). A connection to a page
# can fail with these as well.
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN})
# A file or directory of the worker cannot be written or read, above all in its temporary directory. No capture opens a
# file that a request names.
UNUSABLE_FILES = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT, errno.ENOTDIR}
)
# RuntimeError of `threading.Thread.start`.
NO_THREAD = "can't start new thread"


def worker_fault(error: BaseException) -> WorkerFault | None:
    """The fault that an unexpected error shows, or None if it shows a defect or the message's own fault."""
    is_local = isinstance(error, OSError) and error.errno in EXHAUSTED | UNUSABLE_FILES
    if is_local or isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and NO_THREAD in str(error)):
        return WorkerFault(f"{type(error).__name__}: {error}")
    return None


def is_exhaustion(error: OSError) -> bool:
    """Whether a connection failed because this machine has run out of something, and not because of its peer."""
    return error.errno in EXHAUSTED
