"""What Stripe's failures mean: worth another try, or one of the product's errors.

======================  =======================================
401                     ``CredentialRefused``
403                     ``PermissionMissing``
409, 429, 5xx, network  ``Transient``: tried again, then ``ProviderUnavailable``
another form            by its status, as above; else ``Transient``
anything else           ``ProviderUnavailable`` with Stripe's message
======================  =======================================

While a key is checked, "anything else" is ``CredentialRefused``, with Stripe's message too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from nullspend_margins import (
    CredentialRefused,
    MarginsError,
    PermissionMissing,
    ProviderUnavailable,
)

T = TypeVar("T")

_PERMISSION = re.compile(r"\brak_[a-z0-9_]+")
# Stripe echoes keys partly redacted; what it leaves is nobody's business either. A key may hold
# any sign, but for those that end it in a sentence.
_KEY_LIKE = re.compile(r"\b(?:(?:sk|rk|pk)_(?:live|test)|whsec)_(?:\S*[\w*…])?")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
"""What no text that is stored or told may hold, but for tabs and line breaks in names."""
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MESSAGE_LENGTH = 300


class Transient(Exception):
    """One attempt failed in a way that may pass.

    ``retry_after`` is the wait in seconds that Stripe asked for, if it did. ``rate_limited``: it
    works, and wants to be asked less often. ``timed_out``: no answer came in the attempt's time.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        rate_limited: bool = False,
        timed_out: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.rate_limited = rate_limited
        self.timed_out = timed_out


class Unknown(Exception):
    """Stripe, or what stands in its place, does not know an address (404)."""


def not_answered(seconds: float) -> Transient:
    """Of an attempt that had ``seconds``."""
    return Transient(f"no answer came within {seconds:.3g} s", timed_out=True)


def settled(make: Callable[[], T]) -> T:
    """What ``make`` makes of answers that are all there: asking again would not help it.

    Raises ``ProviderUnavailable`` in place of ``Transient``.
    """
    try:
        return make()
    except Transient as failure:
        reason = failure.reason
    raise ProviderUnavailable(
        f"Stripe gave no usable answer: {reason}. Nothing was changed; try again later."
    )


def is_transient(status: int, code: str | None) -> bool:
    """Whether an answer with this status and Stripe error code is worth another try."""
    # Rate limits were once told as 400.
    return status in {408, 409, 429} or status >= 500 or (status == 400 and code == "rate_limit")


def answered_with(status: int, retry_after: float | None = None) -> Transient:
    """The failure of an answer whose status alone says to try again."""
    known = {429: " (too many requests)", 409: " (a conflict with another request)"}
    return Transient(
        f"it answered HTTP {status}{known.get(status, '')}",
        retry_after=retry_after,
        rate_limited=status == 429,
    )


def unreadable(status: int | None) -> Transient:
    """The failure of an answer that says nothing, neither by its status nor by its body."""
    return Transient(f"it answered HTTP {status} in a form that is not Stripe's")


def refused(code: str | None) -> CredentialRefused:
    """Stripe does not know the key (401)."""
    if code == "api_key_expired":
        return CredentialRefused("Stripe says that this key has expired.")
    return CredentialRefused(
        "Stripe does not accept this key. Check that it was copied whole and was not revoked."
    )


def forbidden(message: str | None) -> PermissionMissing:
    """Stripe knows the key and does not let it read something (403)."""
    found = _PERMISSION.search(message or "")
    if found:
        return PermissionMissing(
            f"The Stripe key lacks the permission {found[0]}. Add it to the restricted key in the "
            "Stripe dashboard.",
            permission=found[0],
        )
    return PermissionMissing(f"Stripe does not let this key read what is needed: {scrub(message)}")


def unexpected(status: int | None, message: str | None) -> MarginsError:
    """Stripe refused the request itself, which no key and no wait will change."""
    return ProviderUnavailable(f"Stripe refused the request (HTTP {status}): {scrub(message)}")


def without_keys(text: str) -> str:
    """``text`` with ``[key]`` in place of whatever looks like a key."""
    return _KEY_LIKE.sub("[key]", text)


def scrub(message: str | None) -> str:
    """``message`` in one line without anything that looks like a key, at most 300 characters."""
    clean = CONTROL.sub(" ", without_keys(message or "")).strip()
    if len(clean) > _MESSAGE_LENGTH:
        clean = clean[: _MESSAGE_LENGTH - 1] + "…"
    return clean or "it gave no reason"


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """A ``Retry-After`` header in seconds from ``now``: a number or an HTTP date, else ``None``."""
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
