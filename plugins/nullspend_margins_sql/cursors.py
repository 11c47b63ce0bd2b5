"""How far a pull has come, as the text that the product keeps.

A pull reads from where the last whole one allows to the end. Between them the cursor says where
it is, so that a pull that is cut off goes on from there. ``since`` is when it began: a row that is
committed later than that is read by the next one, which goes back by the overlap.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

RowId = int | str
Raw = datetime | date | str | None
"""A value of the column that is followed, as the driver gives it; ``None``: ids alone are."""

_MOST_MARKS = 6


@dataclass(frozen=True, slots=True)
class Key:
    """A row's place in the order of reading."""

    raw: Raw
    row_id: RowId


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a pull is.

    ``after`` is the last row read when a pull was cut off. For the next whole pull: ``low``,
    nothing before which can still come (less the overlap), or ``base``, the id up to which all is
    read. ``marks``: at that time, this was the largest id; ``top``: the newest time read.
    """

    since: datetime
    after: Key | None = None
    low: datetime | None = None
    top: datetime | None = None
    base: RowId | None = None
    marks: tuple[tuple[datetime, RowId], ...] = ()

    @classmethod
    def parse(cls, cursor: str | None, now: datetime, *, by: str, is_text: bool) -> Self:
        """Read a cursor; one of another kind means the beginning.

        That is harmless: what was read before is known by its ids. ``by`` is ``time`` or ``id``,
        ``is_text`` whether times are texts.
        """
        found = json.loads(cursor) if cursor is not None else {}
        if found.get("by") != by:
            return cls(since=now)
        after = found.get("after")
        return cls(
            since=_moment(found.get("since")) or now,
            after=Key(_raw(after[0], is_text=is_text), after[1]) if after else None,
            low=_moment(found.get("low")),
            top=_moment(found.get("top")),
            base=found.get("base"),
            marks=tuple((datetime.fromisoformat(when), each) for when, each in found["marks"]),
        )

    def cursor(self, *, by: str) -> str:
        """The text of it."""
        told: dict[str, Any] = {"by": by, "marks": self.marks}
        if self.after is not None:
            told |= {"after": (self.after.raw, self.after.row_id), "since": self.since}
        told |= {"low": self.low, "top": self.top, "base": self.base}
        kept = {name: each for name, each in told.items() if each is not None}
        return json.dumps(kept, default=_plain, separators=(",", ":"))

    def settled(self, row_id: RowId | None) -> Position:
        """With ``row_id`` as the base, while the first pull has met nothing but old rows.

        It knows of no earlier time yet, so it goes by the rows' own.
        """
        last = self.after.row_id if self.after is not None else None
        is_first = not self.marks and self.base == last
        return replace(self, base=row_id) if is_first and row_id is not None else self

    def reached(self, last: Key, top: datetime | None) -> Position:
        """After a page that is not the last."""
        known = [each for each in (self.top, top) if each is not None]
        return replace(self, after=last, top=max(known, default=None))

    def ended(self, last: Key, top: datetime | None, now: datetime, overlap: timedelta) -> Position:
        """After the last page."""
        here = self.reached(last, top)
        if here.top is not None:
            return Position(since=now, low=min(here.top, self.since))
        if not overlap:
            return Position(since=now, base=last.row_id)
        # What was the largest id so long ago that nothing smaller can still be committed.
        ripe = [each for when, each in self.marks if when + overlap <= self.since]
        marks = [mark for mark in self.marks if mark[0] + overlap > self.since]
        if not marks or now - marks[-1][0] >= overlap / (_MOST_MARKS - 1):
            marks.append((now, last.row_id))
        base = ripe[-1] if ripe else self.base
        return Position(since=now, base=base, marks=tuple(marks))


def row_id(found: object) -> RowId:
    """A row's id as it is kept. Raises ``ValueError`` for what does not stay the same."""
    if isinstance(found, int | str) and not isinstance(found, bool):
        return found
    if isinstance(found, UUID | Decimal):
        return str(found)
    raise ValueError(
        f"is {type(found).__name__}; an id is a whole number, a text or a UUID. "
        "A select can make a text of it"
    )


def _raw(text: str | None, *, is_text: bool) -> Raw:
    return text if text is None or is_text else datetime.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in a cursor")
