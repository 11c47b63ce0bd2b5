"""What is connected, and how that goes, for whoever looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from nullspend_margins.storage import connections
from tests.dashboard.visiting import CONNECT, STRIPE, Plain, look, words
from tests.storage.test_connections import connection
from tests.world import KEY, ORG, World, unix, world


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    async with world(database_url, plugins=[Plain("plain")]) as made:
        made.account.add_invoice(
            made.account.add_customer("cus_1"), 4_200, created=unix(2026, 11, 5)
        )
        yield made


async def store(here: World, provider: str = "stripe", **values: object) -> None:
    services = await here.margins.services()
    kept = connection(ORG, provider, created_at=here.clock.now(), **values)
    await services.connections._database.write(lambda tx: connections.insert(tx, kept))


async def test_every_installed_provider_is_listed_with_what_it_brings(here: World) -> None:
    page = words(await look(here, CONNECT))
    assert page.count("Not connected") == 3
    for title in ("Stripe", "CSV files", "plain"):
        assert title in page
    assert "What your customers paid" in page


async def test_a_connection_is_listed_with_its_state_key_and_last_sync(here: World) -> None:
    await here.connect()
    assert "Stripe Never synced Restricted key rk_live_abcd...wxyz Last sync never" in words(
        await look(here, CONNECT)
    )
    await here.sync()
    here.clock.advance(hours=3)
    page = words(await look(here, CONNECT, role="viewer"))
    assert "Stripe Connected" in page
    assert "(3 hours ago)" in page


async def test_the_form_is_for_admins_and_has_no_key_in_it(here: World) -> None:
    page = await look(here)
    assert 'type="password"' in page
    assert 'autocomplete="off"' in page
    assert 'name="field.stripeKey"' in page
    for permission in ("Customers: Read", "Charges and Refunds: Read", "rak_event_read"):
        assert permission in page
    assert "https://dashboard.stripe.com/apikeys/create?" in page
    assert "permissions[]=rak_credit_note_read" in page
    for role in ("viewer", "member"):
        page = await look(here, role=role)
        assert "<form" not in page
        assert "An admin of your organisation can connect Stripe" in words(page)


async def test_members_may_sync_and_only_admins_change(here: World) -> None:
    await here.connect()
    offers = {
        "viewer": (False, False, False),
        "member": (True, False, False),
        "admin": (True, True, True),
        "owner": (True, True, True),
    }
    for role, offered in offers.items():
        page = await look(here, role=role)
        found = [f'/connect/stripe/{each}"' in page for each in ("sync", "replace", "disconnect")]
        assert tuple(found) == offered, role


@pytest.mark.parametrize("change", ["replace", "disconnect"])
async def test_pages_of_changes_are_for_admins(here: World, change: str) -> None:
    await here.connect()
    answer = await here.call("GET", f"{STRIPE}/{change}", role="member")
    assert answer.status_code == 403
    assert "<form" not in answer.text


STATES = {
    "revoked": ({"status": "revoked", "last_error": "No way."}, "Restricted key refused", True),
    "unreadable": ({"status": "error", "last_error": "No way."}, "Restricted key unreadable", True),
    "failed": ({"last_error": "Odd things happened."}, "Sync failed", False),
    "new": ({}, "Never synced", False),
}


@pytest.mark.parametrize(("values", "word", "replaces"), STATES.values(), ids=list(STATES))
async def test_each_state_says_what_it_is_and_what_to_do(
    here: World, values: dict[str, object], word: str, replaces: bool
) -> None:
    await store(here, **values)
    page = await look(here)
    assert f"Stripe {word}" in words(page)
    assert ('id="replace-now"' in page) == replaces
    assert ('id="sync-now"' in page) == (values.get("status") != "revoked")
    if error := values.get("last_error"):
        assert f"The last sync said: {error}" in words(page)
    viewer = await look(here, role="viewer")
    assert f"Stripe {word}" in words(viewer)
    assert "<form" not in viewer


REQUESTS = {
    "revoked": (STATES["revoked"][0], "in the place of the old one", "admin", "Ask an admin"),
    "unreadable": (STATES["unreadable"][0], "put a new restricted key", "admin", "or an admin"),
    "failed": (STATES["failed"][0], "and so does Sync now", "member", "tries again by itself."),
}


@pytest.mark.parametrize(
    ("values", "advice", "actor", "request_"), REQUESTS.values(), ids=list(REQUESTS)
)
async def test_who_may_not_do_what_is_advised_is_told_who_can(
    here: World, values: dict[str, object], advice: str, actor: str, request_: str
) -> None:
    await store(here, **values)
    ranks = ["viewer", "member", "admin", "owner"]
    for role in ranks:
        is_able = ranks.index(role) >= ranks.index(actor)
        for path in (CONNECT, STRIPE):
            text = words(await look(here, path, role=role))
            assert (advice in text) == is_able, role
            assert (request_ in text) == (not is_able), role
            # What the sync said tells to replace the key, too.
            is_told = str(values["last_error"]) in text
            assert is_told == (is_able or actor != "admin"), role


async def test_what_becomes_of_a_connection_without_its_plugin_is_an_admins_affair(
    here: World,
) -> None:
    await store(here, "paddle")
    for role, told in (("admin", "until you disconnect"), ("member", "until an admin of your")):
        for path in (CONNECT, f"{CONNECT}/paddle"):
            assert told in words(await look(here, path, role=role))


async def test_what_is_missing_is_shown_by_basis(here: World) -> None:
    gap = {
        "permission": "rak_credit_note_read",
        "bases": ["accrual"],
        "detail": "Credit notes cannot be read.",
        "remedy_url": "https://dashboard.stripe.com/apikeys/create?name=x",
    }
    await store(here, gaps=[gap])
    page = await look(here)
    text = words(page)
    assert "Accrual The price of a service over the time it was given Approximate" in text
    assert "Net Cash less tax, refunds and disputes Exact none" in text
    assert "Credit notes: Read rak_credit_note_read Credit notes cannot be read." in text
    assert 'href="https://dashboard.stripe.com/apikeys/create?name=x"' in page
    assert 'id="remedy"' not in await look(here, role="member")


async def test_a_connection_outlives_its_plugin(here: World) -> None:
    await store(here, "paddle")
    page = words(await look(here, CONNECT))
    assert "paddle Plugin missing" in page
    one = await look(here, f"{CONNECT}/paddle")
    assert "not installed any more" in words(one)
    assert 'id="sync-now"' not in one
    assert "/connect/paddle/replace" not in one
    assert "/connect/paddle/disconnect" in one


async def test_what_is_neither_installed_nor_connected_is_not_found(here: World) -> None:
    for path in ("nothing", "nothing/disconnect", "nothing/replace", "stripe/replace"):
        answer = await here.call("GET", f"{CONNECT}/{path}")
        assert answer.status_code == 404, path


async def test_other_orgs_connections_are_not_seen(here: World) -> None:
    await here.connect()
    assert "rk_live" not in words(await look(here, CONNECT, org="org_2"))
    assert "Not connected" in words(await look(here, org="org_2"))


async def test_no_page_has_the_key_in_it(here: World) -> None:
    await here.connect()
    await here.sync()
    for path in (CONNECT, STRIPE, f"{STRIPE}/replace", f"{STRIPE}/disconnect"):
        page = await look(here, path)
        assert KEY not in page
        assert KEY[12:-4] not in page


async def test_a_backfill_that_stopped_half_way_is_told(here: World) -> None:
    await store(here, last_sync_at=here.clock.now() - timedelta(days=1), backfill_next=24_300)
    assert "Older months are not all brought yet" in words(await look(here))
