"""People's texts of Stripe's records, made storable."""

from __future__ import annotations

import re

from nullspend_margins_stripe.failures import CONTROL

_MAX_TEXT = 256
_NOT_OF_NAMES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""``CONTROL`` but for tabs and line breaks."""


def customer_name(text: str | None) -> str | None:
    """A name as Stripe has it, spaces around it and line breaks in it too; ``None``: a blank one.

    What no database stores is a space in it, and 256 characters are all of it.
    """
    if not text:
        return None
    found = text if text.isprintable() else _NOT_OF_NAMES.sub(" ", text)
    found = found[:_MAX_TEXT]
    return clean(text) if found.isspace() else found


def clean(text: str | None) -> str | None:
    """People's text made storable: no control characters, at most 256 characters."""
    if not text:
        return None
    # Nearly every text, and much faster than looking closer: no other space is printable.
    if text.isprintable() and len(text) <= _MAX_TEXT and text[0] != " " != text[-1]:
        return text
    return CONTROL.sub(" ", text).strip()[:_MAX_TEXT].rstrip() or None


def tag(value: object) -> str | None:
    """A tag value must match to the letter: an unusable one is none, never a mended one."""
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_TEXT:
        return None
    return value if value.isprintable() or not CONTROL.search(value) else None
