"""What a stored string may hold."""

from __future__ import annotations

import re

MAX_TEXT = 256
"""The longest customer id, tag key or tag value, in characters."""

MAX_LINE = 500
"""The longest message that is logged or stored, in characters."""

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


def one_line(text: str) -> str:
    """Safe to log and to store: without control characters, in one line, and not too long.

    A message may quote what somebody sent: it must not forge a line of the log.
    """
    return " ".join(printable(text).split())[:MAX_LINE]


def printable(text: str) -> str:
    """Safe to show on a terminal: what steers it, turns or hides text becomes a space."""
    return "".join(each if each.isprintable() else " " for each in text)
