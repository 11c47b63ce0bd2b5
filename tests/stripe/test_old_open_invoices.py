"""Invoices of before the window that were paid in part."""

from __future__ import annotations

import pytest

from nullspend_margins import RevenueFact
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_invoices import StripePayment
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import KEY, at, read

OLD = at("2025-10", 3)


@pytest.mark.parametrize("status", ["open", "uncollectible"])
async def test_a_first_sync_finds_partial_payments_of_old_invoices_that_are_not_paid(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, status: str
) -> None:
    server.forbid(KEY, "rak_event_read")
    account.add_customer("cus_1")
    for name, paid_at in (("in_now", at("2026-02", 9)), ("in_then", OLD)):
        paid = StripePayment(id=f"inpay_{name}", amount_paid=300, created=OLD, paid_at=paid_at)
        account.add_invoice(
            "cus_1", 900, created=OLD, invoice_id=name, status=status, payments=[paid]
        )

    [fact] = [one for one in await read(provider) if isinstance(one, RevenueFact)]

    assert (fact.object_id, fact.kind) == ("in_now", "payment")
    assert [(part.bases, part.amount_minor) for part in fact.all_parts] == [(("cash", "net"), 300)]
