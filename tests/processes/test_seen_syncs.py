"""A sync that one process runs is seen in another, and so is that its process died."""

from __future__ import annotations

import re
import time

import httpx

from tests.processes.conftest import Gate, Shared
from tests.processes.servers import eventually, serve, signed_in
from tests.world import KEY

PAGE = "/margins/connect/stripe"


async def look(shared: Shared, url: str) -> str:
    """The page as the process at ``url`` has it."""
    answer = await shared.call(url, "GET", PAGE)
    assert answer.status == 200, answer.body
    return answer.body.decode()


async def form_token(shared: Shared, url: str) -> str:
    """What the button of a page sends."""
    found = re.search(r'name="form_token" value="([^"]+)"', await look(shared, url))
    assert found is not None
    return found[1]


async def press(shared: Shared, url: str, token: str) -> None:
    """The button, on a page of the process at ``url``."""
    headers = {**signed_in(shared.margins), "Origin": url}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        answer = await client.post(f"{PAGE}/sync", data={"form_token": token})
    assert answer.status_code == 303, answer.text


async def test_a_sync_of_one_process_is_seen_in_another_until_its_end(
    shared: Shared, gate: Gate
) -> None:
    account = shared.stripe.add_account(KEY)
    account.add_invoice(account.add_customer("cus_1"), 100, created=int(time.time()))
    async with serve(shared.path) as one, serve(shared.path) as two:
        await shared.connect(one.url)
        gate.close(b"status=paid")
        token = await form_token(shared, one.url)
        await press(shared, one.url, token)
        for each in (one, two):
            assert "<progress" in await look(shared, each.url)
            await press(shared, each.url, token)  # shows the one that runs
            assert "<progress" in await look(shared, each.url)
        gate.open()

        async def done() -> str | None:
            page = await look(shared, two.url)
            return page if "<progress" not in page else None

        assert "Invoices read" in await eventually(done, "the sync is done")
        assert "Invoices read" in await look(shared, one.url)


async def test_a_sync_whose_process_is_killed_is_seen_to_have_broken_off(
    shared: Shared, gate: Gate
) -> None:
    shared.stripe.add_account(KEY)
    async with serve(shared.path) as one, serve(shared.path) as two:
        await shared.connect(one.url)
        gate.close(b"status=paid")
        token = await form_token(shared, one.url)
        await press(shared, one.url, token)
        await one.kill()
        assert "<progress" in await look(shared, two.url)

        async def broken() -> str | None:
            page = await look(shared, two.url)
            return page if "Sync broke off" in page else None

        await eventually(broken, "the lease of the dead process runs out")
        gate.open()
        await press(shared, two.url, token)
