"""What an import has read, before any of it is stored: a database of its own that nobody sees.

SQLite keeps it in memory while it is small, else in a temporary file that has no name and is gone
with the process. So a file of any size is added up, and compared, in memory that does not grow.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from nullspend_margins.domain.cost import MAX_COUNT, CostFact
from nullspend_margins.domain.money import round_half_up
from nullspend_margins.domain.period import Period, day_of
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.storage.bulk import as_json
from nullspend_margins.storage.sums import joined

FINE = 10**18
"""Parts of a nanodollar that costs are added up in."""

_MAX_FACT = 2**62
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32000;
CREATE TABLE facts (
  org TEXT, month INTEGER, key TEXT, line INTEGER, day INTEGER, tag TEXT, provider TEXT, model TEXT,
  nanos INTEGER CHECK (typeof(nanos) = 'integer'), fine INTEGER,
  requests INTEGER CHECK (typeof(requests) = 'integer'),
  PRIMARY KEY (org, key)
) WITHOUT ROWID;
BEGIN;
"""
_INSERT = "INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD = f"""{_INSERT} ON CONFLICT DO UPDATE SET
  nanos = nanos + excluded.nanos + (fine + excluded.fine) / {FINE},
  fine = (fine + excluded.fine) % {FINE},
  requests = requests + excluded.requests, line = min(line, excluded.line)
"""
_SAME = """
SELECT line, (day, tag, provider, model, nanos, fine, requests) = (?, ?, ?, ?, ?, ?, ?)
FROM facts WHERE org = ? AND key = ?
"""
# As ``sums.halves``, so that no sum of 64-bit numbers is beyond 64 bits.
_HALVES = "sum(nanos >> 32), sum(nanos & 4294967295)"


class ReadFact(NamedTuple):
    """A fact to be, read from ``line`` on; ``cost`` in 10^-27 dollars."""

    org_id: str
    key: str
    line: int
    day: int
    tag_value: str
    provider: str
    model: str
    cost: int
    requests: int


class Clash(NamedTuple):
    """A fact with the key of an earlier one, on ``first_line``; ``same`` in all that it says."""

    fact: ReadFact
    first_line: int
    same: bool


class Scratch:
    """Use it in one thread at a time, and close it."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._database.create_function("rounded", 2, _rounded, deterministic=True)

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def add(self, facts: Iterable[ReadFact]) -> None:
        """Add up: costs and requests under one key become one fact.

        Raises ``ValidationFailed`` when one is beyond 64 bits.
        """
        try:
            self._database.executemany(_ADD, map(_row, facts))
        except (sqlite3.IntegrityError, OverflowError):
            raise ValidationFailed(
                "The costs of one customer, model and day are more than 2^63 nanodollars."
            ) from None

    def put(self, facts: Sequence[ReadFact]) -> list[Clash]:
        """Keep facts whose keys must be theirs alone; those whose are not are given back."""
        before = self._database.total_changes
        rows = [_row(fact) for fact in facts]
        self._database.executemany(f"{_INSERT} ON CONFLICT DO NOTHING", rows)
        if self._database.total_changes - before == len(facts):
            return []
        return [clash for fact in facts if (clash := self._clash(fact)) is not None]

    def _clash(self, fact: ReadFact) -> Clash | None:
        org_id, _, key, line, *values = _row(fact)
        first, same = self._database.execute(_SAME, (*values, org_id, key)).fetchone()
        return Clash(fact, first, bool(same)) if first != line else None

    def settle(self) -> list[tuple[int, str]]:
        """Round every fact to nanodollars, and leave out those that are too large.

        Returns the lines of these, and what is wrong with them.
        """
        self._database.execute(
            "UPDATE facts SET nanos = rounded(nanos, fine), fine = 0 WHERE fine != 0"
        )
        too_large = "FROM facts WHERE nanos NOT BETWEEN ? AND ? OR requests > ?"
        limits = (-_MAX_FACT, _MAX_FACT, MAX_COUNT)
        found = self._database.execute(
            f"SELECT line, org, tag, day {too_large} ORDER BY line",
            limits,
        ).fetchall()
        self._database.execute(f"DELETE {too_large}", limits)
        return [
            (line, f"and later ones add up to more than a fact can hold: {org} {tag} {day_of(day)}")
            for line, org, tag, day in found
        ]

    def months(self) -> list[tuple[str, Period]]:
        """Every org and month that there are facts of, in order."""
        found = self._database.execute("SELECT DISTINCT org, month FROM facts ORDER BY 1, 2")
        return [(org_id, Period(month)) for org_id, month in found]

    def count(self) -> int:
        """How many facts there are."""
        return int(self._database.execute("SELECT count(*) FROM facts").fetchone()[0])

    def index(self) -> None:
        """Have every month's facts together: after the last one is added."""
        self._database.execute("CREATE INDEX of_month ON facts (org, month)")

    def facts(self, org_id: str, period: Period, at_once: int) -> Iterator[list[CostFact]]:
        """A month's facts, by key."""
        found = self._database.execute(
            "SELECT key, provider, model, tag, day, nanos, requests FROM facts"
            " WHERE org = ? AND month = ? ORDER BY key",
            (org_id, period.index),
        )
        while rows := found.fetchmany(at_once):
            yield [_fact(*row) for row in rows]

    def without(self, org_id: str, keys: Sequence[str]) -> list[str]:
        """Those of ``keys`` that no fact has."""
        found = self._database.execute(
            "SELECT value FROM json_each(?) WHERE NOT EXISTS"
            " (SELECT 1 FROM facts WHERE org = ? AND key = value)",
            (as_json(keys), org_id),
        )
        return [key for (key,) in found]

    def month_sums(self) -> list[tuple[str, Period, int]]:
        """Nanodollars by org and month."""
        found = self._database.execute(
            # S608: a constant.
            f"SELECT org, month, {_HALVES} FROM facts GROUP BY 1, 2 ORDER BY 1, 2"  # noqa: S608
        )
        return [(org, Period(month), joined(high, low)) for org, month, high, low in found]

    def largest(self, limit: int) -> list[tuple[str, str, int]]:
        """Org, customer and nanodollars of the customers that cost most."""
        found = self._database.execute(
            # S608: a constant.
            f"SELECT org, tag, {_HALVES} FROM facts GROUP BY 1, 2"  # noqa: S608
            " ORDER BY total(nanos) DESC, 1, 2 LIMIT ?",
            (limit,),
        )
        return [(org, tag, joined(high, low)) for org, tag, high, low in found]


@lru_cache(1024)
def _month_of(day: int) -> int:
    return Period.containing(day_of(day)).index


def _row(fact: ReadFact) -> tuple[object, ...]:
    org_id, key, line, day, tag_value, provider, model, cost, requests = fact
    nanos, fine = divmod(cost, FINE)
    return (
        org_id,
        _month_of(day),
        key,
        line,
        day,
        tag_value,
        provider,
        model,
        nanos,
        fine,
        requests,
    )


def _fact(
    key: str, provider: str, model: str, tag: str, day: int, nanos: int, requests: int
) -> CostFact:
    return CostFact(
        key=key,
        provider=provider,
        model=model,
        tag_value=tag,
        day=day_of(day),
        cost_nanodollars=nanos,
        request_count=requests,
    )


def _rounded(nanos: int, fine: int) -> int:
    return round_half_up(nanos * FINE + fine, FINE)
