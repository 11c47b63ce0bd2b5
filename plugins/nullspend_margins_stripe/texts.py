"""People's texts of Stripe's records, made storable."""

from __future__ import annotations

from nullspend_margins_stripe.failures import CONTROL

_MAX_TEXT = 256


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
