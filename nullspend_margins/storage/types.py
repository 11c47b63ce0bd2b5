"""Column types that mean the same in SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, TIMESTAMP, BigInteger, Dialect, Float, Integer, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from nullspend_margins.domain.period import as_utc

_encoder = msgspec.json.Encoder()


def instant_text(moment: datetime) -> str:
    """An aware moment as SQLite stores it: ISO 8601, UTC, always 32 characters, so it sorts."""
    # RFC 3339, with six digits of a second or none, in a quarter of the time of ``isoformat``.
    utc = as_utc(moment)
    try:
        text = _encoder.encode(utc).decode()[1:-2]
    except TypeError:  # of a subclass of ``datetime``
        return utc.isoformat("T", "microseconds")
    return f"{text}+00:00" if "." in text else f"{text}.000000+00:00"


def stored_instant(value: str | datetime) -> datetime:
    """What a driver gives for an instant, aware and in UTC: SQLite's text, or a ``datetime``."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Aware in, aware in UTC out; a naive ``datetime`` is a ``ValueError``.

    ``TIMESTAMPTZ`` in PostgreSQL. In SQLite, which has no such type and drops offsets silently,
    the text of ``instant_text``: it is compared and ordered rightly and parsed fast.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = TIMESTAMP(timezone=True)
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """Text in SQLite, ``TIMESTAMPTZ`` in PostgreSQL."""
        if dialect.name == "sqlite":
            # The stubs want a type of datetimes here; text is what is bound and read.
            return dialect.type_descriptor(String(32))  # type: ignore[arg-type]
        return dialect.type_descriptor(TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        """On the way in."""
        if value is None:
            return None
        return instant_text(value) if dialect.name == "sqlite" else as_utc(value)

    def process_result_value(
        self,
        value: object,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """On the way out."""
        return stored_instant(value) if isinstance(value, str | datetime) else None


KEY = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared and ordered by code point, whatever the server's locale."""

TEXT = Text()
MONEY = BigInteger()
COUNT = BigInteger()
MONTH = Integer()
"""A ``Period.index``."""
DAY = Integer()
"""Days since 1970-01-01, UTC."""
RATIO = Float()
DOCUMENT = JSON(none_as_null=True)
