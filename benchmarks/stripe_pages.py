"""A Stripe-shaped server in a process of its own: pages of invoices, rendered before it starts.

    python -m benchmarks.stripe_pages '{"invoices": 100000, "certificate": "server.pem"}'

It answers over TLS, as Stripe does, and without. It does nothing but look a page up and send it,
so that it is not what is measured. The invoices are those of the demo's Stripe, about 5.5 KB each
with two lines, a payment and the customer expanded, in equal parts over the four months that a sync
reads, newest first. Every other list is empty.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope, Send

from benchmarks.children import answer, arguments, until_parent_ends
from nullspend_margins.app.serving import listen, serving
from nullspend_margins.demo.stripe_invoices import MONTH_SECONDS, StripeInvoice, StripeLine
from nullspend_margins.demo.stripe_objects import StripeCustomer
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import RevenueWindow

NOW = datetime(2026, 11, 20, tzinfo=UTC)
WINDOW = RevenueWindow.ending(NOW)
CUSTOMERS = 5_000
PAGE_SIZE = 100
CENTS = 4_900
"""What every invoice pays."""

_EMPTY = b'{"object":"list","data":[],"has_more":false,"url":"/v1/customers"}'
_HEADERS = [(b"content-type", b"application/json"), (b"request-id", b"req_benchmark")]


@dataclass(slots=True)
class Pages:
    """Pages by the month they begin (Unix seconds) and the invoice they follow."""

    bodies: dict[tuple[int, str | None], bytes] = field(default_factory=dict)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Serve the page that the query names."""
        asked = dict(parse_qsl(scope["query_string"].decode()))
        first = int(asked.get("created[gte]", 0))
        is_paid = scope["path"] == "/v1/invoices" and asked.get("status") == "paid"
        body = self.bodies.get((first, asked.get("starting_after")), _EMPTY) if is_paid else _EMPTY
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, length]})
        await send({"type": "http.response.body", "body": body})


def rendered(invoices: int) -> Pages:
    """Pages of so many invoices; at least one in each month."""
    pages = Pages()
    for nth, period in enumerate(WINDOW.periods):
        months = len(WINDOW.periods)
        mine = range(nth * invoices // months, (nth + 1) * invoices // months)
        after: str | None = None
        for start in range(mine.start, mine.stop, PAGE_SIZE):
            numbers = range(start, min(start + PAGE_SIZE, mine.stop))
            invoices_of_page = [_invoice(each, period, each - mine.start) for each in numbers]
            page = {
                "object": "list",
                "data": invoices_of_page,
                "has_more": numbers.stop < mine.stop,
                "url": "/v1/invoices",
            }
            pages.bodies[int(period.start.timestamp()), after] = msgspec.json.encode(page)
            after = str(invoices_of_page[-1]["id"])
    return pages


def _invoice(number: int, period: Period, place: int) -> dict[str, object]:
    customer = StripeCustomer(
        id=f"cus_{number % CUSTOMERS:014d}",
        created=int(WINDOW.first.start.timestamp()),
        name=f"Customer {number % CUSTOMERS}",
        email=f"billing@customer-{number % CUSTOMERS}.example",
        metadata={"nullspend_customer": f"customer-{number % CUSTOMERS}"},
    )
    created = int(period.start.timestamp()) + 1_700_000 - place
    half = CENTS // 2
    lines = [
        StripeLine(
            id=f"il_{number:018d}{part}", amount=half, start=created, end=created + MONTH_SECONDS
        )
        for part in "ab"
    ]
    invoice = StripeInvoice(
        id=f"in_1Bench{number:018d}",
        customer_id=customer.id,
        created=created,
        amount=CENTS,
        amount_paid=CENTS,
        customer_name=customer.name,
        customer_email=customer.email,
        lines=lines,
    )
    body = invoice.render(customer.render(livemode=True), livemode=True)
    body["payments"] = invoice.render_payments(livemode=True)
    return body


async def main() -> None:
    """Serve until the parent ends."""
    given = arguments()
    pages = rendered(given["invoices"])
    async with (
        serving(pages, listen("127.0.0.1", 0)) as plain,
        serving(pages, listen("127.0.0.1", 0), given["certificate"]) as url,
    ):
        sizes = [len(body) for body in pages.bodies.values()]
        answer({"url": url, "plain": plain, "pages": len(sizes), "bytes": sum(sizes)})
        await until_parent_ends()


if __name__ == "__main__":
    asyncio.run(main())
