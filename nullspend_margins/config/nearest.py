"""Guesses what somebody meant to write."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_ALIKE = 0.6


def nearest(written: str, known: Iterable[str]) -> str | None:
    """The known name most like ``written``, or ``None`` when none is. Case, ``-`` and ``_`` are
    taken for the same."""
    by_shape = {_shape(name): name for name in known}
    found = get_close_matches(_shape(written), by_shape, n=1, cutoff=_ALIKE)
    return by_shape[found[0]] if found else None


def suggestion(written: str, known: Iterable[str], *, prefix: str = "") -> str:
    """A sentence to end an error with: the nearest name, else all of them."""
    names = sorted(known)
    guess = nearest(written, names)
    if guess is not None:
        return f"Did you mean {prefix}{guess}?"
    return f"Known here: {', '.join(names)}." if names else "Nothing is known here."


def _shape(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")
