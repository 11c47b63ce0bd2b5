"""What all wire structs share: camelCase names, the envelopes, and the scalar types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.json import Encoder

from nullspend_margins.domain.text import MAX_TEXT

# `(?!\n)$` because a bare `$` also matches before a final newline in Python.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*(?!\n)$"
"""No control characters, no lone surrogates."""

Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, pattern=PRINTABLE)]
Microdollars = Annotated[int, Meta(description="1 USD = 1,000,000 microdollars.")]
Percent = Annotated[int | float, Meta(description="Percent, rounded to 2 decimals, half up.")]
PeriodText = Annotated[
    str,
    Meta(
        description="A calendar month in UTC.",
        extra_json_schema={"pattern": "^[0-9]{4}-[0-9]{2}$"},
    ),
]
Timestamp = Annotated[
    str,
    Meta(
        description="ISO 8601, UTC, with milliseconds and `Z`.",
        extra_json_schema={"format": "date-time"},
    ),
]
Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


class Wire(Struct, rename="camel", frozen=True):
    """A JSON object of the API: snake_case here, camelCase there."""


class Data(Wire, frozen=True):
    """The envelope of every good answer but the cost-event batch's."""

    data: Any


class Deleted(Wire, frozen=True):
    """Something was removed."""

    deleted: bool = True


_encoder = Encoder()
encode = _encoder.encode
"""Struct to JSON bytes."""


def timestamp(moment: datetime) -> str:
    """An instant as the wire tells it: ``2026-04-05T10:00:00.000Z``."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def optional_timestamp(moment: datetime | None) -> str | None:
    """``timestamp``, where there may be none."""
    return None if moment is None else timestamp(moment)


def percent(hundredths: int) -> int | float:
    """Hundredths of a percent as a JSON number: 7000 is ``70``, 7267 is ``72.67``."""
    return hundredths / 100 if hundredths % 100 else hundredths // 100
