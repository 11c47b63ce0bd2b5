"""Syncs and new keys that find the connection, the lease or the round another than at first."""

import asyncio

import httpx
import pytest

from nullspend_margins import CredentialRefused, ProviderUnavailable, RevenueGap
from tests.contract.test_alerts_of_providers import Invoices
from tests.world import World, world


class Slow(Invoices):
    """A provider without invoices, that lets the first who asks wait, and may refuse somebody."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.refused = 0
        self.failure: Exception = CredentialRefused("The key is refused.")
        self.entered, self.released = asyncio.Event(), asyncio.Event()

    async def fetch_revenue(self, secret: str, window: object):
        self.asked += 1
        turn = self.asked
        if turn == 1:
            self.entered.set()
            await self.released.wait()
        if turn == self.refused:
            raise self.failure
        yield []


async def begun(here: World, slow: Slow) -> asyncio.Task[httpx.Response]:
    """A sync of the slow provider, that is waiting for it."""
    assert (await here.call("POST", "/api/connections/other", {})).status_code == 201
    running = asyncio.create_task(here.call("POST", "/api/connections/other/sync"))
    await slow.entered.wait()
    return running


async def test_a_sync_is_dated_by_its_end(database_url: str) -> None:
    """A cron call that began meanwhile then knows that this connection has had its turn."""
    slow = Slow()
    async with world(database_url, plugins=[slow]) as here:
        running = await begun(here, slow)
        here.clock.advance(seconds=5)
        slow.released.set()
        assert (await running).status_code == 200
        shown = await here.get("/api/connections/other")
        assert shown["lastSyncAt"] == "2026-11-20T00:00:05.000Z"


async def test_who_connects_anew_during_a_sync_is_told_to_sync_again(database_url: str) -> None:
    slow = Slow()
    async with world(database_url, plugins=[slow]) as here:
        running = await begun(here, slow)
        await here.call("DELETE", "/api/connections/other")
        assert (await here.call("POST", "/api/connections/other", {})).status_code == 201
        slow.released.set()
        answer = await running
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
        assert "sync again" in answer.json()["error"]["message"]
        shown = await here.get("/api/connections/other")
        assert (shown["lastSyncAt"], shown["lastError"]) == (None, None)


@pytest.mark.parametrize("methods", [["PUT"], ["DELETE", "POST"]], ids=["replaced", "connected"])
async def test_an_old_key_that_is_refused_says_nothing_of_the_new_one(
    database_url: str, methods: list[str]
) -> None:
    slow = Slow()
    slow.refused = 1
    async with world(database_url, plugins=[slow]) as here:
        running = await begun(here, slow)
        for method in methods:
            answer = await here.call(method, "/api/connections/other", {})
            assert answer.status_code in (200, 201)
        found = await here.get("/api/connections/other")
        slow.released.set()
        assert (await running).json()["error"]["code"] == "connection_revoked"
        assert await here.get("/api/connections/other") == found
        assert found["status"] == "active"


async def test_a_sync_that_was_overtaken_leaves_what_its_successor_has_found(
    database_url: str,
) -> None:
    slow = Slow()
    slow.refused = 2
    async with world(database_url, plugins=[slow]) as here:
        running = await begun(here, slow)
        here.clock.advance(minutes=5)  # its lease runs out without a heartbeat
        successor = await here.call("POST", "/api/connections/other/sync")
        assert successor.json()["error"]["code"] == "connection_revoked"
        found = await here.get("/api/connections/other")
        assert found["status"] == "revoked"
        slow.released.set()
        assert (await running).status_code == 409
        assert await here.get("/api/connections/other") == found


@pytest.mark.parametrize("fails", [False, True], ids=["synced", "tried"])
async def test_what_one_cron_call_has_had_another_of_the_same_round_skips(
    database_url: str, fails: bool
) -> None:
    slow = Slow()
    slow.refused, slow.failure = 2 * fails, ProviderUnavailable("It does not answer.")
    async with world(database_url, plugins=[slow], cron={"concurrency": 1}) as here:
        for org in ("org_1", "org_2"):
            await here.call("POST", "/api/connections/other", {}, org=org)
        first = asyncio.create_task(here.cron())
        await slow.entered.wait()  # at org_1; it means to go on to org_2
        here.clock.advance(seconds=1)
        assert (await here.cron()).json() == {"data": {"synced": int(not fails), "errors": fails}}
        slow.released.set()
        assert (await first).json() == {"data": {"synced": 1, "errors": 0}}
        assert slow.asked == 2


class Meanwhile(Invoices):
    """A provider that knows nobody's customers, and takes its time to tell what a key may read."""

    def __init__(self) -> None:
        super().__init__(d2026_11_03=10_000)
        self.entered, self.released = asyncio.Event(), asyncio.Event()

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return False

    async def find_gaps(self, secret: str) -> list[RevenueGap]:
        self.entered.set()
        await self.released.wait()
        return []


@pytest.mark.parametrize(
    "calls",
    [[("DELETE", ""), ("POST", "")], [("POST", "/sync")]],
    ids=["connected anew", "synced first"],
)
async def test_a_new_key_is_not_taken_for_an_account_it_was_not_checked_with(
    database_url: str, calls: list[tuple[str, str]]
) -> None:
    path = "/api/connections/other"
    slow = Meanwhile()
    async with world(database_url, plugins=[slow]) as here:
        assert (await here.call("POST", path, {})).status_code == 201
        replacing = asyncio.create_task(here.call("PUT", f"{path}?include=permissions", {}))
        await slow.entered.wait()
        for method, rest in calls:
            body = None if rest else {}
            assert (await here.call(method, path + rest, body)).status_code in (200, 201)
        found = await here.get(path)
        slow.released.set()
        answer = await replacing
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
        assert await here.get(path) == found
