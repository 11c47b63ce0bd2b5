"""Processes that are killed in the middle of their work."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.processes.conftest import Gate, Shared
from tests.processes.servers import Server, eventually, new_key, serve
from tests.processes.wire import Answer, wire
from tests.world import KEY, event

CLIENTS = 8
ROUNDS = 3
ACKNOWLEDGED_BEFORE_A_KILL = 150
SYNC = "/api/stripe/revenue-sync"


@dataclass
class Clients:
    """Clients that report events: what they sent, and the ids they were told."""

    key: str
    sent: set[int] = field(default_factory=set)
    acknowledged: dict[int, str] = field(default_factory=dict)

    async def post(self, url: str, numbers: Iterable[int], enough: Callable[[int], object]) -> None:
        """Post until the server is gone, or everything is posted; tell ``enough`` how many."""
        async with wire(url) as connection:
            for number in numbers:
                self.sent.add(number)
                body = event(
                    customer="hot", costMicrodollars=1 + number, idempotencyKey=f"key-{number}"
                )
                answer = await connection.request("POST", "/api/cost-events", body, self.key)
                known = self.acknowledged.setdefault(number, answer.data["id"])
                assert known == answer.data["id"]
                enough(len(self.acknowledged))

    async def post_until_killed(self, shared: Shared, numbers: Iterator[int], target: int) -> None:
        """Many at once, against a server that is killed when ``target`` events are stored."""
        reached = asyncio.Event()
        async with serve(shared.path) as server:
            posting = [
                asyncio.create_task(
                    self.post(server.url, numbers, lambda n: n >= target and reached.set())
                )
                for _ in range(CLIENTS)
            ]
            await asyncio.wait_for(reached.wait(), 60)
            await server.kill()
            outcomes = await asyncio.gather(*posting, return_exceptions=True)
        assert all(isinstance(each, ConnectionError) for each in outcomes), outcomes


async def test_what_was_acknowledged_before_a_kill_counts_exactly_once(shared: Shared) -> None:
    clients = Clients(await new_key(shared.margins))
    for number in range(1, ROUNDS + 1):
        fresh = iter(range(number * 100_000, (number + 1) * 100_000))
        await clients.post_until_killed(shared, fresh, number * ACKNOWLEDGED_BEFORE_A_KILL)
    async with serve(shared.path) as server:
        await shared.map(server.url, "cus_1", "hot")
        certain = sum(1 + number for number in clients.acknowledged)
        possible = sum(1 + number for number in clients.sent)
        assert certain <= await shared.spent(server.url, "hot") <= possible
        before = dict(clients.acknowledged)
        # The same keys: the same ids for the known ones.
        await clients.post(server.url, sorted(clients.sent), lambda _: None)
        assert before.items() <= clients.acknowledged.items()
        assert await shared.spent(server.url, "hot") == possible


async def test_a_sync_killed_half_way_leaves_the_last_good_numbers_and_can_be_done_again(
    shared: Shared, gate: Gate
) -> None:
    now = int(time.time())
    account = shared.stripe.add_account(KEY)
    account.add_invoice(account.add_customer("cus_1", name="One"), 10_000, created=now)
    async with serve(shared.path) as other:
        async with serve(shared.path) as server:
            await shared.connect(server.url)
            await shared.map(server.url, "cus_1", "one")
            assert (await shared.call(server.url, "POST", SYNC)).status == 200
            good = await numbers(shared, server.url)
            for _ in range(150):  # two pages
                account.add_invoice("cus_1", 100, created=now)
            account.add_invoice(account.add_customer("cus_2", name="Two"), 5_000, created=now)
            await killed_at_the_second_page(shared, gate, server)
        assert await numbers(shared, other.url) == good
        refused = await shared.call(other.url, "POST", SYNC)
        assert (refused.status, refused.json()["error"]["code"]) == (409, "sync_in_progress")
        async with serve(shared.path) as restarted:
            assert await numbers(shared, restarted.url) == good
            await synced_as_if_for_the_first_time(shared, restarted)
            result = await numbers(shared, restarted.url)
            assert result == await numbers(shared, restarted.url, org="org_2") != good
            assert result[0]["customers"][0]["revenueMicrodollars"] == 250_000_000


async def killed_at_the_second_page(shared: Shared, gate: Gate, server: Server) -> None:
    """Ask for a sync, and kill the server in the middle of it."""
    gate.close(b"starting_after")
    asking = asyncio.create_task(shared.call(server.url, "POST", SYNC))

    async def at_the_second_page() -> bool | None:
        return bool(gate.waiting) or None

    await eventually(at_the_second_page, "the sync asks for its second page")
    await server.kill()
    with contextlib.suppress(ConnectionError):
        raise AssertionError(f"answered by a dead process: {await asking}")
    gate.open()


async def synced_as_if_for_the_first_time(shared: Shared, server: Server) -> None:
    """Sync the org when its lease is free, and another org that has the same account."""

    async def synced() -> Answer | None:
        answer = await shared.call(server.url, "POST", SYNC)
        return None if answer.status == 409 else answer

    again = (await eventually(synced, "the dead process's lease runs out")).data
    assert (again["customersProcessed"], again["invoicesFetched"]) == (2, 152)
    await shared.connect(server.url, org="org_2")
    await shared.map(server.url, "cus_1", "one", org="org_2")
    fresh = (await shared.call(server.url, "POST", SYNC, org="org_2")).data
    for name in ("customersProcessed", "invoicesFetched", "periodsUpdated"):
        assert fresh[name] == again[name]


async def numbers(shared: Shared, url: str, org: str = "org_1") -> list[Any]:
    """All that a sync changes, as it is shown."""
    table = await shared.get(url, "/api/margins", org=org)
    table["summary"].pop("lastSyncAt")
    return [
        table,
        await shared.get(url, "/api/margins/one", org=org),
        await shared.get(url, "/api/margins/unmatched", org=org),
    ]
