"""Bearer tokens of a request: the one place where ``Authorization`` is read."""

from __future__ import annotations

from collections.abc import Iterable

_SCHEME = b"bearer"


def bearer_tokens(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """What follows the scheme ``Bearer``, an empty token included: it is no cookie's business.

    ``headers`` are an ASGI scope's.
    """
    return [
        value[len(_SCHEME) :].strip()
        for name, value in headers
        if name.lower() == b"authorization" and _is_bearer(value)
    ]


def _is_bearer(value: bytes) -> bool:
    end = len(_SCHEME)
    return value[:end].lower() == _SCHEME and not value[end : end + 1].strip()
