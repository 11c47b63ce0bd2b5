"""The bases of revenue in words, and which of them a page offers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from nullspend_margins.domain.revenue_part import BASES, Basis


class BasisWords(NamedTuple):
    """What a basis is called, and what it counts: in a sentence, and as a table has room for."""

    label: str
    meaning: str
    short: str


BASIS_WORDS: Mapping[Basis, BasisWords] = {
    "invoiced": BasisWords(
        "Invoiced",
        "what paid invoices were paid, in the month they were made.",
        "What paid invoices were paid, in the month they were made",
    ),
    "cash": BasisWords(
        "Cash",
        "what was paid, tax included, in the month it was paid.",
        "What was paid, when it was",
    ),
    "net": BasisWords(
        "Net",
        "what was paid, less tax, refunds and disputes, each when it happened.",
        "Cash less tax, refunds and disputes",
    ),
    "accrual": BasisWords(
        "Accrual",
        "the price without tax, spread over the time that the service is given, less credit notes "
        "and other refunds.",
        "The price of a service over the time it was given",
    ),
}


def bases_offered(told: Collection[Basis], configured: Basis, shown: Basis) -> Sequence[Basis]:
    """What there is to choose from; nothing where there is nothing to choose.

    ``told`` are those with any revenue in the month. A basis that was chosen by configuration is
    named even when it is the only one.
    """
    offered = [basis for basis in BASES if basis in told or basis in (configured, shown)]
    return offered if len(offered) > 1 or configured != BASES[0] else ()
