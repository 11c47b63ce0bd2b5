"""Several processes on one database."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from contextlib import AsyncExitStack

from tests.processes.conftest import Gate, Shared
from tests.processes.servers import eventually, new_key, serve, uvicorn_workers
from tests.processes.wire import Answer, Wire, ask, wire
from tests.world import CRON_SECRET, KEY, event

EVENTS = 5_000
CONNECTIONS = 50
HANGING_SECONDS = 600
"""A slow machine is no failure; this long is no slowness."""
CRON = {"Authorization": f"Bearer {CRON_SECRET}"}


async def test_two_workers_count_five_thousand_posts_to_one_customer_exactly(
    shared: Shared,
) -> None:
    key = await new_key(shared.margins)
    numbers = iter(range(EVENTS))

    async def post(connection: Wire) -> None:
        for number in numbers:
            body = event(customer="hot", costMicrodollars=number)
            answer = await connection.request("POST", "/api/cost-events", body, key)
            assert answer.status == 201, answer.body

    async with uvicorn_workers(shared.path, 2) as server, AsyncExitStack() as connections:
        await _both_workers(server.url)
        async with asyncio.timeout(HANGING_SECONDS):
            wires = await _wires_to_both(server.url, connections)
            await asyncio.gather(*(post(each) for each in wires))
        await shared.map(server.url, "cus_1", "hot")
        detail = await shared.get(server.url, "/api/margins/hot")
        assert sum(each["cost"] for each in detail["revenueOverTime"]) == sum(range(EVENTS))


async def _wires_to_both(url: str, connections: AsyncExitStack) -> list[Wire]:
    """Connections, more than asked for where the first ones all went to one worker."""
    wires: list[Wire] = []
    workers: set[bytes] = set()
    while len(wires) < CONNECTIONS or len(workers) < 2:
        opened = await connections.enter_async_context(wire(url))
        workers.add((await opened.request("GET", "/worker")).body)
        wires.append(opened)
    return wires


async def _both_workers(url: str) -> None:
    """Wait until two workers have answered."""
    seen: set[bytes] = set()

    async def both() -> bool | None:
        with contextlib.suppress(ConnectionError):
            seen.add((await ask(url, "GET", "/worker")).body)
        return len(seen) == 2 or None

    await eventually(both, "both workers answer")


async def test_two_cron_calls_at_once_sync_each_org_exactly_once(
    shared: Shared, gate: Gate
) -> None:
    keys = {f"org_{number}": f"rk_live_{number:024d}" for number in range(1, 9)}
    async with serve(shared.path) as one, serve(shared.path) as two:
        for org, key in keys.items():
            account = shared.stripe.add_account(key)
            account.add_invoice(account.add_customer("cus_1"), 100, created=int(time.time()))
            await shared.connect(one.url, key, org=org)
        shared.stripe.requests.clear()
        alone = await shared.call(one.url, "POST", "/api/stripe/revenue-sync")
        assert alone.status == 200, alone.body
        requests_of_a_sync = len(shared.stripe.requests)
        shared.stripe.requests.clear()
        again = await shared.call(one.url, "POST", "/api/stripe/revenue-sync")
        assert again.status == 200, again.body
        requests_of_another = len(shared.stripe.requests)  # it knows how far the first one was

        shared.stripe.requests.clear()
        gate.close(b"status=paid")  # nobody gets ahead before both are at work
        calls = [
            asyncio.create_task(ask(each.url, "GET", "/api/stripe/revenue-sync", None, CRON))
            for each in (one, two)
        ]

        async def both_at_work() -> bool | None:
            # Two syncs at a time in each process: four orgs, none twice.
            return len(set(gate.waiting)) == 4 or None

        await eventually(both_at_work, "both cron calls ask Stripe")
        gate.open()
        answers: list[Answer] = await asyncio.gather(*calls)
        assert [each.status for each in answers] == [200, 200]
        assert sum(each.data["synced"] for each in answers) == len(keys)
        assert sum(each.data["errors"] for each in answers) == 0
        asked = Counter(request.key for request in shared.stripe.requests)
        first = dict.fromkeys(keys.values(), requests_of_a_sync)
        assert asked == {**first, keys["org_1"]: requests_of_another}


async def test_a_cron_call_skips_what_another_process_is_syncing(
    shared: Shared, gate: Gate
) -> None:
    account = shared.stripe.add_account(KEY)
    account.add_invoice(account.add_customer("cus_1"), 100, created=int(time.time()))
    async with serve(shared.path) as one, serve(shared.path) as two:
        await shared.connect(one.url)
        gate.close(b"status=paid")
        call = asyncio.create_task(ask(one.url, "GET", "/api/stripe/revenue-sync", None, CRON))

        async def at_work() -> bool | None:
            return bool(gate.waiting) or None

        await eventually(at_work, "the first cron call asks Stripe")
        busy = await ask(two.url, "GET", "/api/stripe/revenue-sync", None, CRON)
        assert busy.data == {"synced": 0, "errors": 0}
        manual = await shared.call(two.url, "POST", "/api/stripe/revenue-sync")
        assert (manual.status, manual.json()["error"]["code"]) == (409, "sync_in_progress")
        gate.open()
        assert (await call).data == {"synced": 1, "errors": 0}
