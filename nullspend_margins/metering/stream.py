"""Server-sent events that pass by: which one has the usage, and which one is the last."""

from __future__ import annotations

from nullspend_margins.metering.excerpt import Ends, Excerpt, ends_of
from nullspend_margins.metering.usage import USAGE, Found, read

_LAST_TYPES = ("message_stop", "response.completed", "response.incomplete", "response.failed")


class Stream:
    """Looks at whole lines, however they are cut into chunks. Keeps four of them at most."""

    __slots__ = ("_first", "_line", "_usage_first", "_usage_last")

    def __init__(self) -> None:
        self._line: Excerpt | None = None
        self._first: Ends | None = None
        self._usage_first: Ends | None = None
        self._usage_last: Ends | None = None

    def is_dull(self, chunk: bytes) -> bool:
        """Whether there is no need to feed ``chunk``: nearly every one of nearly every stream."""
        return (
            type(chunk) is bytes  # in a memoryview nothing would be found
            and self._line is None
            and self._first is not None
            # Half the time of "in", which first tries whether it was given the number of a byte.
            and chunk.rfind(b'"usage"') < 0
            and chunk.rfind(b"[DONE]") < 0
            and chunk.rfind(b'"message_stop"') < 0
            and chunk[-1:] == b"\n"
        )

    def feed(self, chunk: bytes) -> bool:
        """Whether the stream's last event has come, with this chunk at the latest."""
        if self.is_dull(chunk):
            return False
        *lines, rest = chunk.split(b"\n")
        is_last = False
        if self._line is not None:
            self._line.add(lines[0] if lines else rest)
            if not lines:
                return False
            is_last = self._see(self._line.ends())
            self._line = None
            del lines[0]
        for line in lines:
            if line:
                is_last = self._see(ends_of(line)) or is_last
        if rest:
            self._line = Excerpt()
            self._line.add(rest)
        return is_last

    def found(self) -> Found:
        """What the events so far say; a last line without its end is one."""
        if self._line is not None:
            line, self._line = self._line.ends(), None
            known = self._usage_first, self._usage_last
            self._see(line)
            if self._usage_last is not None and read(self._usage_last).usage is None:
                self._usage_first, self._usage_last = known  # it broke off before it told
        if self._usage_last is None:
            return Found(read(self._first).model) if self._first is not None else Found()
        last = read(self._usage_last)
        if self._usage_first is None:
            return last
        first = read(self._usage_first)
        if first.usage is None or last.usage is None:
            return Found(last.model or first.model, last.usage or first.usage)
        return Found(last.model or first.model, first.usage.updated(last.usage))

    def _see(self, ends: Ends) -> bool:
        """Take note of a line. Whether it is the last event's data."""
        head, tail = ends
        if not head.startswith(b"data:"):
            return False
        head = head[5:]
        if len(head) < 16 and head.strip() == b"[DONE]":
            return True
        if self._first is None:
            self._first = (head, tail)
        if b'"usage"' in head or b'"usage"' in tail:
            return self._see_usage(head, tail)
        return b'"message_stop"' in head and read((head, tail)).type in _LAST_TYPES

    def _see_usage(self, head: bytes, tail: bytes) -> bool:
        # Else it is null, as OpenAI writes it in every event but the last.
        if tail or USAGE.search(head) is not None:
            if self._usage_last is not None and self._usage_first is None:
                self._usage_first = self._usage_last
            self._usage_last = (head, tail)
        return b'"response' in head[:512] and read((head, tail)).type in _LAST_TYPES
