"""Guesses a wrong unit from two amounts."""

from __future__ import annotations


def unit_guess(found: int, expected: int) -> str | None:
    """What is wrong when one amount is 10, 100, 1,000... times the other; else ``None``."""
    if not (found and expected):
        return None
    smaller, larger = sorted((abs(found), abs(expected)))
    factor, rest = divmod(larger, smaller)
    if rest or factor == 1 or str(factor).strip("0") != "1":
        return None
    return f"it is {factor:,} times too {'much' if abs(found) == larger else 'little'}"
