"""What a plugin sees of the outbound client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Protocol

MAX_BODY = 64 * 1024
"""As much of an answer as is ever kept in memory, in bytes."""
MAX_SECONDS = 600.0
"""The longest that a download may take."""
Receive = Callable[[bytes], Awaitable[None]]
"""Takes a part of a body that is not kept."""

_MAX_DIGITS = 9
"""Of seconds: thirty years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundAnswer:
    """What a receiver answered; never a redirect.

    ``host`` is the receiver's name, for messages. The names in ``headers`` are in lower case.
    ``body`` is as it came, cut off at the limit.
    """

    host: str
    """Without port and path."""
    status: int
    """Of HTTP; none of 3xx."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """At most ``max_body`` bytes; empty of ``get``."""

    @property
    def is_success(self) -> bool:
        """The status is 200 to 299."""
        return 200 <= self.status < 300

    def retry_after_seconds(self, now: datetime) -> float | None:
        """How long the receiver asks to be left alone, from ``now``; ``None``: it says nothing.

        ``Retry-After`` as seconds or as an HTTP date, and nothing but positive numbers.
        """
        written = self.headers.get("retry-after", "").strip()
        if written.isdecimal() and written.isascii():
            seconds = float(written[:_MAX_DIGITS])
        else:
            seconds = _seconds_until(written, now)
        return seconds if seconds > 0 else None


class Outgoing(NamedTuple):
    """What is sent, and how much of the answer's body is read, in bytes.

    With ``receive`` it is a ``GET``: a good answer's body goes there, and is whole or a failure.
    """

    content: bytes
    headers: Mapping[str, str]
    max_body: int
    receive: Receive | None = None


class Outbound(Protocol):
    """Sends requests to URLs that people configured, and only to addresses that are allowed."""

    def url_problem(self, url: str) -> str | None:
        """Why ``url`` can't be used, without repeating it; ``None`` when it can. No network.

        For the start: a name may still lead to an address that is refused later.
        """
        ...

    async def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str] | None = None,
        max_body: int = MAX_BODY,
    ) -> OutboundAnswer:
        """Send ``content``, and give the answer, whatever its status.

        As much as ``max_body`` bytes (0 to 64 KiB) of the answer's body are read; with 0 the
        answer is complete with its headers. It is complete within 10 seconds. Raises
        ``OutboundRefused`` when the rules forbid the URL or one of its addresses, and
        ``ServiceUnavailable`` when there is no answer or a redirect. Messages name the host,
        never the path or the query.
        """
        ...

    async def get(
        self,
        url: str,
        *,
        receive: Callable[[bytes], Awaitable[None]],
        max_body: int,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 10,
    ) -> OutboundAnswer:
        """Fetch what may be large: a good answer's body goes to ``receive``, part by part.

        Nothing of it is kept, ``body`` is empty, and of an answer that is no success no body is
        read. It is complete within ``timeout_seconds`` (600 at most). A body of more than
        ``max_body`` bytes, or one that breaks off, raises ``ServiceUnavailable``: what came until
        then is not whole. In all else it is as ``post``.
        """
        ...


def _seconds_until(written: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(written)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - now).total_seconds()
    except (ValueError, OverflowError):
        return 0.0
