"""Providers are called what they call themselves, wherever people read of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest_asyncio

from nullspend_margins import ConnectField, ConnectForm, ConnectWay, CredentialRefused
from tests.contract.ledgers import Ledger, annual, map_to, synced
from tests.dashboard.visiting import CONNECT, followed, look, send, words
from tests.world import World, world

TITLE = "Ada's Ledger"


@dataclass
class Titled(Ledger):
    """A provider with a form, whose credential may be refused."""

    connect_form: ClassVar[ConnectForm] = ConnectForm(
        title=TITLE,
        ways=[ConnectWay(name="only", label="x", fields=[ConnectField(name="x", label="x")])],
    )
    is_refusing: bool = False
    has_moved: bool = False

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return not self.has_moved

    async def fetch_revenue(self, secret: str, window: object) -> AsyncIterator[Sequence[Any]]:
        if self.is_refusing:
            raise CredentialRefused("No.")
        yield self.facts


@pytest_asyncio.fixture
async def ledger() -> Titled:
    return Titled("ada-ledger", [annual("cus_1"), annual("cus_2", "in_other")])


@pytest_asyncio.fixture
async def here(database_url: str, ledger: Titled) -> AsyncIterator[World]:
    async with world(database_url, plugins=[ledger]) as made:
        yield made


def says(page: str, text: str) -> None:
    """With the title, and nowhere with the plugin's name."""
    assert text in words(page)
    assert "ada-ledger" not in words(page)


async def test_on_the_pages_of_margins_and_matching(here: World, ledger: Titled) -> None:
    await synced(here, ledger)
    await map_to(here, ledger.name, "cus_1", "acme")
    await here.spend("acme", 1_000_000)
    await here.spend("other", 1_000_000)
    says(await look(here, "/margins/customers/acme"), f"{TITLE} cus_1")
    says(
        await look(here, "/margins/customers/acme?period=2026-10&explain=1"),
        f"{TITLE}, Oct 2, 2026",
    )
    says(await look(here, "/margins/matching"), f"{TITLE} · cus_2")
    says(await look(here, "/margins/matching?show=mapped"), f"Acme {TITLE} · cus_1")
    file = {"file": ("m.csv", b"customer_id,tag_value,provider\ncus_2,other,ada-ledger\n")}
    preview = await send(here, "/margins/matching/upload", files=file)
    says(preview.text, f"Acme {TITLE} · cus_2")


async def test_in_what_goes_wrong(here: World, ledger: Titled) -> None:
    page = f"{CONNECT}/ada-ledger"
    answer = await here.call("GET", f"{page}/disconnect")
    says(answer.text, f"This org is not connected to {TITLE}")
    await synced(here, ledger)
    ledger.has_moved = True
    refused = await send(here, f"{page}/replace", {"field.x": "x"})
    says(refused.text, f"This credential belongs to another account of {TITLE}")
    ledger.is_refusing = True
    assert (await here.call("POST", "/api/connections/ada-ledger/sync")).status_code == 409
    says(await look(here, "/margins"), f"{TITLE} refuses its key.")
    again = await followed(here, await send(here, f"{page}/sync"))
    says(again, f"{TITLE} refuses the stored key; replace it")
