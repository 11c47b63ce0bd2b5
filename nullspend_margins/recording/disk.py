"""The few things the journal asks of a file system. Tests bring disks that fail."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_NEW_FILE = (
    os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)  # Windows
)


class Disk:
    """The real one. Every method raises ``OSError``."""

    def make_folder(self, folder: Path) -> None:
        """Make ``folder``, for its owner alone; one that is there is left as it is."""
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)

    def create(self, path: Path) -> int:
        """A new file to append to, for its owner alone."""
        return os.open(path, _NEW_FILE, _FILE_MODE)

    write: Callable[[int, bytes], int] = staticmethod(os.write)
    """Append; how many bytes went in. Not synced: it outlives the process, not the machine."""

    def truncate(self, handle: int, size: int) -> None:
        """Cut the file to its first ``size`` bytes."""
        os.ftruncate(handle, size)

    def is_linked(self, handle: int) -> bool:
        """Whether the file is still in its folder."""
        return os.fstat(handle).st_nlink > 0

    def close(self, handle: int) -> None:
        """Give the handle back."""
        os.close(handle)

    def read(self, path: Path, offset: int, size: int) -> bytes:
        """At most ``size`` bytes from ``offset``."""
        with path.open("rb") as stream:
            stream.seek(offset)
            return stream.read(size)

    def delete(self, path: Path) -> None:
        """Delete, if it is there."""
        path.unlink(missing_ok=True)

    def files(self, folder: Path) -> Iterator[tuple[str, int]]:
        """Name and size of each file in ``folder``, which need not exist."""
        try:
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            return
        for entry in entries:
            try:
                yield entry.name, entry.stat().st_size
            except FileNotFoundError:  # another process was quicker
                continue
