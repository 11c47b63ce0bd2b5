"""A second provider in one org: revenue from a CSV file beside Stripe's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.world import ORG, World, unix, world

CSV = "/api/connections/csv"
TEXT = """\
customer,date,amount,kind,service_start,service_end,name,tag
acme-gmbh,2026-11-02,120.00,invoice,2026-09-01,2027-01-01,Acme GmbH,acme
acme-gmbh,2026-11-03,20.00,refund,,,Acme GmbH,acme
zeta,2026-10-05,50.00,bill,2026-11-01,2026-12-01,Zeta,
zeta,2026-11-06,59.50,payment,,,Zeta,
zeta,2026-11-06,9.50,tax,,,Zeta,
"""
CENTS = 10_000


@pytest_asyncio.fixture
async def both(database_url: str) -> AsyncIterator[World]:
    """One tag value that a Stripe customer and a customer of the file share."""
    async with world(database_url) as here:
        here.account.add_customer("cus_1", name="Acme Corp")
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 1))
        await here.spend("acme", 30_000_000)
        await here.connect()
        await here.sync()
        await here.map("cus_1", "acme")
        answer = await here.call("POST", CSV, {"content": TEXT})
        assert answer.status_code == 201, answer.text
        yield here


async def synced(here: World, expected: int = 200) -> dict:
    answer = await here.call("POST", f"{CSV}/sync", role="member")
    assert answer.status_code == expected, answer.text
    return answer.json().get("data", answer.json())


async def revenue(here: World, period: str = "2026-11", basis: str = "invoiced") -> dict[str, int]:
    """By tag value, in cents."""
    table = await here.get(f"/api/margins?period={period}&basis={basis}")
    return {
        row["tagValue"]: row["revenueMicrodollars"] // CENTS
        for row in table["customers"]
        if row["revenueMicrodollars"]
    }


async def test_a_tag_value_has_the_revenue_of_both(both: World) -> None:
    assert await revenue(both) == {"acme": 10_000}
    report = await synced(both)
    assert (report["invoicesFetched"], report["autoMatchesCreated"]) == (2, 1)
    assert await revenue(both) == {"acme": 22_000}


@pytest.mark.parametrize(
    ("basis", "october", "november"),
    [
        ("invoiced", {"zeta": 5_000}, {"acme": 12_000}),
        ("cash", {}, {"acme": 12_000, "zeta": 5_950}),
        ("net", {}, {"acme": 10_000, "zeta": 5_000}),
        # 122 days of service from September on: 31 of them in October, 30 in November.
        ("accrual", {"acme": 3_049}, {"acme": 2_951 - 2_000, "zeta": 5_000 - 950}),
    ],
)
async def test_bases_differ_as_the_kinds_of_rows_say(
    both: World, basis: str, october: dict[str, int], november: dict[str, int]
) -> None:
    await both.call("DELETE", "/api/stripe/disconnect")
    await both.map("zeta", "zeta", provider="csv")
    await synced(both)
    assert await revenue(both, "2026-10", basis) == october
    assert await revenue(both, "2026-11", basis) == november


@pytest.mark.parametrize(
    ("path", "left"), [(CSV, 10_000), ("/api/stripe/disconnect", 12_000)], ids=["csv", "stripe"]
)
async def test_disconnecting_one_leaves_the_other(both: World, path: str, left: int) -> None:
    await synced(both)
    assert (await both.call("DELETE", path)).status_code == 200
    assert await revenue(both) == {"acme": left}
    mappings = await both.get("/api/customer-mappings")
    assert len({each["provider"] for each in mappings}) == len(mappings) == 1


async def test_the_timer_syncs_both(both: World) -> None:
    assert (await both.cron()).json()["data"]["synced"] == 2
    assert await revenue(both) == {"acme": 22_000}


async def test_the_same_file_again_changes_nothing_and_a_new_one_replaces(both: World) -> None:
    await synced(both)
    before = await both.get("/api/margins?period=2026-11")
    await synced(both)
    assert await both.get("/api/margins?period=2026-11") == before
    corrected = TEXT.replace("120.00", "80.00")
    assert (await both.call("PUT", CSV, {"content": corrected})).status_code == 200
    await synced(both)
    assert await revenue(both) == {"acme": 18_000}


async def test_a_file_of_other_customers_is_another_account(both: World) -> None:
    await synced(both)
    other = TEXT.replace("acme-gmbh", "somebody").replace("zeta", "else")
    refused = await both.call("PUT", CSV, {"content": other})
    assert refused.status_code == 409
    assert "another account of CSV files" in refused.json()["error"]["message"]


async def test_people_see_the_label_and_nothing_of_the_file(both: World) -> None:
    status = (await both.call("GET", CSV)).text
    assert "upload of 5 rows" in status
    assert "120.00" not in status
    assert "acme-gmbh" not in status


async def test_a_broken_file_is_refused_with_each_line(both: World) -> None:
    await both.call("DELETE", CSV)
    broken = TEXT.replace("120.00", "120,00").replace("2026-11-03", "03.11.2026")
    refused = await both.call("POST", CSV, {"content": broken})
    assert refused.status_code == 400, refused.text
    listed = [each["message"] for each in refused.json()["error"]["details"]["issues"]]
    assert [each.partition(":")[0] for each in listed] == ["line 2", "line 3, column date"]


async def test_a_file_that_breaks_later_fails_the_sync_and_leaves_the_numbers(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "acme.csv"
    file.write_text(TEXT)
    async with world(database_url, tables={"csv": {"folder": str(tmp_path)}}) as here:
        await here.spend("acme", 1)
        assert (await here.call("POST", CSV, {"file": "acme.csv"})).status_code == 201
        await synced(here)
        file.write_text(TEXT + "acme-gmbh,2026-11-09,1O,,,,,\n")
        await synced(here, 502)
        status = await here.get(CSV)
        assert status["lastError"] == (
            "acme.csv, line 7, column amount: '1O' is no number: write it as 1234.50. "
            "Nothing of the file was taken."
        )
        assert (status["status"], await revenue(here)) == ("active", {"acme": 12_000})
        file.unlink()
        await synced(here, 502)
        assert "There is no file acme.csv" in (await here.get(CSV))["lastError"]


async def test_files_are_refused_with_the_key_to_set(here: World) -> None:
    refused = await here.call("POST", CSV, {"file": "acme.csv"})
    assert refused.status_code == 400
    assert "[plugins.csv] folder" in refused.json()["error"]["message"]


async def test_one_org_does_not_see_the_upload_of_another(both: World) -> None:
    await synced(both)
    assert (await both.call("POST", f"{CSV}/sync", org="org_2")).status_code == 404
    assert (await both.get("/api/margins?period=2026-11", org="org_2"))["customers"] == []
    assert ORG != "org_2"
