"""The rates at which Stripe converted, as a sync reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from nullspend_margins import ExchangeRate, RevenueFact, RevenueGap
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_invoices import StripePayment
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import KEY, WINDOW, at, fetch, read

CONVERTING = replace(WINDOW, converts=True)
RATE = ExchangeRate(value=Decimal("1.0837"), source="stripe", on=date(2026, 2, 2))


@pytest.fixture
def euros(account: StripeAccount) -> StripeAccount:
    """An invoice in euros, with a refund and a credit note."""
    account.exchange_rates["eur"] = "1.0837"
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 100, created=at("2026-02", 2), invoice_id="in_eur", currency="eur")
    account.add_refund("in_eur", 10, created=at("2026-02", 2), id="re_eur")
    account.add_credit_note("in_eur", 20, created=at("2026-02", 2), id="cn_eur")
    return account


def rates_in(facts: list[RevenueFact]) -> dict[str, set[ExchangeRate | None]]:
    return {fact.object_id: {part.rate for part in fact.all_parts} for fact in facts}


async def test_every_part_has_the_rate_of_its_money(
    provider: StripeProvider, euros: StripeAccount
) -> None:
    facts = await fetch(provider, CONVERTING)

    assert rates_in(facts) == {"in_eur": {RATE}, "re_eur": {RATE}, "cn_eur": {RATE}}


async def test_charges_are_listed_once_and_only_where_they_are_of_use(
    provider: StripeProvider, server: StripeServer, euros: StripeAccount
) -> None:
    def listed() -> int:
        count = sum(seen.path == "/v1/charges" for seen in server.requests)
        server.requests.clear()
        return count

    assert rates_in(await fetch(provider))["in_eur"] == {None}
    assert listed() == 0
    for month in ("2026-01", "2026-03", "2026-04"):
        euros.add_invoice("cus_1", 100, created=at(month), currency="eur")
    await fetch(provider, CONVERTING)
    assert listed() == 1
    euros.invoices.clear()
    euros.add_invoice("cus_1", 100, created=at("2026-02"))
    euros.credit_notes.clear()
    await fetch(provider, CONVERTING)
    assert listed() == 0


async def test_a_payment_of_before_the_window_has_its_rate_too(
    provider: StripeProvider, euros: StripeAccount
) -> None:
    moments = (at("2025-11", 3), at("2026-03", 3))
    payments = [
        StripePayment(id=f"inpay_{moment}", amount_paid=50, created=moment, paid_at=moment)
        for moment in moments
    ]
    euros.add_invoice(
        "cus_1",
        100,
        created=moments[0],
        paid_at=moments[1],
        payments=payments,
        invoice_id="in_late",
        currency="eur",
    )

    found = rates_in(await fetch(provider, CONVERTING))["in_late"]

    assert {rate.on for rate in found if rate} == {date(2025, 11, 3), date(2026, 3, 3)}


@pytest.mark.parametrize("told", ["0.67", "0.0067"])
async def test_yen_are_worth_what_the_amounts_say_whatever_units_their_rate_is_of(
    provider: StripeProvider,
    account: StripeAccount,
    monkeypatch: pytest.MonkeyPatch,
    told: str,
) -> None:
    account.exchange_rates["jpy"] = "0.67"
    whole = account.transaction_of
    monkeypatch.setattr(
        account, "transaction_of", lambda *moved: replace(whole(*moved), exchange_rate=told)
    )
    account.add_customer("cus_1")
    account.add_invoice(
        "cus_1", 10_000, created=at("2026-02", 2), invoice_id="in_yen", currency="jpy"
    )

    [rates] = rates_in(await fetch(provider, CONVERTING)).values()

    assert {rate.value for rate in rates if rate} == {Decimal("0.0067")}


@pytest.mark.parametrize("permission", ["rak_balance_transaction_source_read", "rak_charge_read"])
async def test_rates_that_may_not_be_read_are_a_gap(
    provider: StripeProvider, server: StripeServer, euros: StripeAccount, permission: str
) -> None:
    server.forbid(KEY, permission)

    items = await read(provider, CONVERTING)

    facts = [one for one in items if isinstance(one, RevenueFact)]
    assert rates_in(facts)["in_eur"] == {None}
    assert ("re_eur" in rates_in(facts)) is (permission != "rak_charge_read")
    [gap] = [one for one in items if isinstance(one, RevenueGap)]
    assert gap.permission == permission
    assert set(gap.bases) == {"invoiced", "cash", "net", "accrual"}
    assert "exchange rates" in gap.detail
    without = [one for one in await read(provider) if isinstance(one, RevenueGap)]
    assert len(without) == (permission == "rak_charge_read")
