"""Customers of a test clock, whose time is made up."""

from __future__ import annotations

import httpx
import pytest

from nullspend_margins import RevenueFact
from nullspend_margins.demo.stripe_server import StripeServer
from tests.stripe.support import FakeTime, at, make_provider, read

TEST_KEY = "rk_test_Test00000000000000000000abcd"


@pytest.mark.parametrize(
    ("environment", "names", "asked"),
    [("production", {"real"}, 2), ("staging", {"real", "clock"}, 0)],
)
async def test_what_is_taken_back_of_them_does_not_count_in_production(
    server: StripeServer,
    server_http: httpx.AsyncClient,
    time: FakeTime,
    environment: str,
    names: set[str],
    asked: int,
) -> None:
    account = server.add_account(TEST_KEY)
    for name, clock in (("real", None), ("clock", "clock_1")):
        account.add_customer(f"cus_{name}").test_clock = clock
        invoice = f"in_{name}"
        # Of before the window: nothing of it is listed but what is taken back.
        account.add_invoice(
            f"cus_{name}", 900, created=at("2025-10"), invoice_id=invoice, test_clock=clock
        )
        made = at("2026-02")
        account.add_refund(invoice, 100, created=made, id=f"re_{name}", customer_id=f"cus_{name}")
        account.add_refund(invoice, 100, created=made, id=f"re_charge_{name}")
        account.add_credit_note(invoice, 100, created=made, id=f"cn_{name}")
        account.add_dispute(invoice, 100, created=made, id=f"du_{name}")
    provider = make_provider(lambda: server_http, time, environment=environment)

    items = await read(provider, key=TEST_KEY)

    found = {one.object_id for one in items if isinstance(one, RevenueFact)}
    kinds = ("re", "re_charge", "cn", "du")
    assert found == {f"{kind}_{name}" for kind in kinds for name in names}
    customers = [one.path for one in server.requests if one.path.startswith("/v1/customers/")]
    assert len(customers) == asked
