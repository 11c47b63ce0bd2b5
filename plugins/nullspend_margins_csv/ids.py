"""What tells a row from all others, and how often it came."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import datetime

_CACHE_KIB = 4096


class SeenRows:
    """Counts rows in a temporary database without a name: memory does not grow with a file.

    Used by one thread at a time, whichever it is.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for statement in (
            f"PRAGMA cache_size = -{_CACHE_KIB}",
            "PRAGMA journal_mode = OFF",
            "CREATE TABLE seen (key BLOB PRIMARY KEY, line INTEGER, times INTEGER) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def see(self, key: bytes, line: int) -> tuple[int, int]:
        """The line that ``key`` was seen in first, and how often it was seen with this time."""
        first, times = self._database.execute(
            "INSERT INTO seen VALUES (?, ?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1"
            " RETURNING line, times",
            (key, line),
        ).fetchone()
        return first, times

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def digest_of(*contents: str | int | datetime | None) -> bytes:
    """The same for the same contents, for ever: another one would be another object."""
    texts = [each.isoformat() if isinstance(each, datetime) else each for each in contents]
    return hashlib.blake2b(json.dumps(texts).encode(), digest_size=16).digest()
