"""Stripe's objects as it sends them: made as JSON and read by the plugin's own decoders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from nullspend_margins import Basis, Period, RevenueFact
from nullspend_margins.domain.recognition import unconverted_cells
from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins_stripe.answers import CREDIT_NOTE, DISPUTE, INVOICE, REFUND
from nullspend_margins_stripe.objects import CreditNote, Dispute, Invoice, Refund

Json = dict[str, Any]
TAG_KEY = "nullspend_customer"


def seconds(text: str) -> int:
    """``2026-01-31`` or ``2026-01-31T12:00`` as Unix seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


CREATED = seconds("2026-01-10")


def line_json(amount: int, start: int, end: int, **fields: Any) -> Json:
    return {
        "id": f"il_{amount}_{start}",
        "object": "line_item",
        "amount": amount,
        "currency": "usd",
        "description": "1 x Pro (at $49.00 / month)",
        "period": {"start": start, "end": end},
        "pretax_credit_amounts": [],
        "taxes": [],
        **fields,
    }


def payment_json(amount: int | None, paid_at: int | None, **fields: Any) -> Json:
    return {
        "id": f"inpay_{amount}_{paid_at}",
        "object": "invoice_payment",
        "amount_paid": amount,
        "amount_requested": amount,
        "created": CREATED,
        "currency": "usd",
        "invoice": "in_1",
        "is_default": True,
        "livemode": True,
        "payment": {"payment_intent": f"pi_{amount}", "type": "payment_intent"},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": paid_at},
        **fields,
    }


def list_json(objects: Iterable[Json]) -> Json:
    return {"object": "list", "data": [*objects], "has_more": False, "url": "/v1/some"}


def invoice_body(
    *, lines: Iterable[Json] = (), payments: Iterable[Json] | None = None, **fields: Any
) -> Json:
    """A paid one of 120.00 with 20.00 of tax, unless ``fields`` say otherwise."""
    return {
        "id": "in_1",
        "object": "invoice",
        "amount_paid": 12000,
        "created": CREATED,
        "currency": "usd",
        "customer": {"id": "cus_1", "object": "customer", "metadata": {}, "name": "Acme"},
        "customer_email": None,
        "customer_name": None,
        "lines": list_json(lines),
        "livemode": True,
        "status": "paid",
        "status_transitions": {"paid_at": CREATED + 3600},
        "test_clock": None,
        "total": 12000,
        "total_excluding_tax": 10000,
        "total_taxes": [{"amount": 2000, "tax_behavior": "exclusive"}],
        **({} if payments is None else {"payments": list_json(payments)}),
        **fields,
    }


def invoice(**fields: Any) -> Invoice:
    return INVOICE.read_one(json.dumps(invoice_body(**fields)).encode())


def refund(**fields: Any) -> Refund:
    return REFUND.read_one(
        json.dumps(
            {
                "id": "re_1",
                "object": "refund",
                "amount": 6000,
                "balance_transaction": "txn_1",
                "charge": {"id": "ch_1", "object": "charge", "customer": "cus_1"},
                "created": seconds("2026-03-05"),
                "currency": "usd",
                "payment_intent": "pi_1",
                "status": "succeeded",
                **fields,
            }
        ).encode()
    )


def credit_note(**fields: Any) -> CreditNote:
    return CREDIT_NOTE.read_one(
        json.dumps(
            {
                "id": "cn_1",
                "object": "credit_note",
                "amount": 6000,
                "created": seconds("2026-03-05"),
                "currency": "usd",
                "customer": "cus_1",
                "effective_at": seconds("2026-03-31"),
                "invoice": "in_1",
                "livemode": True,
                "refunds": [],
                "status": "issued",
                "total": 6000,
                "total_excluding_tax": 5000,
                "total_taxes": [{"amount": 1000, "tax_behavior": "exclusive"}],
                **fields,
            }
        ).encode()
    )


def transaction_json(amount: int, created: int, **fields: Any) -> Json:
    return {
        "id": f"txn_{amount}",
        "object": "balance_transaction",
        "amount": amount,
        "created": created,
        "currency": "usd",
        "exchange_rate": None,
        "fee": 1500,
        **fields,
    }


def dispute(**fields: Any) -> Dispute:
    return DISPUTE.read_one(
        json.dumps(
            {
                "id": "du_1",
                "object": "dispute",
                "amount": 12000,
                "balance_transactions": [transaction_json(-12000, seconds("2026-03-05"))],
                "charge": {"id": "ch_1", "object": "charge", "customer": "cus_1"},
                "created": seconds("2026-03-04"),
                "currency": "usd",
                "livemode": True,
                "payment_intent": "pi_1",
                "status": "lost",
                **fields,
            }
        ).encode()
    )


def by_month(fact: RevenueFact | None, basis: Basis) -> Mapping[str, int]:
    """What the fact is by this basis, in its minor unit: months that have something."""
    if fact is None:
        return {}
    place = BASES.index(basis)
    cells = unconverted_cells(fact.all_parts)
    return {
        str(Period(index)): cells[index][place] for index in sorted(cells) if cells[index][place]
    }


def added_up(fact: RevenueFact | None, basis: Basis) -> int:
    return sum(by_month(fact, basis).values())
