"""Revenue facts as rows: what they are made of, and the months that is revenue of, as JSON text."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from nullspend_margins.domain.money import MICRODOLLARS_PER_CENT
from nullspend_margins.domain.period import as_utc, microseconds_between, month_index
from nullspend_margins.domain.recognition import (
    MAX_MICRODOLLARS,
    Conversion,
    MonthCells,
    month_cells,
    recognized,
    unconverted_cells,
)
from nullspend_margins.domain.revenue import FactKind, RevenueFact
from nullspend_margins.domain.revenue_part import (
    BASES,
    MAX_COUNTED_CENTS,
    PART_KINDS,
    Basis,
    ExchangeRate,
    PartKind,
    RevenuePart,
)
from nullspend_margins.errors import ValidationFailed

_INVOICED = BASES.index("invoiced")
_TOO_MUCH = "%s %s is more than 9.2 trillion dollars: it does not count as revenue"
_log = logging.getLogger("nullspend_margins.sync")


class _Part(msgspec.Struct, array_like=True):
    """A part on disk, in few bytes: a sync writes them twice, and the database's log too."""

    code: str
    """The initials of its kind and of its bases; no two kinds, and no two bases, share one."""
    amount_minor: int
    since: int
    """Microseconds from the fact's moment to its own."""
    lasts: int | None = None
    """Microseconds; ``None``: it is not spread."""
    part_id: str | None = None
    description: str | None = None
    rate: tuple[str, str, date] | None = None


class Recognition(msgspec.Struct, frozen=True, gc=False):
    """What of a fact is stored beside its own fields. ``parts`` and ``cells`` are JSON text.

    ``microdollars`` is what it adds to ``invoiced``, 0 where it is not counted.
    """

    is_counted: bool
    microdollars: int
    parts: str | None
    cells: str


_BASIS_OF: Mapping[str, Basis] = {basis[0]: basis for basis in BASES}
_KIND_OF: Mapping[str, PartKind] = {kind[0]: kind for kind in PART_KINDS}
_decoder = msgspec.json.Decoder(list[_Part])
_encoder = msgspec.json.Encoder()
_cells_decoder = msgspec.json.Decoder(list[tuple[int, int, int, int, int]])


def recognition(fact: RevenueFact, conversion: Conversion) -> Recognition:
    """What is stored of a fact. One that no cell can hold in microdollars is not counted: for its
    sake the other facts are not left out.

    Raises ``ValidationFailed`` for what is too much in its own currency's minor unit, too.
    """
    if fact.parts is None and not fact.is_foreign and fact.digits == 2:
        return _of_simple(fact)
    own = month_index(fact.occurred_at)
    counted = recognized(fact, conversion)
    if counted is not None:
        try:
            cells = month_cells(counted, fact.digits)
        except ValidationFailed:
            pass
        else:
            invoiced = sum([cell[_INVOICED] for cell in cells.values()])
            if abs(invoiced) <= MAX_MICRODOLLARS:
                return Recognition(
                    True, invoiced, _encode(counted, fact.occurred_at), _cell_text(cells, own)
                )
        _log.warning(_TOO_MUCH, fact.kind, fact.object_id)
    text = None if fact.parts is None else _encode(fact.parts, fact.occurred_at)
    return Recognition(False, 0, text, uncounted_cells(fact.all_parts, own))


def stored_cells(cells: str) -> list[tuple[int, int, int, int, int]]:
    """The months of a stored fact, each with microdollars in the order of ``BASES``."""
    return _cells_decoder.decode(cells)


def uncounted_cells(parts: Sequence[RevenuePart], own: int) -> str:
    """The ``Recognition.cells`` of a fact that does not count; ``own``: the month it is of."""
    return _cell_text(unconverted_cells(parts), own)


def _of_simple(fact: RevenueFact) -> Recognition:
    """The same for the most frequent case, without an object for its part."""
    month = month_index(fact.occurred_at)
    is_counted = fact.customer_id is not None
    if is_counted and abs(fact.amount_minor) > MAX_COUNTED_CENTS:
        is_counted = False
        _log.warning(_TOO_MUCH, fact.kind, fact.object_id)
    amount = fact.amount_minor * MICRODOLLARS_PER_CENT if is_counted else fact.amount_minor
    cells = f"[[{month},{amount},{amount},{amount},{amount}]]"
    return Recognition(is_counted, amount if is_counted else 0, None, cells)


def _cell_text(cells: MonthCells, own: int) -> str:
    """Months it adds nothing to are left out, except its own: an invoice counts there."""
    if own not in cells:
        cells[own] = [0] * len(BASES)
    months = sorted(cells.items())
    rows = [(month, *cell) for month, cell in months if month == own or any(cell)]
    return _encoder.encode(rows).decode()


def _encode(parts: Sequence[RevenuePart], made: datetime) -> str:
    return _encoder.encode([_stored(part, made) for part in parts]).decode()


def _stored(part: RevenuePart, made: datetime) -> tuple[object, ...]:
    """As ``_Part`` is read, without making one: a sync has hundreds of thousands."""
    at, until, rate = part.occurred_at, part.until, part.rate
    code = part.kind[0]
    for basis in part.bases:
        code += basis[0]
    since = 0 if at is made else microseconds_between(made, at)  # mostly it is the same object
    lasts = None if until is None else microseconds_between(at, until)
    plain = (code, part.amount_minor, since, lasts, part.part_id, part.description)
    return plain if rate is None else (*plain, (str(rate.value), rate.source, rate.on))


def stored_parts(
    parts: str | None,
    kind: FactKind,
    amount_minor: int,
    occurred_at: datetime,
    basis: Basis | None = None,
) -> list[RevenuePart]:
    """The parts of a stored fact: what ``Recognition.parts`` holds, or what its absence means.

    With ``basis`` those that add to it.
    """
    if parts is None:
        return [
            RevenuePart(bases=BASES, kind=kind, amount_minor=amount_minor, occurred_at=occurred_at)
        ]
    wanted, made = "" if basis is None else basis[0], as_utc(occurred_at)
    return [_part(each, made) for each in _decoder.decode(parts) if wanted in each.code[1:]]


def _part(stored: _Part, made: datetime) -> RevenuePart:
    at, lasts, rate = made + timedelta(microseconds=stored.since), stored.lasts, stored.rate
    return RevenuePart(
        bases=tuple(_BASIS_OF[initial] for initial in stored.code[1:]),
        kind=_KIND_OF[stored.code[0]],
        amount_minor=stored.amount_minor,
        occurred_at=at,
        until=None if lasts is None else at + timedelta(microseconds=lasts),
        part_id=stored.part_id,
        description=stored.description,
        rate=None
        if rate is None
        else ExchangeRate(value=Decimal(rate[0]), source=rate[1], on=rate[2]),
    )
