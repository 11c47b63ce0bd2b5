"""What all wire structs share: camelCase names, and the scalar types.

The ``title`` of a type is its name in OpenAPI; a type without one stands where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import Encoder

from nullspend_margins.domain.period import as_utc
from nullspend_margins.domain.text import MAX_TEXT

# `(?!\n)$` because a bare `$` also matches before a final newline in Python.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*(?!\n)$"
"""No control characters, no lone surrogates."""
UUID_PATTERN = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

INT64 = {"format": "int64"}
_MONTH = "(0[1-9]|1[0-2])"
_FROM_1970_TO_9998 = "(19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])"

Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, pattern=PRINTABLE)]
Microdollars = Annotated[
    int, Meta(description="Microdollars: 1 USD = 1,000,000.", extra_json_schema=INT64)
]
Tally = Annotated[int, Meta(ge=0, extra_json_schema=INT64)]
# On the wire an integer where the percent is whole: see `percent`.
Percent = Annotated[
    float, Meta(description="Percent, 100 is all of it; rounded to 2 decimals, half up.")
]
AskedPeriod = Annotated[
    str,
    Meta(
        description="A calendar month in UTC, `YYYY-MM`, from 1970-01 to 9998-12.",
        examples=["2026-04"],
        extra_json_schema={"pattern": f"^{_FROM_1970_TO_9998}-{_MONTH}$"},
    ),
]
# The months around the one that was asked for may lie outside of those years.
PeriodText = Annotated[
    str,
    Meta(
        description="A calendar month in UTC, `YYYY-MM`.",
        examples=["2026-04"],
        extra_json_schema={"pattern": f"^[0-9]{{4}}-{_MONTH}$"},
    ),
]
Timestamp = Annotated[
    str,
    Meta(
        description="ISO 8601, UTC, with milliseconds and `Z`.",
        examples=["2026-04-05T10:00:00.000Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Uuid = Annotated[
    str,
    Meta(
        examples=["0b7c9c4e-6f0e-4c53-9f1d-2f1f8f6a7b11"],
        extra_json_schema={"format": "uuid", "pattern": UUID_PATTERN},
    ),
]
CustomerId = Annotated[
    str,
    Meta(
        description="The revenue provider's customer id; the name is Stripe's whatever the"
        " provider.",
        examples=["cus_abc123"],
    ),
]
CustomerName = Annotated[
    str,
    Meta(description="The provider's name for the customer; null when it knows none."),
]
AvatarUrl = Annotated[
    str, Meta(description="An image of the customer; null when the provider has none.")
]
TagValue = Annotated[
    str, Meta(description="The host's own name for the customer.", examples=["acme-corp"])
]
SkippedCurrencies = Annotated[
    dict[str, Tally],
    Meta(
        title="SkippedCurrencies",
        description="How many invoices the last sync left out because they are not in USD, by"
        " ISO 4217 code in lower case.",
        examples=[{"eur": 3}],
    ),
]


class Wire(Struct, rename="camel", frozen=True):
    """A JSON object of the API: snake_case here, camelCase there."""


class Deleted(Wire, frozen=True):
    """Something was removed."""

    deleted: Annotated[bool, Meta(description="Always true.")]


class DeletedAnswer(Wire, frozen=True):
    """The answer to what removes something."""

    data: Deleted


encode: Callable[[object], bytes] = Encoder().encode
"""Struct to JSON bytes."""


def timestamp(moment: datetime) -> str:
    """An instant as the wire tells it: ``2026-04-05T10:00:00.000Z``."""
    return as_utc(moment).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def optional_timestamp(moment: datetime | None) -> str | None:
    """``timestamp``, where there may be none."""
    return None if moment is None else timestamp(moment)


def percent(hundredths: int) -> float:
    """Hundredths of a percent as a JSON number: 7000 is ``70``, 7267 is ``72.67``."""
    return hundredths / 100 if hundredths % 100 else hundredths // 100
