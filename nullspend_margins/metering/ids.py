"""Random ids for calls, made many at a time: asking the system for each takes longer."""

from __future__ import annotations

import os
from os import urandom

_ID_BYTES = 16
_AT_ONCE = 64
_DIGITS = 2 * _ID_BYTES

_ready: list[str] = []
"""Of this process. Taking one and adding some are single steps, whatever the thread."""


def new_id() -> str:
    """32 hexadecimal digits, never given before."""
    try:
        return _ready.pop()
    except IndexError:
        digits = urandom(_ID_BYTES * _AT_ONCE).hex()
        first, *others = (
            digits[start : start + _DIGITS] for start in range(0, len(digits), _DIGITS)
        )
        _ready.extend(others)
        return first


if hasattr(os, "register_at_fork"):
    # A forked child must not give the ids again that its parent has ready.
    os.register_at_fork(after_in_child=_ready.clear)
