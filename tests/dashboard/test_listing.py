"""Which rows one page shows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.dashboard.listing import (
    SORTS,
    Asked,
    descends_first,
    folded,
    listing_of,
    searched,
)
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.services.margin_table import TableRow
from tests.dashboard.rows import row

ROWS = [
    row("healthy", (100, 10), name="Zoe"),
    row("burns-little", (100, 110), name="Ärger AG"),
    row("burns-much", (1000, 1400), name="Łódź Analytics", customer_id="cus_LODZ"),
    row("no-revenue", (0, 250)),
    row("at-risk", (100, 90), name="acme"),
    row("moderate", (100, 70), name="Acme Corp"),
]


def asked(**given: str) -> Asked:
    return Asked.of(given.get)


def tags(rows: object) -> list[str]:
    return [each.margin.tag_value for each in rows]  # type: ignore[attr-defined]


def test_without_anything_asked_the_worst_come_first_by_tier_and_dollars_lost() -> None:
    listing = listing_of(ROWS, asked(), 50)
    assert tags(listing.rows) == [
        "burns-much", "no-revenue", "burns-little", "at-risk", "moderate", "healthy",
    ]  # fmt: skip
    assert (listing.found, listing.pages, listing.first, listing.last) == (6, 1, 1, 6)


def test_equal_rows_are_in_the_order_of_their_tags() -> None:
    same = [row(tag, (100, 110)) for tag in ("b", "B", "a")]
    for order in ("asc", "desc"):
        assert tags(listing_of(same, asked(sort="margin", order=order), 50).rows) == ["B", "a", "b"]


@pytest.mark.parametrize(
    ("sort", "order", "first", "last"),
    [
        ("revenue", "desc", "burns-much", "no-revenue"),
        ("revenue", "asc", "no-revenue", "burns-much"),
        ("cost", "desc", "burns-much", "healthy"),
        ("margin", "asc", "burns-much", "healthy"),
        ("percent", "asc", "no-revenue", "healthy"),
        ("percent", "desc", "healthy", "no-revenue"),
        ("health", "desc", "healthy", "burns-much"),
        ("customer", "asc", "at-risk", "healthy"),
        ("customer", "desc", "healthy", "at-risk"),
    ],
)
def test_every_column_sorts_both_ways(sort: str, order: str, first: str, last: str) -> None:
    shown = tags(listing_of(ROWS, asked(sort=sort, order=order), 50).rows)
    assert (shown[0], shown[-1]) == (first, last)


def test_names_are_sorted_without_regard_to_capitals_and_accents() -> None:
    shown = listing_of(ROWS, asked(sort="customer"), 50).rows
    assert [each.customer_name or each.margin.tag_value for each in shown] == [
        "acme", "Acme Corp", "Ärger AG", "Łódź Analytics", "no-revenue", "Zoe",
    ]  # fmt: skip


def test_names_are_sorted_as_they_are_read() -> None:
    names = ["\tZebra", "Mid\nSea", " Yak", "Aaa", "Mid Town", "Mid"]
    rows = [row(f"t{number}", (100, 10), name=name) for number, name in enumerate(names)]
    shown = listing_of(rows, asked(sort="customer"), 50).rows
    assert [each.customer_name for each in shown] == [
        "Aaa", "Mid", "Mid\nSea", "Mid Town", " Yak", "\tZebra",
    ]  # fmt: skip


def test_the_trend_is_the_change_over_three_months_and_new_customers_are_last() -> None:
    rows = [
        row("new", (100, 99)),
        row("rising", (100, 80), (100, 50), (100, 20)),
        row("falling", (100, 20), (100, 50), (100, 80)),
    ]
    assert tags(listing_of(rows, asked(sort="trend"), 50).rows) == ["falling", "rising", "new"]
    turned = listing_of(rows, asked(sort="trend", order="desc"), 50).rows
    assert tags(turned) == ["rising", "falling", "new"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ACME", ["at-risk", "moderate"]),
        ("corp acme", ["moderate"]),
        ("lodz", ["burns-much"]),
        ("ŁÓDŹ", ["burns-much"]),
        ("cus_lodz", ["burns-much"]),
        ("arger", ["burns-little"]),
        ("no-rev", ["no-revenue"]),
        ("acme zoe", []),
        ("<script>", []),
        ("  ", ["healthy", "burns-little", "burns-much", "no-revenue", "at-risk", "moderate"]),
    ],
)
def test_a_search_finds_names_tags_and_ids_whatever_their_case_and_accents(
    text: str, found: list[str]
) -> None:
    assert tags(searched(ROWS, text)) == found


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("\uff26ull", "full"),
        ("Øst", "ost"),
        ("é", "e"),
    ],
)
def test_letters_are_told_by_what_they_are_without_accents(text: str, plain: str) -> None:
    assert folded(text) == plain


def test_a_tier_is_filtered_and_every_tier_is_counted_within_the_search() -> None:
    listing = listing_of(ROWS, asked(tier="critical", q="burns"), 50)
    assert tags(listing.rows) == ["burns-much", "burns-little"]
    counts = [listing.tiers[tier] for tier in HealthTier]
    assert (counts, listing.searched, listing.found) == ([2, 0, 0, 0], 2, 2)
    assert [listing_of(ROWS, asked(), 9).tiers[tier] for tier in HealthTier] == [3, 1, 1, 1]


def test_pages_are_cut_and_one_beyond_the_last_is_the_last() -> None:
    many = [row(f"tag-{number:03}", (100, 10)) for number in range(101)]
    for page, first, last in (("1", 1, 50), ("2", 51, 100), ("3", 101, 101), ("999", 101, 101)):
        listing = listing_of(many, asked(page=page), 50)
        assert (listing.first, listing.last, listing.pages) == (first, last, 3)
        assert tags(listing.rows) == [f"tag-{number - 1:03}" for number in range(first, last + 1)]
    assert listing.asked.page == 3


def test_nothing_is_one_empty_page() -> None:
    listing = listing_of([], asked(page="7"), 50)
    assert (listing.rows, listing.found, listing.pages, listing.first, listing.last) == (
        [], 0, 1, 0, 0,
    )  # fmt: skip
    assert listing.asked.page == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"sort": "colour"},
        {"tier": "purple"},
        {"order": "sideways"},
        {"page": "-1"},
        {"page": "0"},
        {"page": "1e3"},
        {"page": "٣"},
        {"page": "9" * 5000},
        {"q": "   "},
    ],
)
def test_what_makes_no_sense_is_as_if_it_was_not_asked(wrong: dict[str, str]) -> None:
    listing = listing_of(ROWS, asked(**wrong), 50)
    assert listing == listing_of(ROWS, asked(), 50)


def test_a_search_is_cut_where_no_text_could_be_longer() -> None:
    assert len(asked(q="x" * 10_000).text) == 256


names = st.none() | st.text(max_size=8)
row_strategy = st.builds(
    lambda tag, name, months: row(tag, *months, name=name),
    st.text(min_size=1, max_size=8),
    names,
    st.lists(st.tuples(st.integers(-50, 500), st.integers(0, 500)), min_size=1, max_size=3).filter(
        lambda months: months[-1] != (0, 0)
    ),
)


@given(
    rows=st.lists(row_strategy, max_size=60, unique_by=lambda each: each.margin.tag_value),
    sort=st.sampled_from(SORTS),
    order=st.sampled_from(["asc", "desc"]),
    per_page=st.integers(1, 7),
)
def test_the_pages_together_are_all_rows_in_one_order(
    rows: list[TableRow], sort: str, order: str, per_page: int
) -> None:
    whole = listing_of(rows, asked(sort=sort, order=order), 1000).rows
    pages = math.ceil(len(rows) / per_page)
    cut = [
        each
        for page in range(1, pages + 1)
        for each in listing_of(rows, asked(sort=sort, order=order, page=str(page)), per_page).rows
    ]
    assert tags(cut) == tags(whole)
    assert sorted(tags(whole)) == sorted(tags(rows))


@given(st.lists(row_strategy, max_size=30), st.text(max_size=4))
def test_a_search_keeps_just_the_rows_that_have_the_words(rows: list[TableRow], text: str) -> None:
    found = searched(rows, text)
    for each in rows:
        hay = folded(
            f"{each.customer_name or ''}\n{each.margin.tag_value}\n{each.stripe_customer_id}"
        )
        assert (each in found) == all(word in hay for word in folded(text).split())


def test_money_begins_with_the_largest_and_all_else_with_the_worst() -> None:
    assert {sort for sort in SORTS if descends_first(sort)} == {"revenue", "cost"}
    assert asked(sort="cost").is_descending
    assert not asked(sort="margin").is_descending
