"""Files of the operator's folder: by name, and nothing outside of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from nullspend_margins import ProviderUnavailable
from nullspend_margins_csv.failures import NotThere

_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    # Nothing is waited for, and no link is followed that was put there since it was looked at.
    _FLAGS |= getattr(os, _name, 0)


class FolderFile:
    """An open file. ``require_unchanged`` is asked when it was read."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file: BinaryIO = file
        self._name = name
        self._before = _version(file)

    def close(self) -> None:
        """Read or not."""
        self.file.close()

    def require_unchanged(self) -> None:
        """Raises ``ProviderUnavailable`` when somebody wrote into it meanwhile."""
        if _version(self.file) != self._before:
            raise ProviderUnavailable(
                f"{self._name} changed while it was read. Write a new file beside it, and rename "
                "that into its place."
            )


def open_below(folder: Path, name: str, most_bytes: int) -> FolderFile:
    """The file ``name`` below ``folder``, for reading.

    Raises ``NotThere`` when there is none, or it is no ordinary file, leads out of the folder or
    is larger than ``most_bytes``.
    """
    try:
        home = folder.resolve(strict=True)
    except OSError as problem:
        raise NotThere(
            f"The folder for files can't be read ({problem.strerror}); the operator names it in "
            "[plugins.csv] folder."
        ) from None
    try:
        path = (home / name).resolve(strict=True)
        if not path.is_relative_to(home):
            raise NotThere(f"{name} leads out of the folder for files.")
        opened = os.open(path, _FLAGS)
    except FileNotFoundError:
        raise NotThere(f"There is no file {name} in the folder for files.") from None
    except (OSError, RuntimeError, ValueError) as problem:  # a loop of links, among others
        reason = getattr(problem, "strerror", None) or "it leads nowhere"
        raise NotThere(f"{name} can't be opened: {reason}.") from None
    try:
        _require_readable(os.fstat(opened), name, most_bytes)
        return FolderFile(os.fdopen(opened, "rb"), name)
    except NotThere:
        os.close(opened)
        raise


def _require_readable(found: os.stat_result, name: str, most_bytes: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NotThere(f"{name} is no ordinary file.")
    if found.st_size > most_bytes:
        raise NotThere(
            f"{name} has {found.st_size:,} bytes, and {most_bytes:,} are read at most; the "
            "operator sets it by [plugins.csv] max_megabytes."
        )


def _version(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns
