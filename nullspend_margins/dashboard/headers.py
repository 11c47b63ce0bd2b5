"""The headers of a page: what it may load, who may frame it, that nobody keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from nullspend_margins.web.answers import PRIVATE


def page_headers(frame_ancestors: Sequence[str], nonce: str) -> dict[str, str]:
    """Everything comes from this origin; a script or style in the page needs ``nonce``."""
    framers = " ".join("'self'" if each == "self" else each for each in frame_ancestors)
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce}'",
        "style-src": f"'self' 'nonce-{nonce}'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": framers or "'none'",
    }
    headers = {
        **PRIVATE,
        "Content-Security-Policy": "; ".join(f"{name} {what}" for name, what in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "same-origin",
        "Vary": "Cookie, Accept-Language",
    }
    if not framers:  # the older header knows no list of origins
        headers["X-Frame-Options"] = "DENY"
    return headers
