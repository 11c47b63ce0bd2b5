"""Bytes of a file, compressed or not, and its lines."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.importing.rows import MAX_LINE_BYTES, SAMPLE_BYTES

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_BUFFER = 1 << 18
_DAMAGED = (EOFError, OSError, zlib.error)


class OpenFile:
    """A file being read: what is compressed by gzip is unpacked on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_compressed: bool
        self._raw: IO[bytes]
        try:
            self._raw = path.open("rb", buffering=0)
            self.size: int = path.stat().st_size
            self.is_compressed = self._raw.read(2) == _GZIP
            self._raw.seek(0)
        except OSError as problem:
            raise ValidationFailed(f"{path} can't be read: {problem.strerror}.") from problem
        self._stream: IO[bytes] = io.BufferedReader(self._raw, _BUFFER)
        if self.is_compressed:
            self._stream = io.BufferedReader(gzip.GzipFile(fileobj=self._stream), _BUFFER)

    def sample(self) -> bytes:
        """The beginning. To be asked for before anything else is read."""
        try:
            found = self._stream.read(SAMPLE_BYTES)
            self._stream.seek(0)
        except _DAMAGED as problem:
            raise self._damaged("at its beginning") from problem
        return found.removeprefix(_BOM)

    def lines(self) -> Iterator[bytes | None]:
        """Line by line, with their ends; ``None`` in the place of one that is too long."""
        readline, number, most = self._stream.readline, 0, MAX_LINE_BYTES
        try:
            while line := readline(most + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(_BOM)
                if len(line) <= most:
                    yield line
                    continue
                while line and not line.endswith(b"\n"):
                    line = readline(most)
                yield None
        except _DAMAGED as problem:
            raise self._damaged(f"after line {number}") from problem

    def fraction(self) -> float:
        """How much of the file has been read, 0 to 1."""
        return min(1.0, self._raw.tell() / self.size) if self.size else 1.0

    def close(self) -> None:
        """Let go of it."""
        self._stream.close()
        self._raw.close()

    def _damaged(self, where: str) -> ValidationFailed:
        what = "is damaged or cut short" if self.is_compressed else "can't be read"
        return ValidationFailed(f"{self.path} {what} {where}.")
