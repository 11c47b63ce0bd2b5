"""Calls through a real proxy are costs of the right customer, to the nanodollar."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import litellm
import pytest

from nullspend_margins.app.serving import listen, serving
from tests.litellm.proxy import CRON_SECRET, Proxy, running, written
from tests.litellm.vendor import WORDS, StallingVendor

HI: Any = [{"role": "user", "content": "Say something."}]
INPUT, OUTPUT = 2_500, 10_000
"""Nanodollars a token of gpt-4o: the prices that LiteLLM ships."""


HOST_LOGGER = """
from litellm.integrations.custom_logger import CustomLogger

logger = CustomLogger()
"""


async def chat(proxy: Proxy, customer: str = "", **extra: Any) -> int:
    """One call, and what the proxy's own header says that it costs, in nanodollars."""
    async with proxy.client(customer) as client:
        completions = client.chat.completions.with_raw_response
        answer = await completions.create(model="chat", messages=HI, **extra)
    return round(float(answer.headers["x-litellm-response-cost"]) * 1e9)


async def streamed(proxy: Proxy, customer: str) -> int:
    """One stream, read to its end, and its cost by the usage in its last chunk."""
    options: Any = {"include_usage": True}
    async with proxy.client(customer) as client:
        chunks = await client.chat.completions.create(
            model="chat", messages=HI, stream=True, stream_options=options
        )
        usages = [chunk.usage async for chunk in chunks]
    usage = usages[-1]
    assert usage is not None
    return usage.prompt_tokens * INPUT + usage.completion_tokens * OUTPUT


async def left_half_way(proxy: Proxy, customer: str) -> int:
    """One stream that the client leaves after five words, and what those cost."""
    async with proxy.client(customer) as client:
        chunks = await client.chat.completions.create(model="vendor", messages=HI, stream=True)
        seen = 0
        async for chunk in chunks:
            seen += bool(chunk.choices and chunk.choices[0].delta.content)
            if seen == len(WORDS):
                break
        await chunks.close()
    asked = litellm.token_counter(model="gpt-4o", messages=HI)
    answered = litellm.token_counter(
        model="gpt-4o", text="".join(WORDS), count_response_tokens=True
    )
    return asked * INPUT + answered * OUTPUT


async def embedded(proxy: Proxy, customer: str) -> int:
    async with proxy.client(customer) as client:
        found = await client.embeddings.create(model="embed", input="x", encoding_format="float")
    return found.usage.prompt_tokens * 20


def stored(folder: Path) -> dict[str, list[int]]:
    """Org and tag value to nanodollars of each event, from the database itself."""
    with closing(sqlite3.connect(folder / "margins.db")) as connection:
        rows = connection.execute(
            "SELECT org_id || ':' || tag_value, cost_nanodollars FROM margins_cost_events"
        ).fetchall()
    found: dict[str, list[int]] = {}
    for tag, cost in rows:
        found.setdefault(tag, []).append(cost)
    return {tag: sorted(costs) for tag, costs in found.items()}


async def test_every_kind_of_call_is_counted_once(tmp_path: Path, free_port: int) -> None:
    vendor = StallingVendor()
    async with serving(vendor.app, listen("127.0.0.1", 0)) as upstream:
        files = written(tmp_path, upstream=f"{upstream}/v1")
        async with running(files, free_port) as proxy:
            acme = [await chat(proxy, "acme", user="rival") for _ in range(3)]
            acme.append(await streamed(proxy, "acme"))
            globex = [await embedded(proxy, "globex"), await left_half_way(proxy, "globex")]
            await asyncio.wait_for(vendor.was_left.wait(), 60)
            nobody = [await chat(proxy, user="rival")]
            same_id = {"extra_headers": {"x-litellm-call-id": "always-the-same"}}
            acme += [await chat(proxy, "acme", **same_id) for _ in range(2)]

            tagged = await proxy.costs_of(8)
            assert tagged == {
                "acme": (round(sum(acme) / 1000), 6),
                "globex": (round(sum(globex) / 1000), 2),
            }
            assert stored(tmp_path) == {
                "org_1:acme": sorted(acme),
                "org_1:globex": sorted(globex),
                "org_1:": nobody,
            }
            await people_are_those_of_the_proxy(proxy)


async def people_are_those_of_the_proxy(proxy: Proxy) -> None:
    path = "/margins/api/margins"
    assert (await proxy.get(path)).status_code == 200
    for key in (None, "sk-wrong", "x" * 20_000, "a.b.c"):
        refused = await proxy.get(path, key)
        assert refused.status_code == 401
        assert refused.json()["error"]["code"] == "authentication_required"
    timer = await proxy.get("/margins/api/stripe/revenue-sync", CRON_SECRET)
    assert timer.json() == {"data": {"synced": 0, "errors": 0}}
    assert (await proxy.get("/margins/api/nothing")).json()["error"]["code"] == "not_found"
    assert (await proxy.get("/health/liveliness", None)).status_code == 200


async def test_calls_of_two_workers_that_end_at_once_are_counted_once(
    tmp_path: Path, free_port: int
) -> None:
    """The first start by the callback, the second by the hook: what was left is in the journal.

    The second proxy has a callback of its own, whose loading drops all others that there were.
    """
    files = written(tmp_path)
    async with running(files, free_port, workers=2) as proxy:
        costs = await asyncio.gather(*(chat(proxy, f"c{number % 4}") for number in range(40)))
        await proxy.terminate()
    (tmp_path / "host_logger.py").write_text(HOST_LOGGER)
    files = written(tmp_path, by_callback=False, callbacks="host_logger.logger")
    async with running(files, free_port, workers=2, by_hook=True) as proxy:
        await proxy.costs_of(40)
        costs += await asyncio.gather(*(chat(proxy, "c0") for _ in range(20)))
        tagged = await proxy.costs_of(60)
    assert {tag: calls for tag, (_, calls) in tagged.items()} == {
        "c0": 30,
        "c1": 10,
        "c2": 10,
        "c3": 10,
    }
    assert sum(cost for cost, _ in tagged.values()) * 1000 == sum(costs)


@pytest.mark.parametrize("by_hook", [False, True])
async def test_a_wrong_configuration_stops_the_start_and_says_why(
    by_hook: bool, tmp_path: Path, free_port: int
) -> None:
    files = written(tmp_path, by_callback=not by_hook, plugin={"path": "no path"})
    with pytest.raises(AssertionError, match=r"plugins\.litellm\.path: must be a path"):
        async with running(files, free_port, by_hook=by_hook):
            pass
