"""Refunds, credit notes and disputes of before the window, of which no event tells any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_movements import StripeTransaction
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import (
    KEY,
    WINDOW,
    StandingClock,
    at,
    cursor,
    facts,
    read,
)
from tests.world import World, unix, world

DAY = 86_400
OLD = at("2025-10", 3)


def undo(account: StripeAccount) -> None:
    """A refund failed, another was cancelled, a note is void; others are as they were."""
    account.refunds["re_1"].status = "failed"
    account.refunds["re_2"].status = "canceled"
    account.credit_notes["cn_1"].status = "void"


def fill(account: StripeAccount) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=OLD, invoice_id="in_1")
    for number in (1, 2, 3):
        account.add_refund("in_1", 100, created=OLD + DAY, id=f"re_{number}")
    for number in (1, 2):
        account.add_credit_note("in_1", 50, created=OLD + DAY, id=f"cn_{number}")
    account.add_refund("in_1", 1, created=at("2025-12", 31), id="re_edge", status="failed")
    account.add_refund("in_1", 1, created=at("2024-12", 31), id="re_ages", status="failed")
    account.add_refund("in_1", 1, created=at("2026-01"), id="re_window", status="failed")


@pytest.mark.parametrize("how", ["weeks later", "another key", "no permission"])
async def test_they_are_told_as_nothing(
    make: Callable[..., StripeProvider],
    server: StripeServer,
    account: StripeAccount,
    clock: StandingClock,
    how: str,
) -> None:
    fill(account)
    if how == "no permission":
        server.forbid(KEY, "rak_event_read")
    first = await read(make())
    assert set(facts(first)) == {"re_edge"}
    undo(account)
    clock.moment += timedelta(days={"weeks later": 26}.get(how, 1))
    account.events.clear()

    again = None if how == "another key" else cursor(first)
    found = facts(await read(make(), replace(WINDOW, cursor=again)))

    assert {name: (fact.kind, fact.parts) for name, fact in found.items()} == {
        "re_1": ("refund", ()),
        "re_2": ("refund", ()),
        "re_edge": ("refund", ()),
        "cn_1": ("credit_note", ()),
    }


async def test_they_are_not_looked_for_as_long_as_events_tell(
    make: Callable[..., StripeProvider], account: StripeAccount, server: StripeServer
) -> None:
    fill(account)
    first = await read(make())
    undo(account)
    server.requests.clear()

    assert facts(await read(make(), replace(WINDOW, cursor=cursor(first)))) == {}
    asked = [one.path for one in server.requests]
    assert [asked.count(f"/v1/{kind}") for kind in ("refunds", "credit_notes", "disputes")] == [
        1, 1, 1,
    ]  # fmt: skip
    assert facts(await read(make(late_months=0), WINDOW)) == {}


@pytest.mark.parametrize(("months", "told"), [(12, {"du_back"}), (6, set())])
async def test_old_disputes_that_moved_money_again_are_told(
    make: Callable[..., StripeProvider], account: StripeAccount, months: int, told: set[str]
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-03"), invoice_id="in_1")
    taken = at("2025-04")
    for name, back in (("du_back", at("2026-02")), ("du_over", at("2025-11"))):
        moved = (
            StripeTransaction(id=f"{name}_1", amount=-900, created=taken),
            StripeTransaction(id=f"{name}_2", amount=900, created=back),
        )
        account.add_dispute("in_1", 900, created=taken, id=name, transactions=moved)

    found = facts(await read(make(late_months=months)))

    assert set(found) == told
    assert all(len(fact.all_parts) == 2 for fact in found.values())


async def test_a_refund_that_failed_while_no_sync_ran_is_taken_back(database_url: str) -> None:
    async with world(database_url) as here:
        here.account.add_customer("cus_1", name="Ada")
        here.account.add_invoice("cus_1", 900, created=unix(2026, 8, 5), invoice_id="in_1")
        refund = here.account.add_refund("in_1", 300, created=unix(2026, 8, 9))
        await here.connect()
        await here.map("cus_1", "ada")
        await here.sync()
        assert await net(here) == 6_000_000
        refund.status = "failed"
        here.account.events.clear()
        here.clock.advance(days=40)
        await here.sync()
        assert await net(here) == 9_000_000


async def net(here: World) -> int:
    """Of August."""
    found = await here.get("/api/margins/ada?period=2026-08&basis=net")
    return found["revenueMicrodollars"]  # type: ignore[index]
