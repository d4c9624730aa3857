"""The directory that `shoot` writes to: one run at a time, and no file that is half written."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import click

PART_SUFFIX = ".part"
FULL = (errno.ENOSPC, errno.EDQUOT)


class RunStopped(click.ClickException):
    """This machine, and not a page, ended the run: no disk space, no permission, no browser, a directory in use."""

    exit_code = 4


class OutputFolder:
    """A directory that exists and that this run has for itself."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator[OutputFolder]:
        """Create the directory if necessary, and keep other runs out of it. Raises RunStopped.

        The lock is an flock(2) on the directory itself: it ends with the process, however that ends, and leaves no
        file behind.
        """
        folder = cls(path)
        with folder._explaining():
            path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDONLY)
        try:
            _lock(descriptor, path)
            with folder._explaining():
                folder._remove_parts()
                folder.write(".write-test", b"")
                (path / ".write-test").unlink()
            yield folder
        finally:
            os.close(descriptor)

    def write(self, name: str, data: bytes) -> Path:
        """Write all of a file or nothing, and return its path. Raises RunStopped."""
        path = self.path / name
        part = self.path / f".{name}{PART_SUFFIX}"
        with self._explaining():
            try:
                part.write_bytes(data)
                part.replace(path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
        return path

    def append(self, name: str, line: str, is_durable: bool) -> None:
        """Append a line to a file, all of it or nothing. With `is_durable`, it survives a power failure."""
        data = f"{line}\n".encode()
        with self._explaining():
            descriptor = os.open(self.path / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                end = os.fstat(descriptor).st_size
                if os.write(descriptor, data) != len(data):
                    os.ftruncate(descriptor, end)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if is_durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self, name: str) -> None:
        """Delete a file of this directory, if it is there. Raises RunStopped."""
        if Path(name).name == name:
            with self._explaining():
                (self.path / name).unlink(missing_ok=True)

    def size_of(self, name: str) -> int | None:
        """The size of a file in bytes, or None if there is none."""
        try:
            return (self.path / name).stat().st_size
        except OSError:
            return None

    def _remove_parts(self) -> None:
        """Remove what a run that was killed has left half written."""
        for part in self.path.glob(f".*{PART_SUFFIX}"):
            part.unlink()

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunStopped(_explain(error, self.path)) from error


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RunStopped(
            f"Another run of `stillframe` is writing to {path}. Wait until it ends, or choose another directory with "
            "--out."
        ) from error
    except OSError:
        # A file system without locks: the run goes on without one.
        return


def _explain(error: OSError, path: Path) -> str:
    if error.errno in FULL:
        return f"The disk is full: {path} cannot take more. Free some space and run the same command again to continue."
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{path} cannot be a directory, because a file is in its way. Choose another one with --out."
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return f"{path} cannot be written: {error.strerror}. Choose another directory with --out."
    return f"{path}: {error.strerror}"
