"""Cursors as texts: how far the proxy's database was read, whichever of its tables that is."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from nullspend_margins import ServiceUnavailable

P = TypeVar("P", bound=msgspec.Struct)


def encoded(position: msgspec.Struct) -> str:
    """The cursor that ``position`` is stored as."""
    return msgspec.json.encode(position).decode()


def decoded(cursor: str | None, kind: type[P]) -> P:
    """What the cursor holds. Raises ``ServiceUnavailable`` for one that is none of ours."""
    try:
        return msgspec.json.decode(cursor, type=kind) if cursor else kind()
    except msgspec.DecodeError:
        raise ServiceUnavailable("The cursor of LiteLLM's costs can't be read.") from None
