"""A bounded copy of a text that passes by: all of a small one, both ends of a large one."""

from __future__ import annotations

LIMIT_BYTES = 65_536
"""A text up to this size is kept whole, of a larger one this much."""
_END = LIMIT_BYTES // 2

Ends = tuple[bytes, bytes]
"""A whole text and nothing, or the first and the last 32 KiB of a large one."""


def ends_of(text: bytes) -> Ends:
    """What an ``Excerpt`` of ``text`` is, however it came."""
    if len(text) <= LIMIT_BYTES:
        return text, b""
    return text[:_END], text[-_END:]


class Excerpt:
    """Grows chunk by chunk to ``LIMIT_BYTES`` and, while it grows, at most half as much more."""

    __slots__ = ("_head", "_tail")

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail: bytearray | None = None

    def add(self, chunk: bytes) -> None:
        """The next piece of the text."""
        if self._tail is None:
            self._head += chunk
            if len(self._head) > LIMIT_BYTES:
                self._tail = self._head[-_END:]
                self._head = self._head[:_END]
            return
        self._tail += chunk[-_END:]
        if len(self._tail) > LIMIT_BYTES:
            del self._tail[:-_END]

    def ends(self) -> Ends:
        """The text so far."""
        if self._tail is None:
            return bytes(self._head), b""
        return bytes(self._head), bytes(self._tail[-_END:])
