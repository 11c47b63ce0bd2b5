"""Amounts come back as they were written, and rows are the same in whatever order they stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins import minor_digits_of
from nullspend_margins_csv.values import amount_of
from tests.csv_provider.support import HEADER, facts_of

CURRENCIES = st.sampled_from(["usd", "eur", "jpy", "kwd", "clf"])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["acme", "zeta", '"a, b"', ""]),
        st.sampled_from(["2026-01-31", "2026-02-01", "2026-02-01T00:00:00Z"]),
        st.sampled_from(["1", "1.00", "-2.5", "0"]),
    ).map(",".join),
    max_size=12,
)


@given(st.integers(-(10**14), 10**14), CURRENCIES, st.integers(0, 3))
def test_an_amount_is_what_was_written(minor: int, currency: str, zeros: int) -> None:
    digits = minor_digits_of(currency)
    whole, part = divmod(abs(minor), 10**digits)
    decimals = (str(part).zfill(digits) if digits else "") + "0" * zeros
    text = f"{'-' if minor < 0 else ''}{whole}{'.' if decimals else ''}{decimals}"
    assert amount_of(text, currency) == minor


@given(ROWS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_rows_changes_nothing(orders: tuple[list[str], list[str]]) -> None:
    written, mixed = (
        {fact.object_id: fact for fact in facts_of(HEADER + "".join(f"{row}\n" for row in rows))}
        for rows in orders
    )
    assert written == mixed
    assert len(written) == len(orders[0])
