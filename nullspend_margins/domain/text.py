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
_AS_SPACES = str.maketrans(dict.fromkeys("\t\n\r\u2028\u2029", " "))

# Unicode's isolates (https://www.unicode.org/reports/tr9/): what begins one, what ends it, and what
# ends a paragraph, with all that are open in it.
_FSI, _PDI = "\u2068", "\u2069"
_BEGINS_ISOLATE = "\u2066\u2067\u2068"
_ENDS_PARAGRAPH = "\n\r\x1c\x1d\x1e\x85\u2029"
_OF_ISOLATES = re.compile(f"[{_BEGINS_ISOLATE}{_PDI}{_ENDS_PARAGRAPH}]")
_LEFT_TO_RIGHT = {"L", "EN", "ES", "ET", "CS", "NSM", "BN", "WS", "ON"}


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


def without_breaks(text: str) -> str:
    """``text`` in one line: spaces for the tabs and line breaks that a name may have."""
    return text.translate(_AS_SPACES)


def as_read(text: str) -> str:
    """``text`` as pages show it and people type it: a space for white space, and none around."""
    return " ".join(text.split())


def visible(text: str) -> str:
    """``text`` in one line, or its code points where nobody would see it: ``U+200B x2, U+0020``.

    For people: two values that look alike are told apart by their ids, not by this. It closes the
    isolates that it opens and no other, so that an element or ``isolated`` can keep it apart.
    """
    if text.isascii() and text.isprintable() and not text.isspace():
        return text  # most names, and there are hundreds on a page
    if any(map(_leaves_a_mark, text)):
        return _closed(without_breaks(text))
    runs = [(each, sum(1 for _ in run)) for each, run in groupby(text)]
    return ", ".join(
        f"U+{ord(each):04X}" + (f" x{times}" if times > 1 else "") for each, times in runs
    )


def isolated(text: str) -> str:
    """``visible``, and apart from the text around it, for where there is no markup to say so.

    Letters from right to left and control characters would turn what stands beside them, figures
    too. The characters that prevent it are copied with the text: in markup an element is better.
    """
    shown = visible(text)
    if shown.isascii() or all(unicodedata.bidirectional(each) in _LEFT_TO_RIGHT for each in shown):
        return shown
    return f"{_FSI}{shown}{_PDI}"


def _closed(text: str) -> str:
    if _OF_ISOLATES.search(text) is None:
        return text
    kept, open_isolates = [], 0
    for each in text:
        if each in _BEGINS_ISOLATE:
            open_isolates += 1
        elif each == _PDI:
            if not open_isolates:
                continue
            open_isolates -= 1
        kept.append(" " if each in _ENDS_PARAGRAPH else each)
    return "".join(kept) + _PDI * open_isolates


def _leaves_a_mark(character: str) -> bool:
    """By itself: a combining mark needs a letter that it combines with."""
    if character.isascii():
        return character.isprintable() and character != " "
    category = unicodedata.category(character)
    return (
        category not in ("Cc", "Cf", "Zs", "Zl", "Zp")
        and category[0] != "M"
        and _BLANK.fullmatch(character) is None
    )


def one_line(text: str) -> str:
    """Safe to log and to store: without control characters, in one line, and not too long.

    A message may quote what somebody sent: it must not forge a line of the log.
    """
    return as_read(printable(text))[:MAX_LINE]


def printable(text: str) -> str:
    """Safe to show on a terminal: what steers it, turns or hides text becomes a space."""
    return "".join(each if each.isprintable() else " " for each in text)
