"""Which process may write to a place: the first one to ask, until it lets go or dies, however it dies.

The lock belongs to the open file, not to the file's existence: what a killed process leaves behind locks nobody out.
"""

import errno
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from data.errors import PlaceHeldError

_TAKEN = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_NO_LOCKS = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK, errno.EINVAL})
_LOCKED_BYTE = 1 << 30  # far behind the text, which others may read meanwhile


class Hold:
    """The right to write to a place, until ``release`` or the end of the process; also a context manager.

    Args:
        lock: the file that stands for the place, in a folder that exists; it is removed again.
        what: the place in words, as ``the account in paper/es``; cure: what to do where it is taken.

    Attributes:
        warning: that nobody else is kept out, since the file system has no locks; empty where they are.

    Raises:
        PlaceHeldError: another process holds it; the text says which. OSError: the file cannot be made.
    """

    def __init__(self, lock: Path, what: str, cure: str) -> None:
        self._lock, self.warning = lock, ""
        while True:
            self._handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _take(self._handle)
            except OSError as error:
                holder = _holder(self._handle)
                os.close(self._handle)
                if error.errno in _TAKEN:
                    raise PlaceHeldError(f"{what} is in use by {holder}; {cure}") from None
                if error.errno not in _NO_LOCKS:
                    raise
                self._handle = -1
                _remove(lock)
                self.warning = (
                    f"{what}: the file system has no locks ({error.strerror}), so nothing keeps another process from "
                    "writing there too; see to it that none does"
                )
                return
            if _is_at(self._handle, lock):
                break
            os.close(self._handle)  # the holder before removed its file just now: take the next one
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def release(self) -> None:
        """Let others write there."""
        if self._handle < 0:
            return
        if sys.platform == "win32":  # where a file that is open cannot be removed, by us or under another holder
            os.close(self._handle)
            _remove(self._lock)
        else:
            _remove(self._lock)
            os.close(self._handle)
        self._handle = -1

    def __enter__(self) -> "Hold":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _take(handle: int) -> None:
    """Lock the open file, or OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file is still the one at ``path``."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _holder(handle: int) -> str:
    """Who wrote itself into the file; whoever has only just taken it may not have yet."""
    return os.read(handle, 200).decode(errors="replace").strip() or "another process"


def _remove(path: Path) -> None:
    """Leave nothing behind; where that cannot be (open elsewhere, a disk that refuses) a file alone locks nothing."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
