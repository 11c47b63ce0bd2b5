"""Texts that somebody else wrote, as people see them."""

from __future__ import annotations

import pytest

from nullspend_margins.domain.text import isolated, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u200b", "U+200B"),
        ("\u200b\u200b\u200d", "U+200B x2, U+200D"),
        (" ", "U+0020"),
        ("\u00a0\u3000", "U+00A0, U+3000"),
        ("\u2800", "U+2800"),
        ("\u3164\ufe0f", "U+3164, U+FE0F"),
        ("\U000e0041" * 256, "U+E0041 x256"),
        ("\ufeff", "U+FEFF"),
        ("\u0301", "U+0301"),
        ("\u0301\u0301 \u20dd\u0903", "U+0301 x2, U+0020, U+20DD, U+0903"),
        ("\u202e\u2067", "U+202E, U+2067"),
    ],
)
def test_what_nobody_sees_is_shown_by_its_code_points(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\tb\r\nc", "a b  c"), ("\u05e9\n\u05dc", "\u05e9 \u05dc"), ("\n\t", "U+000A, U+0009")],
)
def test_a_name_of_several_lines_is_shown_in_one(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", " a\u200b ", "-", "日本", "e\u0301", "שלום"),
        *("\u202ea", "a\u2067b\u2069", "👍\ufe0f", "\ue000"),
    ],
)
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u2069\u202eb", "a\u202eb"),
        ("a\u2066\u2067b", "a\u2066\u2067b\u2069\u2069"),
        ("\u2069a\u2068b\u2069\u2069c\u2066", "a\u2068b\u2069c\u2066\u2069"),
        ("a\u2029\u202eb", "a \u202eb"),
        ("a\x85b\x1c\n", "a b  "),
    ],
)
def test_a_text_closes_the_isolates_that_it_opens_and_no_other(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["", "Acme", "Łódź €1 日本 👍\ufe0f", "e\u0301", "\u200b"])
def test_what_turns_nothing_needs_no_isolation(text: str) -> None:
    assert isolated(text) == visible(text)


@pytest.mark.parametrize(
    "text", ["שלום", "١٢", "a\u202eb", "a\u200fb", "a\u2067b\u2069", "\U0001e8ff", "\U00010ecf"]
)
def test_what_turns_the_text_around_it_is_isolated(text: str) -> None:
    assert isolated(text) == f"\u2068{text}\u2069"
