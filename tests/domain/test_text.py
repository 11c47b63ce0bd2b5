"""Texts that somebody else wrote, as people see them."""

from __future__ import annotations

import pytest

from nullspend_margins.domain.text import visible


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
    ],
)
def test_what_nobody_sees_is_shown_by_its_code_points(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text", ["", "a", " a\u200b ", "-", "日本", "\u0301", "👍\ufe0f", "\ue000"]
)
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
