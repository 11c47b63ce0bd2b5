"""A table that takes rows over from the one before it."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.domain.health import HealthThresholds
from nullspend_margins.domain.period import Period
from nullspend_margins.services.ledger import LedgerRow
from nullspend_margins.services.margin_table import MarginTable, build_table, without_known
from nullspend_margins.web.wire.base import encode
from nullspend_margins.web.wire.margins import table_of

PERIOD = Period.parse("2026-11")
amounts = st.tuples(*[st.sampled_from((0, 0, 1, 50, 100))] * 3)
ledgers = st.lists(
    st.builds(
        LedgerRow,
        tag_value=st.sampled_from(("acme", "beta", "zeta")),
        provider=st.just("stripe"),
        customer_id=st.sampled_from(("cus_1", "cus_2")),
        revenues=amounts,
        costs=amounts,
        customer_name=st.sampled_from((None, "Acme")),
        avatar_url=st.sampled_from((None, "https://example.com/a.png")),
    ),
    unique_by=lambda row: row.tag_value,
)


def table(ledger: Sequence[LedgerRow], before: MarginTable | None = None) -> MarginTable:
    return build_table(PERIOD, ledger, [], HealthThresholds(), before)


@given(earlier=ledgers, later=ledgers)
def test_whatever_the_table_before_held_the_next_one_is_right(
    earlier: list[LedgerRow], later: list[LedgerRow]
) -> None:
    before = table(earlier)
    encode(table_of(before))  # its rows keep their renderings
    after = table(later, before)
    assert encode(table_of(after)) == encode(table_of(table(later)))


def test_rows_that_stay_the_same_are_neither_computed_nor_rendered_again() -> None:
    same = LedgerRow("acme", "stripe", "cus_1", (1, 1, 1), (0, 0, 0))
    before = table([same, LedgerRow("beta", "stripe", "cus_2", (1, 1, 1), (0, 0, 0))])
    encode(table_of(before))
    after = table([same, LedgerRow("beta", "stripe", "cus_2", (1, 1, 1), (0, 0, 1))], before)
    kept = {row.margin.tag_value: row.rendering is not None for row in after.rows}
    assert kept == {"acme": True, "beta": False}


def test_a_large_table_is_the_same_but_holds_nothing_besides() -> None:
    made = table([LedgerRow("acme", "stripe", "cus_1", (1, 1, 1), (0, 0, 0))])
    large = without_known(made)
    assert large == made
    assert encode(table_of(large)) == encode(table_of(table_again(made)))
    assert (large.known, large.renderings) == ({}, {})
    assert [row.rendering for row in large.rows] == [None]


def table_again(made: MarginTable) -> MarginTable:
    return table([made_of for made_of, _ in made.known.values()])
