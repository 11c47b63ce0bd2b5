"""Reads a file of costs to its end, and adds it up, before anything is stored."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from nullspend_margins.domain.period import day_of
from nullspend_margins.importing import Charge, LeftOut, Problem
from nullspend_margins.storage.scratch import ReadFact, Scratch

MOST_SHOWN = 20
_AT_ONCE = 20_000
_MOST_REASONS = 100

_Cell = tuple[str, int, str, str, str]
"""Org, day number, customer, provider, model."""


@dataclass(slots=True)
class Reading:
    """What was found in a file. Of the problems the first are shown, all are counted.

    ``left_out`` counts rows by currency or category, ``repeated`` those that say again what an
    earlier row with their id says, ``unattributed`` those without a customer, ``long`` those
    whose charge period is longer than a day.
    """

    rows: int = 0
    facts: int = 0
    bad: int = 0
    shown: list[Problem] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    unattributed: int = 0
    long: int = 0

    def refuse(self, problem: Problem) -> None:
        """Count a problem, and keep it if it is one of the first."""
        self.bad += 1
        if len(self.shown) < MOST_SHOWN:
            self.shown.append(problem)


def read_charges(
    charges: Iterable[Charge | LeftOut | Problem], scratch: Scratch, tell: Callable[[int], None]
) -> Reading:
    """Bring everything into ``scratch``; ``tell`` hears the number of rows now and then.

    Rows with ids become a fact each. The others are added up by org, day, customer, provider and
    model, whatever their order, and that is their facts' key: so a file, or a corrected one, has
    the same keys every time. Raises ``ValidationFailed`` where the file can't be read on.
    """
    reading = Reading()
    own: list[ReadFact] = []
    cells: dict[_Cell, tuple[int, int, int]] = {}
    for row in charges:
        reading.rows += 1
        if isinstance(row, Charge):
            reading.unattributed += not row.customer
            reading.long += row.is_long
            if row.id:
                own.append(_own_fact(row))
            else:
                _, org_id, _, day, customer, provider, model, cost, requests, _ = row
                cell = (org_id, day, customer, provider, model)
                line, so_far, counted = cells.get(cell, (row.line, 0, 0))
                cells[cell] = (line, so_far + cost, counted + requests)
        elif isinstance(row, Problem):
            reading.refuse(row)
        else:
            known = row.reason in reading.left_out or len(reading.left_out) < _MOST_REASONS
            reading.left_out[row.reason if known else "others"] += 1
        if reading.rows % _AT_ONCE == 0:
            _flush(reading, scratch, own, cells)
            tell(reading.rows)
    _flush(reading, scratch, own, cells)
    for line, message in scratch.settle():
        reading.refuse(Problem(line, "", message))
    reading.shown.sort(key=lambda problem: problem.line)
    scratch.index()
    reading.facts = scratch.count()
    tell(reading.rows)
    return reading


def _flush(
    reading: Reading,
    scratch: Scratch,
    own: list[ReadFact],
    cells: dict[_Cell, tuple[int, int, int]],
) -> None:
    for fact, first_line, same in scratch.put(own):
        reading.unattributed -= not fact.tag_value
        if same:
            reading.repeated += 1
        else:
            message = f"this row has the id of line {first_line}, and is not the same"
            reading.refuse(Problem(fact.line, "", message))
    scratch.add(
        ReadFact(cell[0], _cell_key(*cell[1:]), line, *cell[1:], cost, requests)
        for cell, (line, cost, requests) in cells.items()
    )
    own.clear()
    cells.clear()


def _own_fact(charge: Charge) -> ReadFact:
    line, org_id, own, day, customer, provider, model, cost, requests, _ = charge
    return ReadFact(org_id, f"id:{own}", line, day, customer, provider, model, cost, requests)


def _cell_key(day: int, customer: str, provider: str, model: str) -> str:
    """The same for ever: another key for the same cell would count it twice."""
    content = msgspec.json.encode([customer, provider, model])
    return f"cell:{day_of(day)}:{hashlib.blake2b(content, digest_size=16).hexdigest()}"
