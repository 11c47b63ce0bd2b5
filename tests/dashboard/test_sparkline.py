"""The small pictures in the margin table."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.dashboard.sparkline import (
    HEIGHT,
    WIDTH,
    sparkline,
    sparkline_text,
    svg,
    told_points,
)
from tests.dashboard.rows import row

MONTHS = ["Sep", "Oct", "Nov", "Dec"]


def percent(hundredths: int) -> str:
    return f"{hundredths / 100:g} %"


def numbers(path: str) -> list[int]:
    return [int(each) for each in re.findall(r"-?\d+", path)]


def test_three_months_are_a_line_and_the_projected_one_is_dashed_behind_it() -> None:
    picture = sparkline(row("a", (100, 20), (100, 50), (100, 80)).margin)
    assert re.fullmatch(r"M\d+ \d+L\d+ \d+L\d+ \d+", picture.line)
    x, y = picture.now
    assert numbers(picture.line)[-2:] == [x, y]
    assert picture.ahead is not None
    assert picture.end is not None
    assert numbers(picture.ahead) == [x, y, *picture.end]
    assert picture.end[0] > x
    assert picture.end[1] > y  # lower margins are lower down


def test_a_new_customer_did_not_come_from_zero() -> None:
    margin = row("a", (100, 20)).margin
    picture = sparkline(margin)
    assert told_points(margin) == [None, None, 80_00]
    assert re.fullmatch(r"M\d+ \d+h0", picture.line)
    assert (picture.ahead, picture.end) == (None, None)


def test_a_month_without_anything_is_a_gap() -> None:
    margin = row("a", (100, 20), (0, 0), (100, 50)).margin
    assert told_points(margin) == [80_00, None, 50_00]
    assert re.fullmatch(r"M\d+ \d+h0M\d+ \d+h0", sparkline(margin).line)


def test_a_month_that_broke_even_is_no_gap() -> None:
    margin = row("a", (100, 100), (100, 50), (100, 50)).margin
    assert told_points(margin) == [0, 50_00, 50_00]


def test_zero_is_drawn_where_the_line_crosses_it() -> None:
    assert sparkline(row("a", (100, 20), (100, 60), (100, 150)).margin).zero is not None
    assert sparkline(row("a", (100, 20), (100, 30), (100, 40)).margin).zero is None


def test_a_flat_margin_looks_flat() -> None:
    picture = sparkline(row("a", (100, 50), (100, 51), (100, 50)).margin)
    heights = numbers(picture.line)[1::2]
    assert max(heights) - min(heights) <= 1
    assert HEIGHT // 4 < min(heights) < HEIGHT * 3 // 4


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (
            [(100, 20), (100, 50), (100, 80)],
            "Sep: 80 %, Oct: 50 %, Nov: 20 %, Dec, projected: -10 %",
        ),
        ([(100, 150)], "Sep: nothing, Oct: nothing, Nov: -50 %"),
        ([(0, 30)], "Sep: nothing, Oct: nothing, Nov: -100 %"),
    ],
)
def test_the_words_tell_every_month(months: list[tuple[int, int]], words: str) -> None:
    assert sparkline_text(row("a", *months).margin, MONTHS, percent) == words


def test_words_cannot_be_markup() -> None:
    picture = svg(sparkline(row("a", (100, 20)).margin), "<script>alert(1)</script>&\"'")
    [title] = ElementTree.fromstring(picture).iter("title")  # noqa: S314 - our own
    assert title.text == "<script>alert(1)</script>&\"'"
    assert "<script" not in picture


amounts = st.tuples(st.integers(-1_000, 10**9), st.integers(0, 10**9))


@given(st.lists(amounts, min_size=1, max_size=3).filter(lambda months: months[-1] != (0, 0)))
def test_everything_is_drawn_inside_the_box(months: list[tuple[int, int]]) -> None:
    picture = sparkline(row("a", *months).margin)
    element = ElementTree.fromstring(svg(picture, "words"))  # noqa: S314 - our own
    assert element.get("role") == "img"
    points = [picture.now, *([picture.end] if picture.end else [])]
    drawn = numbers(picture.line.replace("h0", ""))
    points += zip(drawn[::2], drawn[1::2], strict=True)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in points)
