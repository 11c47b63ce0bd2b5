"""The official SDK, as it comes from PyPI, against a served instance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from nullspend import AsyncNullSpend, CostBreakdown, CostEventInput, CostReportingConfig, NullSpend
from nullspend.errors import NullSpendError

from tests.processes.conftest import Shared
from tests.processes.servers import COMMAND, Server, run, serve
from tests.world import ORG


@pytest.fixture
async def server(shared: Shared) -> AsyncIterator[Server]:
    """The product on each database, with the customer ``acme`` in it."""
    async with serve(shared.path) as server:
        await shared.map(server.url, "cus_1", "acme")
        yield server


async def api_key(shared: Shared) -> str:
    """A key as an operator makes it, beside the running server."""
    key = await run(*COMMAND, "keys", "create", "--config", str(shared.path), "--org", ORG)
    assert key.startswith("ns_live_sk_")
    return key


def cost(microdollars: int, **more: object) -> CostEventInput:
    return CostEventInput(
        provider="openai",
        model="gpt-4o",
        input_tokens=1200,
        output_tokens=350,
        cost_microdollars=microdollars,
        customer="acme",
        **more,  # type: ignore[arg-type]
    )


async def test_everything_the_sdk_reports_adds_up_exactly(shared: Shared, server: Server) -> None:
    key = await api_key(shared)
    dropped: list[object] = []
    reporting = CostReportingConfig(
        batch_size=7, on_flush_error=lambda error, _events: dropped.append(error)
    )

    def report() -> None:
        with NullSpend(base_url=server.url, api_key=key, cost_reporting=reporting) as sdk:
            single = sdk.report_cost(cost(1, tags={"team": "a"}, session_id="s", event_type="llm"))
            assert set(single["data"]) == {"id", "createdAt"}
            full = cost(
                10, cost_breakdown=CostBreakdown(input=4, output=6), duration_ms=5, source="sdk"
            )
            batch = sdk.report_cost_batch([full, cost(10), cost(10)])
            assert batch["inserted"] == 3
            assert len(set(batch["ids"])) == 3
            for _ in range(25):
                sdk.queue_cost(cost(100))

    await asyncio.to_thread(report)  # leaving the block flushes the queue
    assert dropped == []
    async with AsyncNullSpend(base_url=server.url, api_key=key) as sdk:
        await asyncio.gather(*(sdk.report_cost(cost(1_000)) for _ in range(10)))
        await sdk.report_cost_batch([cost(10_000)] * 100)
    assert await shared.spent(server.url, "acme") == 1 + 30 + 2_500 + 10_000 + 1_000_000


async def test_a_customer_in_the_tags_alone_is_the_customer(shared: Shared, server: Server) -> None:
    key = await api_key(shared)
    event = cost(7, tags={"customer": "acme"})
    event.customer = None
    async with AsyncNullSpend(base_url=server.url, api_key=key) as sdk:
        await sdk.report_cost(event)
    assert await shared.spent(server.url, "acme") == 7


async def test_what_the_product_refuses_the_sdk_raises(shared: Shared, server: Server) -> None:
    async with AsyncNullSpend(base_url=server.url, api_key="ns_live_sk_" + "0" * 32) as sdk:
        with pytest.raises(NullSpendError, match="NULLSPEND_API_KEY"):
            await sdk.report_cost(cost(1))
    async with AsyncNullSpend(base_url=server.url, api_key=await api_key(shared)) as sdk:
        with pytest.raises(NullSpendError, match=r"events\[1\]\.costMicrodollars"):
            await sdk.report_cost_batch([cost(1), cost(-1)])
    assert await shared.spent(server.url, "acme") == 0


async def test_an_answer_lost_on_the_way_is_retried_and_counted_once(
    shared: Shared, server: Server
) -> None:
    key = await api_key(shared)
    async with (
        losing_answers(server.url, 2) as url,
        AsyncNullSpend(base_url=url, api_key=key, retry_base_delay_s=0.01) as sdk,
    ):
        answer = await sdk.report_cost_batch([cost(5), cost(5), cost(5)])
        assert len(set(answer["ids"])) == 3
    assert await shared.spent(server.url, "acme") == 15


@asynccontextmanager
async def losing_answers(url: str, times: int) -> AsyncIterator[str]:
    """A way to the server at ``url`` that cuts the connection when the first answers come."""
    place, left = urlsplit(url), times

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        inside, outside = await asyncio.open_connection(place.hostname, place.port)
        there = asyncio.create_task(pump(reader, outside))
        while data := await inside.read(65536):
            if left:
                left -= 1
                break
            writer.write(data)
        there.cancel()
        outside.close()
        writer.close()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    proxy = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with proxy:
        host, port = proxy.sockets[0].getsockname()
        yield f"http://{host}:{port}"
