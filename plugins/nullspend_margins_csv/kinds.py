"""What a row may be, and what it adds to which basis of revenue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from nullspend_margins import Basis
from nullspend_margins_csv.problems import Misfit, shown

Word = Literal["invoice", "payment", "refund", "credit_note", "dispute"]
PartWord = Literal["invoice", "payment", "tax", "line", "refund", "credit_note", "dispute"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``at``: the bases it counts for at its date. ``over``: those over its service, if it has one.

    ``takes``: its amounts are taken away.
    """

    fact: Word
    part: PartWord
    at: Sequence[Basis] = ()
    over: Sequence[Basis] = ()
    takes: bool = False


KINDS: Mapping[str, Kind] = {
    "invoice": Kind(
        fact="invoice", part="invoice", at=("invoiced", "cash", "net"), over=("accrual",)
    ),
    "bill": Kind(fact="invoice", part="invoice", at=("invoiced",), over=("accrual",)),
    "payment": Kind(fact="payment", part="payment", at=("cash", "net")),
    # There is no fact of tax alone: it is part of a payment.
    "tax": Kind(fact="payment", part="tax", at=("net",), over=("accrual",), takes=True),
    "refund": Kind(fact="refund", part="refund", at=("net",), over=("accrual",), takes=True),
    "credit_note": Kind(fact="credit_note", part="credit_note", over=("accrual",), takes=True),
    "dispute": Kind(fact="dispute", part="dispute", at=("net",), takes=True),
    "dispute_won": Kind(fact="dispute", part="dispute", at=("net",)),
}
"""By the word in the column ``kind``."""
DEFAULT_KIND = "invoice"

_GUESSES: Mapping[str, str] = {
    "charge": "payment",
    "chargeback": "dispute",
    "creditnote": "credit_note",
    "paid": "invoice",
    "paid_invoice": "invoice",
    "unpaid": "bill",
    "unpaid_invoice": "bill",
    "open": "bill",
    "vat": "tax",
    "sales_tax": "tax",
}


def kind_of(text: str) -> str:
    """The word of a kind, however it is spelt; an invoice where nothing is said."""
    word = re.sub(r"[\W_]+", "_", text).strip("_").casefold() or DEFAULT_KIND
    if word in KINDS:
        return word
    guess = _GUESSES.get(word) or next(iter(get_close_matches(word, KINDS, 1)), None)
    meant = f"Did you mean {guess}?" if guess else f"Use one of {', '.join(KINDS)}."
    raise Misfit(f"{shown(text)} is no kind. {meant}")


def signed(amount: int, word: str) -> int:
    """The amount as it counts. What takes away is written without a sign."""
    if not KINDS[word].takes:
        return amount
    if amount < 0:
        raise Misfit(
            f"is negative, and a {word.replace('_', ' ')} takes away by itself: write it without "
            "the sign"
        )
    return -amount
