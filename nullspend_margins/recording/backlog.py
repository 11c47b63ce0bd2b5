"""What waits to be stored: a bounded queue in memory, and behind it the journal."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Iterable

from nullspend_margins.recording.counters import RecordingCounters, Tally
from nullspend_margins.recording.journal import Journal
from nullspend_margins.recording.segments import Segment, read_lines

_MOST_HELD = 2000

_log = logging.getLogger("nullspend_margins.recording")


Waiting = tuple[bytes, Segment | None]
"""A line, and the segment it stands in, if it stands in one. Known by its identity."""


class Backlog:
    """Takes lines from any thread. One flusher at a time takes them out.

    Lines are in memory first. Once it is full all further ones wait in the journal alone, until
    they have been read back: so memory is bounded, and nothing overtakes for ever.
    """

    def __init__(self, journal: Journal, tally: Tally, most_in_memory: int) -> None:
        self.journal = journal
        self._tally = tally
        self._most = most_in_memory
        self._memory: deque[Waiting] = deque()
        self._held: list[Waiting] = []  # taken out, and not yet settled
        self._cursor: tuple[Segment, int] | None = None  # where reading back goes on
        self._behind = 0  # lines from the cursor on
        self._spilled = self._dropped = 0
        self._is_dropping = False
        self._lock = threading.Lock()
        # A flusher that was stopped may still be reading in its thread when the next one begins.
        self._taking = threading.Lock()

    @property
    def waits(self) -> bool:
        """Whether there is anything to take out."""
        return bool(self._memory or self._held or self._cursor)

    @property
    def counters(self) -> RecordingCounters:
        """How it stands, all of one moment."""
        with self._lock:
            return RecordingCounters(
                queued=len(self._memory) + len(self._held) + self._behind,
                written=self._tally.written,
                spilled=self._spilled,
                refused=self._tally.refused,
                dropped=self._dropped,
            )

    def append(self, line: bytes) -> bool:
        """Keep ``line``, which ends with a newline; false when there is no place for it."""
        lock = self._lock
        lock.acquire()  # "with" takes three times as long, and this is in every call of a host
        try:
            segment = self.journal.append(line)
            if len(self._memory) < self._most and (segment is None or self._cursor is None):
                self._memory.append((line, segment))
                return True
            is_news = not self._is_dropping
            if self._spill(line, segment):
                return True
        finally:
            lock.release()
        if is_news:
            _log.error("cost events are dropped: the journal cannot be written, the memory is full")
        return False

    def _spill(self, line: bytes, segment: Segment | None) -> bool:
        """The memory is full: leave ``line`` to the journal, if it stands there."""
        if segment is None:
            self._dropped += 1
            self._is_dropping = True
            return False
        if self._cursor is None:
            self._cursor = (segment, segment.size - len(line))
        self._spilled += 1
        self._behind += 1
        return True

    def take(self, most: int) -> list[Waiting]:
        """All that is taken out and not settled, and up to ``most`` more lines. Reads files.

        More, so that those which fail do not keep others out for ever; up to a bound.
        Raises ``OSError`` when the journal cannot be read back.
        """
        with self._taking:
            with self._lock:
                wanted = most if len(self._held) < _MOST_HELD else 0
                while self._memory and wanted:
                    self._held.append(self._memory.popleft())
                    wanted -= 1
                cursor = self._cursor if wanted and not self._memory else None
                batch = list(self._held)
            try:
                return batch + self._read_back(*cursor, wanted) if cursor else batch
            except OSError:
                if not batch:
                    raise
                return batch  # these need not wait for the disk

    def _read_back(self, segment: Segment, offset: int, most: int) -> list[Waiting]:
        try:
            lines, end, _ = read_lines(self.journal.disk, segment.path, offset, most)
        except FileNotFoundError:
            self._give_up(segment)
            return []
        found: list[Waiting] = [(line, segment) for line in lines]
        with self._lock:
            self._held += found
            self._behind -= len(found)
            self._cursor = self._next_unread(segment, end)
        return found

    def _next_unread(self, segment: Segment, offset: int) -> tuple[Segment, int] | None:
        """Where the next line is; ``None`` when all is read back, and the memory's turn again."""
        following: Segment | None = segment
        while following is not None and offset >= following.size:
            following, offset = self.journal.after(following), 0
        return (following, offset) if following is not None else None

    def _give_up(self, segment: Segment) -> None:
        """Somebody deleted the file. Those after it may be there."""
        with self._lock:
            following = self.journal.after(segment)
            self._cursor = (following, 0) if following is not None else None
            self.journal.abandon(segment)
            before, self._behind = self._behind, 0
            while following is not None:  # all of their lines are behind the cursor
                self._behind += following.appended
                following = self.journal.after(following)
            lost = before - self._behind
            self._dropped += lost
        _log.error("%s: is gone, and with it %d cost events", segment.path, lost)

    def settle(self, written: Iterable[Waiting], refused: Iterable[Waiting]) -> None:
        """These are done with. Cuts and deletes files of which nothing is needed any more."""
        stored, others = set(map(id, written)), set(map(id, refused))
        with self._taking:
            with self._lock:
                done = [each for each in self._held if id(each) in stored or id(each) in others]
                gone_ids = set(map(id, done))
                self._held = [each for each in self._held if id(each) not in gone_ids]
                counts = Counter(segment for _, segment in done if segment is not None)
                for segment, count in counts.items():
                    segment.settled += count
                gone = self.journal.tidy(counts)
                self._is_dropping = False
            self.journal.delete(gone)
        stored_now = len(gone_ids & stored)
        self._tally.add(written=stored_now, refused=len(done) - stored_now)

    def close(self) -> int:
        """Leave what waits to the journal; how many lines have no place in it and stay here."""
        with self._taking, self._lock:
            waiting = [*self._held, *self._memory]
            self._held.clear()
            self._memory.clear()
            self._cursor, self._behind = None, 0
            for each in waiting:
                line, segment = each
                # One more try: the disk may be there again.
                if segment is None and self.journal.append(line) is None:
                    self._memory.append(each)
            self.journal.close()
            return len(self._memory)
