"""What a plugin sees of the outbound client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundAnswer:
    """What a receiver answered; never a redirect.

    ``host`` is the receiver's name, for messages. The names in ``headers`` are in lower case.
    ``body`` is as it came, cut off at 64 KiB.
    """

    host: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """The status is 200 to 299."""
        return 200 <= self.status < 300


class Outbound(Protocol):
    """Sends requests to URLs that people configured, and only to addresses that are allowed."""

    def url_problem(self, url: str) -> str | None:
        """Why ``url`` can't be used, without repeating it; ``None`` when it can. No network.

        For the start: a name may still lead to an address that is refused later.
        """
        ...

    async def post(
        self, url: str, *, content: bytes, headers: Mapping[str, str] | None = None
    ) -> OutboundAnswer:
        """Send ``content``, and give the answer, whatever its status.

        The answer is complete within 10 seconds. Raises ``OutboundRefused`` when the rules forbid
        the URL or one of its addresses, and ``ServiceUnavailable`` when there is no answer or a
        redirect. Messages name the host, never the path or the query.
        """
        ...
