"""What a key may not read beyond customers and invoices."""

from __future__ import annotations

from itertools import product

import httpx
import pytest

from nullspend_margins import (
    CredentialRefused,
    PermissionMissing,
    ProviderUnavailable,
    RevenueCursor,
    RevenueFact,
    RevenueGap,
)
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import READ_ALL, READ_NEEDED, StripeServer
from nullspend_margins_stripe.permissions import ALL
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import KEY, WINDOW, FakeTime, at, make_provider, read

LOSSES = {
    "rak_charge_read": ("net", "accrual"),
    "rak_credit_note_read": ("accrual",),
    "rak_dispute_read": ("net",),
    "rak_event_read": ("cash", "net", "accrual"),
}
LISTS = {
    "/v1/refunds": "rak_charge_read",
    "/v1/credit_notes": "rak_credit_note_read",
    "/v1/disputes": "rak_dispute_read",
    "/v1/events": "rak_event_read",
}


@pytest.fixture
def filled(account: StripeAccount) -> StripeAccount:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2026-02"), invoice_id="in_1")
    account.add_refund("in_1", 100, created=at("2026-02"), id="re_1")
    account.add_credit_note("in_1", 100, created=at("2026-02"), id="cn_1")
    account.add_dispute("in_1", 100, created=at("2026-02"), id="du_1")
    return account


@pytest.mark.parametrize("permission", LOSSES)
async def test_a_missing_permission_is_a_gap_and_the_rest_is_told(
    provider: StripeProvider, server: StripeServer, filled: StripeAccount, permission: str
) -> None:
    server.forbid(KEY, permission)

    items = await read(provider)

    [gap] = [one for one in items if isinstance(one, RevenueGap)]
    assert gap.permission == permission
    assert set(gap.bases) == set(LOSSES[permission])
    assert gap.detail.endswith(".")
    facts = {one.object_id: one for one in items if isinstance(one, RevenueFact)}
    lost = {
        "rak_charge_read": {"re_1"},
        "rak_credit_note_read": {"cn_1"},
        "rak_dispute_read": {"du_1"},
        "rak_event_read": set(),
    }[permission]
    assert set(facts) == {"in_1", "re_1", "cn_1", "du_1"} - lost
    assert isinstance(items[-1], RevenueCursor)
    assert [each.permission for each in await provider.find_gaps(KEY)] == [permission]


async def test_without_charges_disputes_are_of_nobody_and_the_gap_says_so(
    provider: StripeProvider, server: StripeServer, filled: StripeAccount
) -> None:
    server.forbid(KEY, "rak_charge_read")

    items = await read(provider)

    [dispute] = [one for one in items if isinstance(one, RevenueFact) and one.object_id == "du_1"]
    [gap] = [one for one in items if isinstance(one, RevenueGap)]
    assert dispute.customer_id is None
    assert "Refunds cannot be read" in gap.detail
    assert "disputes are of no customer" in gap.detail


@pytest.mark.parametrize(
    ("path", "status"), [*product(LISTS, [404]), *product(["/v1/events"], [400, 405])]
)
async def test_a_list_that_is_not_known_is_a_gap(
    provider: StripeProvider, server: StripeServer, filled: StripeAccount, path: str, status: int
) -> None:
    server.faults.fail(status, times=1000, path=path, body=b"Not Found")

    gaps = [one for one in await read(provider) if isinstance(one, RevenueGap)]

    assert [gap.permission for gap in gaps] == [LISTS[path]]
    assert await provider.find_gaps(KEY) == gaps


async def test_a_refund_of_nobody_counts_for_nobody_where_payments_are_not_known(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    account.add_invoice(None, 900, created=at("2026-02"), invoice_id="in_1")
    account.add_refund("in_1", 100, created=at("2026-02"), id="re_1")
    server.faults.fail(404, times=1000, path="/v1/invoice_payments")

    facts = {one.object_id: one for one in await read(provider) if isinstance(one, RevenueFact)}

    assert set(facts) == {"in_1", "re_1"}
    assert facts["re_1"].customer_id is None


async def test_a_bare_key_has_every_gap_and_knows_them_before_a_sync(
    provider: StripeProvider, server: StripeServer, filled: StripeAccount
) -> None:
    server.keys[KEY].permissions = set(READ_NEEDED)

    gaps = await provider.find_gaps(KEY)

    assert [gap.permission for gap in gaps] == sorted(LOSSES)
    told = [one for one in await read(provider) if isinstance(one, RevenueGap)]
    assert [gap.permission for gap in told] == sorted(LOSSES)


async def test_a_key_that_may_read_all_has_no_gap(
    provider: StripeProvider, filled: StripeAccount
) -> None:
    assert await provider.find_gaps(KEY) == []
    assert not [one for one in await read(provider) if isinstance(one, RevenueGap)]


@pytest.mark.parametrize(
    ("key", "begins"),
    [
        (KEY, "https://dashboard.stripe.com/apikeys/create?name=NullSpend%20Margins&"),
        (
            "rk_test_0123456789abcdef",
            "https://dashboard.stripe.com/test/apikeys/create?name=NullSpend%20Margins&",
        ),
    ],
)
async def test_the_remedy_is_a_form_that_has_every_permission_ticked(
    provider: StripeProvider, server: StripeServer, key: str, begins: str
) -> None:
    server.add_account(key, permissions=READ_NEEDED)

    urls = {gap.remedy_url for gap in await provider.find_gaps(key)}

    [url] = urls
    assert url is not None
    assert url.startswith(begins)
    assert url.partition(begins)[2].split("&") == [f"permissions[]={each}" for each in ALL]
    assert set(ALL) == READ_ALL


async def test_find_gaps_raises_what_is_wrong_with_the_key_itself(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    server.revoke(KEY)

    with pytest.raises(CredentialRefused):
        await provider.find_gaps(KEY)


@pytest.mark.parametrize("path", LISTS)
async def test_a_401_of_any_list_ends_the_sync(
    provider: StripeProvider, server: StripeServer, filled: StripeAccount, path: str
) -> None:
    server.faults.fail(401, times=1000, path=path)

    with pytest.raises(CredentialRefused):
        await read(provider)


@pytest.mark.parametrize("permission", sorted(READ_NEEDED))
async def test_what_is_needed_is_no_gap(
    provider: StripeProvider, server: StripeServer, filled: StripeAccount, permission: str
) -> None:
    server.forbid(KEY, permission)

    with pytest.raises(PermissionMissing):
        await read(provider)


async def test_a_permission_that_an_event_needs_is_a_gap_too(
    server_http: httpx.AsyncClient, time: FakeTime, server: StripeServer, account: StripeAccount
) -> None:
    account.add_invoice("cus_1", 9, created=at("2025-11"), invoice_id="in_1")
    note = account.add_credit_note("in_1", 1, created=at("2025-11"), id="cn_1")
    provider = make_provider(lambda: server_http, time)
    first = await read(provider)
    account.add_event(
        "credit_note.updated", note.render(livemode=True), created=int(at("2026-04", 15)) + 43_200
    )
    server.forbid(KEY, "rak_credit_note_read")
    [cursor] = [one.text for one in first if isinstance(one, RevenueCursor)]

    window = type(WINDOW)(WINDOW.first, WINDOW.last, cursor=cursor)
    gaps = [one for one in await read(provider, window) if isinstance(one, RevenueGap)]

    assert [gap.permission for gap in gaps] == ["rak_credit_note_read"]
    assert any(seen.path == "/v1/credit_notes/cn_1" for seen in server.requests)


@pytest.mark.parametrize("status", [400, 404, 405])
async def test_a_list_that_is_unknown_from_its_second_page_on_is_a_failure(
    server_http: httpx.AsyncClient,
    time: FakeTime,
    server: StripeServer,
    filled: StripeAccount,
    status: int,
) -> None:
    """What is missing of it would be taken to be gone."""
    filled.add_refund("in_1", 100, created=at("2026-02"), id="re_2")
    server.faults.fail(status, times=1000, skip=1, path="/v1/refunds")

    with pytest.raises(ProviderUnavailable):
        await read(make_provider(lambda: server_http, time, page_size=1))
