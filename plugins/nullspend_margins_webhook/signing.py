"""Signatures of a webhook, in two forms at once, so that a receiver may check either.

``webhook-signature`` is that of Standard Webhooks (https://www.standardwebhooks.com), keyed with
the bytes that a secret encodes; ``X-NullSpend-Signature`` has Stripe's form, keyed with the
secret as it is written. Several secrets give several signatures: a receiver accepts a request
when one of them is right.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64


def secret_problem(secret: str) -> str | None:
    """Why requests can't be signed with ``secret``, without repeating it; or ``None``."""
    try:
        length = len(_key(secret))
    except ValueError:
        return f"must be {_PREFIX} and base64. {_MAKE_ONE}"
    if not _LEAST_BYTES <= length <= _MOST_BYTES:
        return (
            f"must be {_PREFIX} and base64 of {_LEAST_BYTES} to {_MOST_BYTES} random bytes; "
            f"it holds {length}. {_MAKE_ONE}"
        )
    return None


_MAKE_ONE = '`echo "whsec_$(openssl rand -base64 32)"` makes one'


def signed_headers(
    message_id: str, timestamp: int, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """The headers that prove a request: its id, when it was sent (Unix seconds), signatures."""
    standard = f"{message_id}.{timestamp}.".encode() + body
    plain = f"{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(_digest(_key(secret), standard)).decode()}" for secret in secrets
        ),
        "X-NullSpend-Signature": ",".join(
            [
                f"t={timestamp}",
                *(f"v1={_digest(secret.encode(), plain).hex()}" for secret in secrets),
            ]
        ),
    }


def _digest(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, hashlib.sha256)


def _key(secret: str) -> bytes:
    """The bytes that ``whsec_...`` encodes, its padding optional. Raises ``ValueError``."""
    encoded = secret.removeprefix(_PREFIX)
    if encoded == secret:
        raise ValueError("no prefix")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error as problem:
        raise ValueError("not base64") from problem
