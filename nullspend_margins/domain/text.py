"""What a stored string may hold."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

MAX_TEXT = 256
"""The longest customer id, tag key or tag value, in characters."""

MAX_LINE = 500
"""The longest message that is logged or stored, in characters."""

# What Unicode says is to be ignored, or is blank, and not by its category: joiners, fillers of
# Hangul, an empty pattern of Braille, selectors of variants.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def text_problem(value: str, *, at_most: int = MAX_TEXT, at_least: int = 1) -> str | None:
    """Why ``value`` may not be stored, or ``None`` when it may.

    Control characters and lone surrogates are refused: no database and no CSV reader agrees on
    them.
    """
    if len(value) < at_least:
        return "must not be empty"
    if len(value) > at_most:
        return f"must be at most {at_most} characters"
    if _FORBIDDEN.search(value):
        return "must not contain control characters or lone surrogates"
    return None


def visible(text: str) -> str:
    """``text``, or its code points where nobody would see it: ``U+200B x2, U+0020``.

    For people: two values that look alike are told apart by their ids, not by this.
    """
    if any(map(_leaves_a_mark, text)):
        return text
    runs = [(each, sum(1 for _ in run)) for each, run in groupby(text)]
    return ", ".join(
        f"U+{ord(each):04X}" + (f" x{times}" if times > 1 else "") for each, times in runs
    )


def _leaves_a_mark(character: str) -> bool:
    if character.isascii():
        return character.isprintable() and character != " "
    return (
        unicodedata.category(character) not in ("Cc", "Cf", "Zs", "Zl", "Zp")
        and _BLANK.fullmatch(character) is None
    )


def one_line(text: str) -> str:
    """Safe to log and to store: without control characters, in one line, and not too long.

    A message may quote what somebody sent: it must not forge a line of the log.
    """
    return " ".join(printable(text).split())[:MAX_LINE]


def printable(text: str) -> str:
    """Safe to show on a terminal: what steers it, turns or hides text becomes a space."""
    return "".join(each if each.isprintable() else " " for each in text)
