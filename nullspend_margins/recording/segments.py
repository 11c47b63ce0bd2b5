"""One file of a journal: lines are appended, and it goes when all of them are stored."""

from __future__ import annotations

from pathlib import Path

from nullspend_margins.recording.disk import Disk

SUFFIX = ".jsonl"
LOCK_SUFFIX = ".lock"

_READ_AT_ONCE = 1 << 18


class Segment:
    """A file that is being written. ``size`` is that of its whole lines, in bytes.

    Not thread-safe: the backlog's lock guards it.
    """

    __slots__ = ("_disk", "_handle", "_write", "appended", "is_torn", "path", "settled", "size")

    def __init__(self, path: Path, disk: Disk) -> None:
        """Raises ``OSError`` when the file cannot be made."""
        self.path: Path = path
        self.size: int = 0
        self.appended: int = 0
        self.settled: int = 0
        self.is_torn: bool = False
        self._disk = disk
        self._write = disk.write
        self._handle: int | None = disk.create(path)

    @property
    def is_sealed(self) -> bool:
        """Nothing more is appended."""
        return self._handle is None

    @property
    def is_done(self) -> bool:
        """Every line is stored or refused."""
        return self.settled == self.appended

    @property
    def is_gone(self) -> bool:
        """Somebody deleted the file that is written to."""
        return self._handle is not None and not self._disk.is_linked(self._handle)

    def append(self, line: bytes) -> None:
        """Write a whole line. Raises ``OSError``, and then nothing of it stays."""
        if self._handle is None:
            raise OSError("The segment is closed.")
        written = self._write(self._handle, line)
        if written != len(line):
            self._write_rest(self._handle, line[written:])
        self.size += len(line)
        self.appended += 1

    def _write_rest(self, handle: int, rest: bytes) -> None:
        try:
            while rest:
                rest = rest[self._write_some(handle, rest) :]
        except OSError:
            self._cut(handle)
            raise

    def _write_some(self, handle: int, data: bytes) -> int:
        written = self._write(handle, data)
        if not written:
            raise OSError("The file system takes no more.")
        return written

    def _cut(self, handle: int) -> None:
        """Take half a line away; what cannot be cut must not be appended to."""
        try:
            self._disk.truncate(handle, self.size)
        except OSError:
            self.is_torn = True

    def empty(self) -> None:
        """Start again from the beginning; all of it is done. Raises ``OSError``."""
        if self._handle is not None:
            self._disk.truncate(self._handle, 0)
            self.size = self.appended = self.settled = 0

    def seal(self) -> None:
        """Append nothing more."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._disk.close(handle)


def read_lines(disk: Disk, path: Path, offset: int, most: int) -> tuple[list[bytes], int, bytes]:
    """At most ``most`` whole lines from ``offset``, where the next one begins, and the rest.

    The rest is what stands after the last whole line when there is no line. Raises ``OSError``.
    """
    size = _READ_AT_ONCE
    while True:
        data = disk.read(path, offset, size)
        whole = [line + b"\n" for line in data.split(b"\n", most)[:-1][:most]]
        if whole or len(data) < size:
            return whole, offset + sum(map(len, whole)), b"" if whole else data
        size *= 2  # one line is longer than this
