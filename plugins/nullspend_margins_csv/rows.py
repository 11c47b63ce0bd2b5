"""Rows as revenue facts, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import BinaryIO, TypeAlias

from nullspend_margins import RevenueFact, RevenuePart, ValidationFailed
from nullspend_margins_csv.columns import Columns
from nullspend_margins_csv.ids import SeenRows, digest_of
from nullspend_margins_csv.kinds import KINDS, PartWord, kind_of, signed
from nullspend_margins_csv.problems import Misfit, Problem, Unreadable
from nullspend_margins_csv.records import Records
from nullspend_margins_csv.values import amount_of, currency_of, moment_of

_Service: TypeAlias = tuple[datetime, datetime] | tuple[None, None]

_MOST_TEXT = 256
_FIELD_OF: Mapping[str, str] = {
    "object_id": "id",
    "customer_id": "customer",
    "customer_name": "name",
    "customer_email": "email",
    "suggested_tag": "tag",
    "amount_minor": "amount",
    "occurred_at": "date",
    "until": "service_end",
}
"""The column that a field of a fact comes from."""
_IN_THE_WORDS_OF_A_FILE: Mapping[str, str] = {
    "amount": "is more than an amount can be, which is some 9 trillion",
    "service_end": "must be within 50 years of service_start",
}


def read_rows(file: BinaryIO) -> Generator[RevenueFact | Problem, None, None]:
    """Every row of a file, in constant memory; the last one may say why it can't be read on."""
    with closing(SeenRows()) as seen:
        try:
            yield from _rows(Records(file), seen)
        except Unreadable as found:
            yield found.problem


def _rows(records: Records, seen: SeenRows) -> Iterator[RevenueFact | Problem]:
    for record in records:
        if isinstance(record, Problem):
            yield record
            continue
        line, fields = record
        row = _Row(line, records.columns, fields)
        try:
            yield row.fact(seen)
        except Misfit as problem:
            yield Problem(line, row.column, str(problem))
        except ValidationFailed as problem:
            yield row.problem_of(problem)


class _Row:
    """One record. ``column`` is the one that is being read, for messages."""

    def __init__(self, line: int, columns: Columns, fields: Sequence[str]) -> None:
        self._line = line
        self._columns = columns
        self._fields = fields
        self.column: str = ""

    def fact(self, seen: SeenRows) -> RevenueFact:
        """Raises ``Misfit`` and ``ValidationFailed``."""
        customer = self._text("customer") or None
        at = moment_of(self._text("date"))
        currency = currency_of(self._text("currency"))
        word = kind_of(self._text("kind"))
        amount = signed(amount_of(self._text("amount"), currency), word)
        service = self._service()
        description = _one_line(self._text("description"))
        contents = (customer, at, currency, word, amount, *service, description)
        return RevenueFact(
            object_id=self._object_id(seen, contents),
            customer_id=customer,
            amount_minor=amount,
            currency=currency,
            occurred_at=at,
            kind=KINDS[word].fact,
            parts=_parts(word, amount, at, service, description or None),
            customer_name=_one_line(self._text("name")) or None,
            customer_email=self._text("email") or None,
            suggested_tag=self._text("tag") or None,
        )

    def problem_of(self, error: ValidationFailed) -> Problem:
        """What the product itself does not take."""
        issue = error.issues[0]
        field = _FIELD_OF.get(issue["path"], issue["path"])
        message = _IN_THE_WORDS_OF_A_FILE.get(field, issue["message"])
        return Problem(self._line, self._columns.called(field), message)

    def _text(self, field: str) -> str:
        """What stands in the column of a field; nothing, where there is none."""
        self.column = self._columns.called(field)
        place = self._columns.places.get(field)
        return "" if place is None else self._fields[place]

    def _service(self) -> _Service:
        first, end = self._text("service_start"), self._text("service_end")
        if not first and not end:
            return None, None
        if not end:
            raise Misfit(
                "is empty, and service_start is not: write the first day after the service"
            )
        until = moment_of(end)
        start = moment_of(self._text("service_start"))
        if until <= start:
            self.column = self._columns.called("service_end")
            raise Misfit("must be later than service_start: it is the first day after the service")
        return start, until

    def _object_id(self, seen: SeenRows, contents: Sequence[str | int | datetime | None]) -> str:
        """The file's own, else one of what the row says and how often it was said before."""
        given = self._text("id")
        if given:
            first, times = seen.see(digest_of("id", given), self._line)
            if times > 1:
                raise Misfit(f"stands in line {first} already, and an id names one row")
            return given
        digest = digest_of("row", *contents)
        _, times = seen.see(digest, self._line)
        return f"row_{digest.hex()}" if times == 1 else f"row_{digest.hex()}_{times}"


def _parts(
    word: str, amount: int, at: datetime, service: _Service, description: str | None
) -> list[RevenuePart]:
    """One part, or two where a service spreads what accrues."""
    kind, (start, until) = KINDS[word], service
    part = partial(RevenuePart, amount_minor=amount, description=description)
    if start is None or not kind.over:
        return [part(bases=(*kind.at, *kind.over), kind=kind.part, occurred_at=at)]
    found = [part(bases=kind.at, kind=kind.part, occurred_at=at)] if kind.at else []
    spread: PartWord = "line" if kind.part == "invoice" else kind.part
    return [*found, part(bases=kind.over, kind=spread, occurred_at=start, until=until)]


def _one_line(text: str) -> str:
    """A text of several lines in one, and no longer than can be stored."""
    return " ".join(text.split())[:_MOST_TEXT]
