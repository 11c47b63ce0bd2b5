"""Fills the demo the way a company does: over HTTP, as its admin and as its application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from nullspend_margins.demo.company import SampleCompany
from nullspend_margins.demo.usage import Event
from nullspend_margins.errors import InternalError

_BATCH = 100
_AT_ONCE = 4
_TIMEOUT_SECONDS = 60.0

Advance = Callable[[int], None]
"""Told how many more cost events are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What was done, as the API told it."""

    inserted_events: int
    sync: dict[str, Any]
    table: dict[str, Any]
    unmatched: dict[str, Any]


class Seeder:
    """Talks to the running product with the admin's session and an ingest key."""

    def __init__(self, client: httpx.AsyncClient, ingest_key: str) -> None:
        self._client = client
        self._ingest_key = ingest_key

    async def seed(
        self,
        company: SampleCompany,
        events: Sequence[Event],
        stripe_key: str,
        advance: Advance,
    ) -> Seeded:
        """Connect Stripe, send costs, map customers, sync; then look at the result.

        Costs come before the sync, since it matches customers with tag values seen on costs.
        """
        await self._call("POST", "/api/stripe/connect", {"stripeKey": stripe_key})
        inserted = await self._send(events, advance)
        for customer_id, tag_value in company.mappings:
            body = {"stripeCustomerId": customer_id, "tagValue": tag_value}
            await self._call("POST", "/api/customer-mappings", body)
        return Seeded(
            inserted_events=inserted,
            sync=await self._call("POST", "/api/stripe/revenue-sync"),
            table=await self._call("GET", "/api/margins"),
            unmatched=await self._call("GET", "/api/margins/unmatched"),
        )

    async def _send(self, events: Sequence[Event], advance: Advance) -> int:
        """Several batches at a time; returns how many events were new."""
        starts = iter(range(0, len(events), _BATCH))

        async def work() -> int:
            inserted = 0
            for start in starts:
                batch = events[start : start + _BATCH]
                inserted += await self._send_batch(batch)
                advance(len(batch))
            return inserted

        return sum(await asyncio.gather(*(work() for _ in range(_AT_ONCE))))

    async def _send_batch(self, batch: Iterable[Event]) -> int:
        response = await self._client.post(
            "/api/cost-events/batch",
            json={"events": list(batch)},
            headers={"X-NullSpend-Key": self._ingest_key},
        )
        inserted: int = _checked(response)["inserted"]
        return inserted

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        response = await self._client.request(method, path, json=body)
        return _checked(response)["data"]


def client_for(url: str) -> httpx.AsyncClient:
    """A client of the demo that keeps cookies; loopback needs no proxy."""
    return httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)


def _checked(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        request = response.request
        raise InternalError(
            f"The demo could not set itself up: {request.method} {request.url.path} answered "
            f"{response.status_code}: {response.text[:500]}"
        )
    answer: dict[str, Any] = response.json()
    return answer
