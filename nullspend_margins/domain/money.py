"""Money is integers. Costs: nanodollars inside, microdollars on the wire. Revenue: microdollars.

1 USD = 1,000,000 microdollars = 1,000,000,000 nanodollars; one cent = 10,000 microdollars.
What the core stores or answers is rounded once, by ``round_half_up``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NANODOLLARS_PER_MICRODOLLAR = 1_000
MICRODOLLARS_PER_CENT = 10_000
MAX_NANODOLLARS = 2**63 - 1
"""What one stored cell can hold; more is refused, never wrapped."""


def round_half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` to the nearest integer, halves toward +infinity.

    How every amount is rounded that the product stores or answers. ``denominator`` is positive.
    Exact for integers of any size.
    """
    return (2 * numerator + denominator) // (2 * denominator)


def to_microdollars(nanodollars: int) -> int:
    """One cell of cost for the wire, rounded once, half up."""
    return round_half_up(nanodollars, NANODOLLARS_PER_MICRODOLLAR)


def round_to_microdollars(cells_nanodollars: Iterable[int]) -> list[int]:
    """Each cell as ``to_microdollars`` has it, without a call for each."""
    half, whole = NANODOLLARS_PER_MICRODOLLAR // 2, NANODOLLARS_PER_MICRODOLLAR
    return [(cell + half) // whole for cell in cells_nanodollars]


def split_microdollars(parts_nanodollars: Sequence[int]) -> list[int]:
    """Round ``parts_nanodollars`` so that they add up to the rounded total of the cell.

    Largest remainder: each part is rounded down, then the microdollars still missing go one
    each to the parts with the largest remainders (the earlier part on a tie).
    """
    floors = [part // NANODOLLARS_PER_MICRODOLLAR for part in parts_nanodollars]
    missing = to_microdollars(sum(parts_nanodollars)) - sum(floors)
    by_remainder = sorted(
        range(len(floors)),
        key=lambda index: -(parts_nanodollars[index] % NANODOLLARS_PER_MICRODOLLAR),
    )
    for index in by_remainder[:missing]:
        floors[index] += 1
    return floors


def format_dollars(microdollars: int) -> str:
    """Dollars with two decimals, half up: ``-1234567890`` is ``-1234.57``."""
    cents = round_half_up(microdollars, MICRODOLLARS_PER_CENT)
    return format_hundredths(cents)


def format_hundredths(hundredths: int) -> str:
    """An integer count of hundredths with two decimals: ``-5`` is ``-0.05``."""
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{sign}{whole}.{rest:02d}"
