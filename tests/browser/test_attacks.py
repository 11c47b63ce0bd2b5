"""Texts of customers, of Stripe and of tags run nothing, wherever they are shown."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Page

from nullspend_margins.demo.seed import client_for
from nullspend_margins.demo.stripe_server import StripeServer
from tests.browser.payloads import ATTACKS, FOUND, HARMLESS, PLANT
from tests.browser.products import NOW, ORG, Product, running_product
from tests.browser.sights import PAGES, Sight
from tests.browser.visits import Visits
from tests.browser.walking import walk
from tests.world import KEY, event

LAST_MONTH, THIS_MONTH = datetime(2026, 10, 5), datetime(2026, 11, 5)  # noqa: DTZ001 - written with Z


def attacked_stripe() -> StripeServer:
    """An account of customers with such names: joined with tags, and joined with nothing."""
    stripe = StripeServer()
    account = stripe.add_account(KEY)
    first, second = (int((NOW - timedelta(days=days)).timestamp()) for days in (40, 10))
    for attack in ATTACKS:
        named = {"name": attack, "email": f"{attack}@example.com"}
        joined = account.add_customer(**named, metadata={"nullspend_customer": attack})
        for customer in (joined, account.add_customer(**named), account.add_customer(name=attack)):
            account.add_invoice(customer, 5_000, created=first)
            account.add_invoice(customer, 5_000, created=second)
    return stripe


def attacking_events() -> Iterator[dict[str, Any]]:
    """Cheap last month, dear this month: every customer raises an alert."""
    for number, attack in enumerate(ATTACKS):
        for month, cost in ((LAST_MONTH, 1_000_000), (THIS_MONTH, 70_000_000)):
            for customer in (attack, f"unmapped {attack}"):
                yield event(
                    customer=customer,
                    model=attack,
                    costMicrodollars=cost,
                    occurredAt=f"{month.isoformat()}Z",
                    tags={"feature": attack, "team": attack},
                    idempotencyKey=f"{number}-{month}-{customer}"[:200],
                )


async def fill(product: Product) -> None:
    """Connect, send costs, sync: as an admin would."""
    async with client_for(product.origin) as client:
        client.cookies.set(*product.session())
        key, _ = await (await product.margins.services()).keys.create(ORG)
        events = list(attacking_events())
        sent = [
            client.post("/api/stripe/connect", json={"stripeKey": KEY}),
            *(
                client.post(
                    "/api/cost-events/batch",
                    json={"events": events[start : start + 100]},
                    headers={"X-NullSpend-Key": key},
                )
                for start in range(0, len(events), 100)
            ),
            client.post("/api/stripe/revenue-sync"),
        ]
        for request in sent:
            answer = await request
            assert answer.is_success, answer.text


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def attacked_database(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, browser: object
) -> Path:
    """Data whose every text is an attack, to be copied."""
    database = Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("attacked") / "m.db"))
    async with running_product(database, stripe=attacked_stripe()) as product:
        await fill(product)
    return database


@pytest_asyncio.fixture(loop_scope="session")
async def attacked(attacked_database: Path, tmp_path: Path) -> AsyncIterator[Product]:
    """A product with such data."""
    database = Path(shutil.copy(attacked_database, tmp_path / "m.db"))
    async with running_product(database, stripe=attacked_stripe()) as product:
        yield product


async def assert_nothing_ran(page: Page) -> None:
    assert await page.evaluate(FOUND) == [], page.url


async def text_of(page: Page) -> str:
    return " ".join(str(await page.evaluate("document.body.textContent")).split())


async def test_no_page_that_a_link_leads_to_runs_anything(attacked: Product, visit: Visits) -> None:
    page = await visit(attacked)
    seen = await walk(page, attacked.url("/margins"), look=assert_nothing_ran)
    assert len([address for address in seen if "/customers/" in address]) >= len(ATTACKS)
    assert set(seen.values()) == {200}


async def test_each_attack_would_be_seen_if_it_were_not_escaped(
    attacked: Product, visit: Visits
) -> None:
    """In one place or another: as content, as a quoted attribute, or as a link."""
    context = (await visit(attacked, tolerated=".")).context
    both = f"(attack) => {{ ({PLANT})(attack); return ({FOUND})(); }}"
    for attack in ATTACKS:
        if not attack.startswith(HARMLESS):
            page = await context.new_page()  # some attacks lead the browser away
            await page.goto(attacked.url("/margins/matching"))
            assert await page.evaluate(both, attack) != [], attack
            await page.close()


async def test_names_are_shown_as_they_are(attacked: Product, visit: Visits) -> None:
    page = await visit(attacked)
    await page.goto("/margins")
    shown = await text_of(page)
    assert [attack for attack in ATTACKS if attack not in shown] == []
    for attack in ATTACKS:
        await page.goto(attacked.url(f"/margins/customers/{quote(attack, safe='')}"))
        assert attack in await text_of(page)
        assert attack in await page.title()


@pytest.mark.parametrize(
    "path",
    [
        "/margins?period={}",
        "/margins?period=2026-11&q={}&search={}&tier={}&sort={}&direction={}&page={}&basis={}",
        "/margins/customers/{}",
        "/margins/customers/-?tagValue={}",
        "/margins/matching?q={}&customer={}&tagValue={}&provider={}",
        "/margins/connect?provider={}&key={}",
    ],
)
async def test_what_an_address_asks_for_runs_nothing(
    attacked: Product, visit: Visits, path: str
) -> None:
    page = await visit(attacked)
    for attack in ATTACKS[len(path) % 2 :: 2]:
        await page.goto(attacked.url(path.replace("{}", quote(attack, safe=""))))
        await assert_nothing_ran(page)


async def test_what_stripe_says_runs_nothing(attacked: Product, visit: Visits) -> None:
    page = await visit(attacked)
    for number, attack in enumerate(ATTACKS[:10]):
        error = {"type": "invalid_request_error", "message": attack, "code": attack}
        status = (400, 401, 403)[number % 3]
        attacked.stripe.faults.fail(status, times=20, body=json.dumps({"error": error}).encode())
        async with client_for(attacked.origin) as client:
            client.cookies.set(*attacked.session())
            refused = await client.post("/api/stripe/revenue-sync")
        attacked.stripe.faults.clear()
        assert refused.is_error
        for path in ("/margins", "/margins/connect"):
            await page.goto(attacked.url(path))
            await assert_nothing_ran(page)


_FORMS = """() => [...document.querySelectorAll("form[method=post]")]
  .map((each) => each.getAttribute("action").replace(/[0-9a-f-]{36}/g, "ID"))"""
_SEND = """([index, attack]) => {
  const form = document.querySelectorAll("form[method=post]")[index];
  for (const field of form.querySelectorAll("input:not([type]), textarea, input")) {
    if (!["hidden", "file", "checkbox", "radio", "submit"].includes(field.type)) {
      field.removeAttribute("maxlength");
      field.value = attack;
    }
  }
  form.noValidate = true;
  form.submit();
}"""


@pytest.mark.parametrize("sight", PAGES.values(), ids=str)
async def test_what_is_typed_into_a_form_runs_nothing(
    attacked: Product, visit: Visits, sight: Sight
) -> None:
    page = await visit(attacked)
    await page.goto(attacked.url(sight.path))
    forms = dict.fromkeys(await page.evaluate(_FORMS))  # one of each kind
    for action in forms:
        for attack in ATTACKS[:6]:
            await page.goto(attacked.url(sight.path))
            still_there = await page.evaluate(_FORMS)
            if action not in still_there:
                break
            index = still_there.index(action)
            files = page.locator("form[method=post]").nth(index).locator("input[type=file]")
            for each in await files.all():
                await each.set_input_files(attacking_file(attack))
            async with page.expect_navigation():
                await page.evaluate(_SEND, [index, attack])
            await assert_nothing_ran(page)


def attacking_file(name: str) -> FilePayload:
    """A CSV file of mappings, for whoever shows a file's name or cells."""
    rows = [["stripeCustomerId", "tagValue"], *([attack, attack] for attack in ATTACKS)]
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return {"name": name, "mimeType": "text/csv", "buffer": written.getvalue().encode()}
