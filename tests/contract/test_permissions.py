"""``include=permissions``: what a credential may read, and which bases are exact with that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from nullspend_margins import ProviderUnavailable, RevenueGap
from nullspend_margins.domain.revenue_part import BASES
from tests.contract.ledgers import Ledger, synced
from tests.world import World, world

PATH = "/api/connections/asked"
ASKED = f"{PATH}?include=permissions"
REMEDY = "https://provider.example/keys/create?all"
REFUNDS = RevenueGap(
    permission="refunds_read",
    bases=["accrual", "net"],
    detail="Refunds are not taken away.",
    remedy_url=REMEDY,
)
EVENTS = RevenueGap(permission="events_read", bases=["net", "cash"], detail="Found once a day.")
EXACT = {"bases": dict.fromkeys(BASES, "exact"), "missing": [], "remedyUrl": None}
TOLD = {
    "bases": {"invoiced": "exact", "cash": "approximate", "net": "approximate",
              "accrual": "approximate"},
    "missing": [
        {"permission": "events_read", "bases": ["cash", "net"], "detail": "Found once a day."},
        {"permission": "refunds_read", "bases": ["net", "accrual"],
         "detail": "Refunds are not taken away."},
    ],
    "remedyUrl": REMEDY,
}  # fmt: skip


class Asked(Ledger):
    """A provider that tells its gaps when it is asked, or fails."""

    problem: BaseException | None = None
    found: object = (EVENTS, REFUNDS)
    secrets: Sequence[str] = ()

    async def find_gaps(self, secret: str) -> Sequence[RevenueGap]:
        self.secrets = [*self.secrets, secret]
        if self.problem is not None:
            raise self.problem
        return self.found  # type: ignore[return-value]


@pytest.fixture
def provider() -> Asked:
    return Asked("asked")


@pytest_asyncio.fixture
async def here(database_url: str, provider: Asked) -> AsyncIterator[World]:
    async with world(database_url, plugins=[provider, Ledger("plain")]) as made:
        yield made


async def sent(here: World, method: str, path: str) -> dict:
    answer = await here.call(method, path, None if method == "GET" else {})
    assert answer.status_code in {200, 201}, answer.text
    found: dict = answer.json()["data"]
    return found


async def test_connecting_tells_what_the_credential_lacks_and_keeps_it(
    here: World, provider: Asked
) -> None:
    made = await sent(here, "POST", ASKED)
    assert [*made] == ["id", "keyPrefix", "status", "createdAt", "permissions"]
    assert made["permissions"] == TOLD
    assert provider.secrets == ["ledger-secret-0123456789"]
    assert (await sent(here, "GET", ASKED))["permissions"] == TOLD
    assert (await here.get("/api/margins?include=coverage"))["coverage"]["providers"] == [
        {"name": "asked", "status": "active", "lastSyncAt": None, "lagSeconds": None,
         "permissions": TOLD},
    ]  # fmt: skip
    provider.found = [REFUNDS]
    replaced = await sent(here, "PUT", ASKED)
    assert [each["permission"] for each in replaced["permissions"]["missing"]] == ["refunds_read"]
    assert replaced == await sent(here, "GET", ASKED)


async def test_without_the_parameter_nobody_is_asked_and_nothing_more_is_told(
    here: World, provider: Asked
) -> None:
    made = await sent(here, "POST", PATH)
    assert [*made] == ["id", "keyPrefix", "status", "createdAt"]
    shown = {**made, "lastSyncAt": None, "lastError": None}
    assert await sent(here, "GET", PATH) == shown
    assert await sent(here, "PUT", PATH) == shown
    assert provider.secrets == ()
    assert (await sent(here, "GET", ASKED)) == {**shown, "permissions": None}


async def test_a_sync_finds_out_too(here: World, provider: Asked) -> None:
    provider.gaps = [REFUNDS]
    await synced(here, provider)
    found = (await sent(here, "GET", ASKED))["permissions"]
    assert [each["permission"] for each in found["missing"]] == ["refunds_read"]
    provider.gaps = []
    await synced(here, provider)
    assert (await sent(here, "GET", ASKED))["permissions"] == EXACT


async def test_another_credential_forgets_what_the_one_before_lacked(here: World) -> None:
    await sent(here, "POST", ASKED)
    await sent(here, "PUT", PATH)
    assert (await sent(here, "GET", ASKED))["permissions"] is None


@pytest.mark.parametrize(
    "problem", [ProviderUnavailable("It is away."), RuntimeError("ledger-secret-0123456789")]
)
async def test_a_provider_that_fails_to_tell_is_connected_all_the_same(
    here: World, provider: Asked, problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    provider.problem = problem
    assert (await sent(here, "POST", ASKED))["permissions"] is None
    assert (await sent(here, "PUT", ASKED))["permissions"] is None
    assert (await sent(here, "GET", ASKED))["permissions"] is None
    assert "asked: " in caplog.text
    assert "ledger-secret" not in caplog.text


@pytest.mark.parametrize("found", [None, 5, ["refunds_read"], [REFUNDS, {"permission": "x"}]])
async def test_what_is_no_gap_is_not_believed(
    here: World, provider: Asked, found: object, caplog: pytest.LogCaptureFixture
) -> None:
    provider.found = found
    assert (await sent(here, "POST", ASKED))["permissions"] is None
    assert "find_gaps failed: TypeError" in caplog.text


async def test_a_provider_that_cannot_be_asked_lacks_nothing(here: World) -> None:
    path = "/api/connections/plain?include=permissions"
    assert (await sent(here, "POST", path))["permissions"] == EXACT
    assert (await sent(here, "GET", path))["permissions"] == EXACT


@pytest.mark.parametrize("wrong", ["", "everything", "permissions,permissions", "permissions,"])
@pytest.mark.parametrize("path", [PATH, "/api/stripe/connect"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_nothing_else_is_included(here: World, method: str, path: str, wrong: str) -> None:
    body = None if method == "GET" else {}
    answer = await here.call(method, f"{path}?include={wrong}", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
    [issue] = answer.json()["error"]["details"]["issues"]
    assert issue["path"] == "include"
    assert await here.get(path) is None


async def test_stripe_s_own_routes_tell_it_too(here: World) -> None:
    path = "/api/stripe/connect?include=permissions"
    assert await here.get(path, role="viewer") is None
    body = {"stripeKey": "rk_live_abcdefghijklmnopqrstuvwxyz"}
    made = await here.call("POST", path, body)
    assert made.status_code == 201
    assert set(made.json()["data"]["permissions"]) == {"bases", "missing", "remedyUrl"}
    shown = await here.get(path, role="viewer")
    assert shown["permissions"] == made.json()["data"]["permissions"]
