"""Checks of single values: what is wrong with one, or ``None``."""

from __future__ import annotations

import base64
import binascii
import re

ENCRYPTION_KEY_BYTES = 32
LEAST_SESSION_KEY = 32
LEAST_CRON_SECRET = 16

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")


def prefix_problem(prefix: str) -> str | None:
    """A path prefix is empty or starts with ``/`` and does not end with it."""
    if _PREFIX.fullmatch(prefix):
        return None
    wanted = "/" + prefix.strip("/")
    guess = f"; write {wanted}" if wanted != prefix and _PREFIX.fullmatch(wanted) else ""
    return f"must be empty or a path like /billing, with no / at its end{guess}"


def cookie_problem(name: str) -> str | None:
    """A cookie's name is a token (RFC 6265)."""
    if _TOKEN.fullmatch(name):
        return None
    return "must be a cookie name: letters, digits, - and _, no spaces"


def url_problem(url: str) -> str | None:
    """A link for people: absolute, or a path on the host's own site, or empty."""
    if not url or url.startswith(("https://", "http://", "/")):
        return None
    return "must start with https://, http:// or /"


def session_key_problem(key: str) -> str | None:
    """Too short to sign with in production."""
    if len(key) >= LEAST_SESSION_KEY:
        return None
    return f"must have at least {LEAST_SESSION_KEY} characters in production, it has {len(key)}"


def cron_secret_problem(secret: str, *, production: bool) -> str | None:
    """Must fit into an HTTP header, and be long enough in production."""
    if not _VISIBLE_ASCII.fullmatch(secret):
        return "must be visible ASCII without spaces: it is sent in an HTTP header"
    if production and len(secret) < LEAST_CRON_SECRET:
        return (
            f"must have at least {LEAST_CRON_SECRET} characters in production, it has {len(secret)}"
        )
    return None


def encryption_key_problem(key: str) -> str | None:
    """Not base64 of exactly 32 bytes."""
    try:
        length = len(key_bytes(key))
    except ValueError:
        found = "it is not base64"
    else:
        if length == ENCRYPTION_KEY_BYTES:
            return None
        found = f"it holds {length}"
    return (
        f"must be base64 of {ENCRYPTION_KEY_BYTES} random bytes, {found}. "
        "`openssl rand -base64 32` makes one"
    )


def key_bytes(key: str) -> bytes:
    """The bytes of a base64 text, of either alphabet, padded or not. Raises ``ValueError``."""
    standard = key.strip().translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except binascii.Error as problem:
        raise ValueError("not base64") from problem
