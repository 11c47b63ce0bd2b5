"""What a revenue sync does to the numbers, and what its failures do not."""

import asyncio

import pytest

from nullspend_margins import ProviderUnavailable
from tests.contract.test_alerts_of_providers import Invoices
from tests.world import KEY, World, unix, world


async def company(here: World) -> None:
    """Two customers over the window, and things that do not count."""
    here.account.add_customer("cus_1", name="One")
    here.account.add_customer("cus_2", name="Two")
    add = here.account.add_invoice
    add("cus_1", 1_000, created=unix(2026, 11, 1, 0), invoice_id="in_now")
    add("cus_1", 2_000, created=unix(2026, 10, 31, 23), invoice_id="in_before")
    add("cus_1", 500, created=unix(2026, 10, 2), invoice_id="in_second")
    add("cus_2", 4_000, created=unix(2026, 8, 1, 0), invoice_id="in_first_day")
    add("cus_2", 9_999, created=unix(2026, 7, 31, 23), invoice_id="in_outside")
    add("cus_2", 700, created=unix(2026, 9, 5), currency="eur", invoice_id="in_eur")
    add("cus_2", 700, created=unix(2026, 9, 6), currency="eur", invoice_id="in_eur2")
    add(None, 300, created=unix(2026, 9, 7), invoice_id="in_nobody")
    add("cus_1", 800, created=unix(2026, 9, 8), status="open", invoice_id="in_open")
    await here.connect()


async def test_the_report_says_what_was_fetched_counted_and_skipped(here: World) -> None:
    await company(here)
    report = await here.sync()
    assert report.pop("durationMs") >= 0
    assert report == {
        "orgId": "org_1",
        "customersProcessed": 2,
        "periodsUpdated": 3,
        "autoMatchesCreated": 0,
        "invoicesFetched": 7,
        "invoicesSkipped": 3,
        "skippedCurrencies": {"eur": 2},
    }
    summary = (await here.get("/api/margins"))["summary"]
    assert summary["skippedCurrencies"] == {"eur": 2}


async def test_a_second_sync_changes_nothing(here: World) -> None:
    await company(here)
    first = await here.sync()
    before = await everything(here)
    second = await here.sync()
    first.pop("durationMs"), second.pop("durationMs")
    assert first == second
    assert await everything(here) == before


async def everything(here: World) -> list[object]:
    await here.map("cus_1", "one")
    await here.map("cus_2", "two")
    return [
        await here.get(f"/api/margins?period=2026-{month:02d}") for month in (7, 8, 9, 10, 11)
    ] + [await here.get("/api/margins/unmatched")]


async def test_what_stripe_no_longer_says_is_corrected(here: World) -> None:
    await company(here)
    await here.sync()
    here.account.change_invoice("in_now", status="void", amount_paid=0)
    here.account.remove_invoice("in_first_day")
    here.account.change_invoice("in_second", amount_paid=600)
    report = await here.sync()
    assert (report["customersProcessed"], report["periodsUpdated"]) == (1, 1)
    await here.map("cus_1", "one")
    detail = await here.get("/api/margins/one")
    assert [month["revenue"] for month in detail["revenueOverTime"]] == [0, 26_000_000, 0]
    unmatched = await here.get("/api/margins/unmatched")
    assert unmatched["unmatchedStripeCustomers"] == []


async def test_months_that_left_the_window_keep_their_revenue(here: World) -> None:
    await company(here)
    await here.sync()
    here.clock.advance(days=31)
    here.account.remove_invoice("in_first_day")
    await here.sync()
    await here.map("cus_2", "two")
    august = await here.get("/api/margins/two?period=2026-08")
    assert august["revenueMicrodollars"] == 40_000_000


async def test_a_deleted_customers_revenue_still_counts(here: World) -> None:
    await company(here)
    here.account.delete_customer("cus_1")
    assert (await here.sync())["customersProcessed"] == 2
    await here.map("cus_1", "one")
    assert (await here.get("/api/margins/one"))["customerName"] == "One"


@pytest.mark.parametrize("status", [500, 429, 502])
async def test_a_sync_that_fails_half_way_leaves_the_last_good_numbers(
    here: World, status: int
) -> None:
    await company(here)
    await here.sync()
    before = await everything(here)
    here.account.add_invoice("cus_1", 77_777, created=unix(2026, 11, 2))
    here.stripe.faults.fail(status, times=1000, skip=2, path="/v1/invoices")
    answer = await here.call("GET", "/api/stripe/revenue-sync")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_unavailable")
    assert await everything(here) == before
    shown = await here.get("/api/stripe/connect")
    assert shown["status"] == "active"
    assert shown["lastError"]


class Failing(Invoices):
    """A provider that raises something."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure

    async def fetch_revenue(self, secret: str, window: object):
        raise self.failure
        yield


async def failed_with(database_url: str, failure: Exception) -> tuple[dict, dict]:
    """The error that who asks gets, and the connection afterwards."""
    async with world(database_url, plugins=[Failing(failure)]) as here:
        await here.call("POST", "/api/connections/other", {})
        answer = await here.call("POST", "/api/connections/other/sync")
        return answer.json()["error"], await here.get("/api/connections/other")


async def test_a_providers_words_are_kept_as_one_line_of_text(database_url: str) -> None:
    failure = ProviderUnavailable("The books\n\tare\x00 closed.")
    error, shown = await failed_with(database_url, failure)
    assert error["code"] == "provider_unavailable"
    assert shown["lastError"] == "The books are closed."


async def test_a_defects_words_are_for_the_log_alone(database_url: str) -> None:
    error, shown = await failed_with(database_url, RuntimeError("the key is rk_live_secret"))
    assert error["code"] == "internal_error"
    assert shown["status"] == "active"
    assert "secret" not in f"{error} {shown}"
    assert "log" in shown["lastError"]


async def test_a_good_sync_clears_the_last_error(here: World) -> None:
    await company(here)
    here.stripe.faults.fail(500, times=1000)
    await here.call("GET", "/api/stripe/revenue-sync")
    here.stripe.faults.clear()
    await here.sync()
    assert (await here.get("/api/stripe/connect"))["lastError"] is None


async def test_a_revoked_key_stops_cron_until_it_is_replaced(here: World) -> None:
    await company(here)
    here.stripe.revoke(KEY)
    answer = await here.call("GET", "/api/stripe/revenue-sync")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "connection_revoked")
    assert (await here.get("/api/stripe/connect"))["status"] == "revoked"
    assert (await here.get("/api/margins"))["summary"]["syncStatus"] == "revoked"
    seen = here.stripe.request_count
    assert (await here.cron()).json() == {"data": {"synced": 0, "errors": 0}}
    again = await here.call("GET", "/api/stripe/revenue-sync")
    assert again.json()["error"]["code"] == "connection_revoked"
    assert here.stripe.request_count == seen
    here.stripe.grant("rk_live_another0another0another", here.account)
    await here.call("PUT", "/api/stripe/connect", {"stripeKey": "rk_live_another0another0another"})
    assert (await here.cron()).json() == {"data": {"synced": 1, "errors": 0}}


async def test_a_missing_permission_is_named_and_leaves_the_connection_active(
    here: World,
) -> None:
    await company(here)
    here.stripe.forbid(KEY, "rak_invoice_read")
    answer = await here.call("GET", "/api/stripe/revenue-sync")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "permission_missing")
    shown = await here.get("/api/stripe/connect")
    assert shown["status"] == "active"
    assert "rak_invoice_read" in shown["lastError"]


async def test_no_connection_is_not_found(here: World) -> None:
    answer = await here.call("GET", "/api/stripe/revenue-sync")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_second_sync_of_the_same_org_is_turned_away(here: World) -> None:
    await company(here)
    hold = here.stripe.faults.hold("/v1/invoices")
    first = asyncio.create_task(here.call("GET", "/api/stripe/revenue-sync"))
    await hold.entered.wait()
    second = await here.call("GET", "/api/stripe/revenue-sync")
    assert (second.status_code, second.json()["error"]["code"]) == (409, "sync_in_progress")
    assert (await here.cron()).json() == {"data": {"synced": 0, "errors": 0}}
    hold.release()
    assert (await first).status_code == 200


async def test_a_sync_outlives_the_client_that_asked_for_it(here: World) -> None:
    await company(here)
    hold = here.stripe.faults.hold("/v1/invoices")
    caller = asyncio.create_task(here.call("GET", "/api/stripe/revenue-sync"))
    await hold.entered.wait()
    caller.cancel()
    await asyncio.wait([caller])
    second = await here.call("GET", "/api/stripe/revenue-sync")
    assert second.json()["error"]["code"] == "sync_in_progress"
    hold.release()
    await until(here, lambda shown: shown["lastSyncAt"])


async def until(here: World, reached: object) -> dict:
    for _ in range(500):
        shown = await here.get("/api/stripe/connect")
        if reached(shown):
            return shown
        await asyncio.sleep(0.01)
    raise AssertionError(shown)


async def test_disconnecting_during_a_sync_brings_nothing_back(here: World) -> None:
    await company(here)
    hold = here.stripe.faults.hold("/v1/invoices")
    running = asyncio.create_task(here.call("GET", "/api/stripe/revenue-sync"))
    await hold.entered.wait()
    assert (await here.call("DELETE", "/api/stripe/disconnect")).status_code == 200
    hold.release()
    assert (await running).status_code == 404
    unmatched = await here.get("/api/margins/unmatched")
    assert unmatched["unmatchedStripeCustomers"] == []


async def test_cron_syncs_every_org_and_one_failure_stops_no_other(here: World) -> None:
    await company(here)
    bad = "rk_live_bad0bad0bad0bad0bad0bad0"
    here.stripe.add_account(bad)
    await here.connect(bad, org="org_2")
    here.stripe.revoke(bad)
    answer = await here.cron()
    assert (answer.status_code, answer.json()) == (200, {"data": {"synced": 1, "errors": 1}})
    assert "org" not in answer.text
    assert (await here.get("/api/stripe/connect", org="org_2"))["status"] == "revoked"


async def test_cron_skips_an_org_whose_plan_no_longer_qualifies(database_url: str) -> None:
    async with world(database_url) as before:
        await company(before)
    async with world(database_url, plans={"orgs": {"org_1": "free"}}) as after:
        assert (await after.cron()).json() == {"data": {"synced": 0, "errors": 0}}
        assert after.stripe.request_count == 0


async def test_post_and_get_both_sync(here: World) -> None:
    await company(here)
    assert (await here.call("POST", "/api/stripe/revenue-sync")).status_code == 200
    posted = await here.http.post(
        "/api/stripe/revenue-sync",
        headers={"Authorization": "Bearer cron-secret-of-the-tests-0123456789"},
    )
    assert posted.json() == {"data": {"synced": 1, "errors": 0}}


async def test_a_key_that_cannot_be_read_any_more_says_so(database_url: str) -> None:
    import base64

    async with world(database_url) as before:
        await company(before)
    other = base64.b64encode(b"x" * 32).decode()
    async with world(database_url, encryption={"keys": [other]}) as after:
        answer = await after.call("GET", "/api/stripe/revenue-sync")
        assert answer.json()["error"]["code"] == "connection_revoked"
        assert (await after.get("/api/stripe/connect"))["status"] == "error"


async def test_a_sync_brings_the_key_under_the_first_encryption_key(database_url: str) -> None:
    import base64

    from tests.world import ENCRYPTION_KEY

    new = base64.b64encode(b"n" * 32).decode()
    async with world(database_url) as before:
        await company(before)
    async with world(database_url, encryption={"keys": [new, ENCRYPTION_KEY]}) as rotating:
        rotating.stripe.grant(KEY, rotating.account)
        await rotating.sync()
    async with world(database_url, encryption={"keys": [new]}) as after:
        await after.sync()
        assert (await after.get("/api/stripe/connect"))["status"] == "active"
