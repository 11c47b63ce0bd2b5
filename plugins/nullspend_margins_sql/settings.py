"""What ``[plugins.sql]`` may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from nullspend_margins import Secret

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_SELECT = re.compile(r"(SELECT|WITH|VALUES)\b", re.IGNORECASE)
_MOST_CHARACTERS = 128


def _column_problem(name: str) -> str | None:
    if name.startswith("="):
        return "is a constant, and only org, provider and model can be one; name a column"
    return _length_problem(name)


def _column_or_constant_problem(name: str) -> str | None:
    if name == "=":
        return 'is a constant without a value; write it behind the sign, for example "=org_1"'
    return _length_problem(name)


def _length_problem(name: str) -> str | None:
    if name.strip() and len(name) <= _MOST_CHARACTERS and name.isprintable():
        return None
    return f"must be the name of a column, of 1 to {_MOST_CHARACTERS} characters"


def _table_problem(name: str) -> str | None:
    if _SELECT.match(name) and " " in name:
        return "is a statement; write it as select"
    if name.isprintable() and all(part.strip() for part in name.split(".")):
        return None
    return "must be the name of a table, or schema.table"


def _select_problem(statement: str) -> str | None:
    text = statement.strip().removesuffix(";")
    if not _SELECT.match(text):
        guess = ". A table's name goes into table" if re.fullmatch(r"[\w.]+", text) else ""
        return f"must be a statement that begins with SELECT{guess}"
    if ";" in text:
        return "must be one statement, without a semicolon"
    return None


def _org_problem(org_id: str) -> str | None:
    fits = org_id.isprintable() and 1 <= len(org_id) <= 256
    return None if fits else "must be an org's id, of 1 to 256 characters"


def _column(help: str, *, constant: bool = False) -> dict[str, object]:  # noqa: A002 - as elsewhere
    check = _column_or_constant_problem if constant else _column_problem
    return {"help": help, "unit": "column", "check": check}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column holds what. ``org``, ``provider`` and ``model`` may be ``"=VALUE"``."""

    customer: str = field(
        metadata=_column("The customer, as your product calls it (the tag value); NULL: nobody")
    )
    cost: str = field(metadata=_column("The cost in `unit`; a row where it is NULL is left out"))
    time: str = field(
        metadata=_column("When it was spent: a time or a day, in UTC where it has no time zone")
    )
    org: str | None = field(
        default=None,
        metadata=_column('The org, or `"=ORG"` when all rows are of one', constant=True),
    )
    id: str | None = field(
        default=None,
        metadata=_column("What tells a row from all others, for ever. Needed to pull"),
    )
    model: str | None = field(
        default=None,
        metadata=_column('The model, or `"=MODEL"`. Not set, or NULL: `unknown`', constant=True),
    )
    provider: str | None = field(
        default=None,
        metadata=_column(
            'Who was paid, or `"=PROVIDER"`. Not set, or NULL: the name of the source',
            constant=True,
        ),
    )
    requests: str | None = field(
        default=None,
        metadata=_column("How many requests a row stands for. Not set: one"),
    )
    changed: str | None = field(
        default=None,
        metadata=_column("When the row last changed, for `corrections`. Not set: `time`"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One table, and how it is read."""

    url: Secret = field(
        metadata={
            "help": "The database: `postgresql://`, `sqlite:////absolute/path`, or another that "
            "SQLAlchemy has a driver for. Its user needs to read that table, no more",
            "unit": "URL",
        }
    )
    table: str | None = field(
        default=None,
        metadata={
            "help": "The table or view, with its schema where it needs one",
            "unit": "",
            "check": _table_problem,
        },
    )
    select: str | None = field(
        default=None,
        metadata={
            "help": "In place of `table`: one SELECT statement, whose columns are then meant",
            "unit": "SQL",
            "check": _select_problem,
        },
    )
    columns: Columns = field(metadata={"help": "Which column holds what", "unit": ""})
    unit: Literal["dollars", "cents", "microdollars", "nanodollars"] = field(
        metadata={"help": "What `columns.cost` is counted in", "unit": ""}
    )
    org: str | None = field(
        default=None,
        metadata={
            "help": "The org of all rows, in place of `columns.org`",
            "unit": "1 to 256 characters",
            "check": _org_problem,
        },
    )
    mode: Literal["pull", "aggregate"] = field(
        default="pull",
        metadata={
            "help": "`pull`: what is new is copied whenever the timer calls. `aggregate`: nothing "
            "is copied, the table is added up at every read",
            "unit": "",
        },
    )
    cursor: Literal["time", "id"] = field(
        default="time",
        metadata={
            "help": "What tells new rows: `time` (or `changed`), or `id` where that only grows",
            "unit": "",
        },
    )
    corrections: bool = field(
        default=False,
        metadata={
            "help": "Rows may change, and be negative: each counts as it was read last. Without "
            "it each counts once, and must not be negative",
            "unit": "",
        },
    )
    overlap_minutes: int = field(
        default=60,
        metadata={
            "help": "How late a row may be committed, after its time, and still be read",
            "unit": "minutes",
            "at_least": 0,
            "at_most": 44_640,
        },
    )
    page_rows: int = field(
        default=5_000,
        metadata={
            "help": "Rows that one query of a pull reads",
            "unit": "rows",
            "at_least": 1,
            "at_most": 50_000,
        },
    )
    timeout_seconds: int = field(
        default=30,
        metadata={
            "help": "The longest one query may take",
            "unit": "seconds",
            "at_least": 1,
            "at_most": 3_600,
        },
    )

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem is not None:
            raise ValueError(problem)

    def _problem(self) -> str | None:
        columns = self.columns
        if self.table is not None and self.select is not None:
            return "has both table and select; keep one of them"
        if self.table is None and self.select is None:
            return "has neither table nor select: what is to be read?"
        if self.org is not None and columns.org is not None:
            return "has both org and columns.org; keep one of them"
        if self.org is None and columns.org is None:
            return 'has no org: name columns.org, or set org = "..." when all rows are of one org'
        if self.mode == "aggregate":
            return self._aggregate_problem()
        if columns.id is None:
            return (
                "has no columns.id: without one a row that is read twice would count twice. "
                'Name it, or set mode = "aggregate"'
            )
        if columns.requests is not None and not self.corrections:
            return (
                "has columns.requests, and a row that counts once is one request; "
                "leave it away, or set corrections = true for rows that are sums"
            )
        if columns.changed is not None and not self.corrections:
            return "has columns.changed, which needs corrections = true: other rows do not change"
        if columns.changed is not None and self.cursor == "id":
            return 'has columns.changed, which cursor = "id" would not follow; keep one of them'
        return None

    def _aggregate_problem(self) -> str | None:
        for key, is_set in (
            ("corrections", self.corrections),
            ('cursor = "id"', self.cursor == "id"),
            ("columns.changed", self.columns.changed is not None),
        ):
            if is_set:
                return f'has {key}, which is for mode = "pull"; mode = "aggregate" copies no rows'
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSettings:
    """Any number of sources by name; none is fine, too."""

    sources: Mapping[str, SourceSettings] = field(
        default_factory=dict,
        metadata={
            "help": "Tables `[plugins.sql.sources.NAME]` with the keys below; the cost source is "
            "called `sql-NAME`",
            "unit": "",
        },
    )

    def __post_init__(self) -> None:
        for name in self.sources:
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"a source is called {name[:80]!r}; use 1 to 60 letters, digits, -, _ and ., "
                    "for example usage-log"
                )
