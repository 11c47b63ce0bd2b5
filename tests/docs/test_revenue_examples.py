"""The worked examples of docs/revenue.md: both tables of each are read, and the numbers compared.

The first table becomes Stripe's objects, of which the plugin makes facts; what those are in each
month is put as a table again.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from nullspend_margins import ExchangeRate, RevenueFact
from nullspend_margins.domain.money import MICRODOLLARS_PER_CENT, round_half_up
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.recognition import Conversion, month_cells, recognized
from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins_stripe.contra_facts import (
    credit_note_fact,
    credited_refunds,
    dispute_facts,
    refund_fact,
)
from nullspend_margins_stripe.invoice_facts import invoice_fact
from tests.docs.pages import DOCS, read, sections
from tests.stripe.bodies import (
    TAG_KEY,
    Json,
    credit_note,
    dispute,
    invoice,
    line_json,
    payment_json,
    refund,
    seconds,
    transaction_json,
)

PAGE = DOCS / "revenue.md"
MINUS = "\N{MINUS SIGN}"
CURRENCIES = {"$": "usd", "€": "eur"}

Table = list[list[str]]


def tables(text: str) -> list[Table]:
    """Each table's header and rows, without the line between."""
    blocks = re.findall(r"^\|.*?(?=^[^|]|\Z)", text, re.DOTALL | re.MULTILINE)
    rows = [[line.strip("|").split("|") for line in block.strip().splitlines()] for block in blocks]
    return [[[cell.strip() for cell in row] for row in (one[0], *one[2:])] for one in rows]


EXAMPLES = {
    heading: found
    for heading, text in reversed(sections(PAGE).items())
    if len(found := tables(text)) == 2 and found[0][0][0] == "in Stripe"
}


class Story:
    """What the rows of a first table are as Stripe's objects."""

    def __init__(self, rows: Table) -> None:
        self.invoices: list[Json] = []
        self.refunds: list[Json] = []
        self.notes: list[Json] = []
        self.moved: list[Json] = []
        self.rates: dict[str, ExchangeRate] = {}
        for row in rows:
            self._tell(*row)

    def _tell(
        self, what: str, when: str, amount: str, tax: str, service: str, rate: str = ""
    ) -> None:
        currency = CURRENCIES[amount.lstrip(MINUS)[0]]
        cents, taxed = money(amount), money(tax)
        at = seconds(when) if when else 0
        match re.split(r"[:,] | of ", what):
            case ["invoice"]:
                self._invoice(cents, taxed, currency, at)
            case ["line", *_]:
                start, end = map(seconds, service.split(" to "))
                self.invoices[-1]["lines"].append(line_json(cents, start, end, description=what))
            case ["payment"]:
                self._payment(cents, currency, at, rate)
            case ["refund", *more]:
                self._refund(cents, currency, at, more)
            case ["credit note"]:
                self.notes.append(_untaxed(cents, taxed, currency, effective_at=at, refunds=[]))
            case ["dispute", direction]:
                sign = {"taken": -1, "given back": 1}[direction]
                self.moved.append(transaction_json(sign * cents, at, currency=currency))
            case _:
                raise AssertionError(what)

    def _invoice(self, cents: int, taxed: int, currency: str, at: int) -> None:
        body = _untaxed(cents, taxed, currency, created=at, amount_paid=0, lines=[], payments=[])
        self.invoices.append({**body, "id": f"in_{len(self.invoices)}"})

    def _payment(self, cents: int, currency: str, at: int, rate: str) -> None:
        intent = f"pi_{at}"
        paid = payment_json(cents, at, currency=currency, payment={"payment_intent": intent})
        self.invoices[-1]["payments"].append(paid)
        self.invoices[-1]["amount_paid"] += cents
        if rate:
            day = datetime.fromtimestamp(at, UTC).date()
            self.rates[intent] = ExchangeRate(value=Decimal(rate), source="stripe", on=day)

    def _refund(self, cents: int, currency: str, at: int, more: Sequence[str]) -> None:
        refund_id = f"re_{len(self.refunds)}"
        status = "failed" if "failed" in more else "succeeded"
        body = {"amount": cents, "currency": currency, "created": at, "status": status}
        self.refunds.append({**body, "id": refund_id})
        if "the credit note" in more:
            note = self.notes[-1]
            linked = min(cents, note["total"])
            note["refunds"].append({"refund": refund_id, "amount_refunded": linked})

    def facts(self) -> Iterator[RevenueFact | None]:
        common: dict[str, Any] = {"tag_key": TAG_KEY, "rates": self.rates}
        yield from (invoice_fact(invoice(**each), **common) for each in self.invoices)
        notes = [credit_note(**each) for each in self.notes]
        yield from (credit_note_fact(each, **common) for each in notes)
        credited = Counter[str]()
        for note in notes:
            credited.update(credited_refunds(note))
        for each in self.refunds:
            yield refund_fact(refund(**each), credited=credited[each["id"]], **common)
        yield from dispute_facts(dispute(balance_transactions=self.moved), tag_key=TAG_KEY)


def _untaxed(cents: int, taxed: int, currency: str, **fields: Any) -> Json:
    totals = {"total": cents, "total_excluding_tax": cents - taxed, "total_taxes": None}
    return {**totals, "currency": currency, **fields}


def money(text: str) -> int:
    """An amount as the page has it, in cents; nothing is nothing."""
    digits = re.sub(r"[$€,.]", "", text.removeprefix(MINUS)) or "0"
    assert not text or re.fullmatch(rf"{MINUS}?[$€][0-9,]+\.[0-9][0-9]", text), text
    return -int(digits) if text.startswith(MINUS) else int(digits)


def shown(microdollars: int) -> str:
    cents = round_half_up(microdollars, MICRODOLLARS_PER_CENT)
    text = f"${abs(cents) // 100:,}.{abs(cents) % 100:02d}"
    return (MINUS if cents < 0 else "") + text if cents else ""


def months(rows: Table) -> Table:
    """The second table, as the product has it."""
    cells: defaultdict[int, list[int]] = defaultdict(lambda: [0] * len(BASES))
    for fact in Story(rows).facts():
        parts = recognized(fact, Conversion(is_on=True)) if fact else ()
        assert parts is not None
        assert fact is None or {part.rate is not None for part in parts} == {fact.is_foreign}
        for month, amounts in month_cells(parts, fact.digits if fact else 2).items():
            cells[month] = [sum(pair) for pair in zip(cells[month], amounts, strict=True)]
    told = [[str(Period(month)), *map(shown, cells[month])] for month in sorted(cells)]
    everything = [sum(column) for column in zip(*cells.values(), strict=True)]
    return [["month", *BASES], *told, ["all", *map(shown, everything)]]


@pytest.mark.parametrize("heading", EXAMPLES)
def test_an_example_adds_up_to_what_the_page_says(heading: str) -> None:
    [[_, *story], expected] = EXAMPLES[heading]
    assert months(story) == expected


@pytest.mark.parametrize("heading", EXAMPLES)
def test_the_columns_of_an_example_add_up_as_they_are_printed(heading: str) -> None:
    _, [_, *rows, total] = EXAMPLES[heading]
    for column in range(1, len(BASES) + 1):
        assert sum(money(row[column]) for row in rows) == money(total[column])


def test_no_example_is_left_out() -> None:
    part = read(PAGE).split("## Worked examples")[1].split("## The rules")[0]
    assert re.findall(r"^### (.+)$", part, re.MULTILINE) == [*EXAMPLES]
    assert len(EXAMPLES) == 7
    assert len(tables(part)) == 2 * len(EXAMPLES)


def test_the_bases_are_told_of_in_their_order() -> None:
    first = tables(read(PAGE))[0]
    assert [row[0] for row in first[1:]] == [f"`{basis}`" for basis in BASES]
