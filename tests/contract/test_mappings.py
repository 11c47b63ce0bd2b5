"""Customer mappings over HTTP."""

import asyncio
import uuid

import pytest

from tests.world import World


async def test_a_mapping_is_created_listed_updated_and_deleted(here: World) -> None:
    created = await here.map("cus_1", "one")
    assert created.status_code == 201
    data = created.json()["data"]
    assert uuid.UUID(data["id"])
    assert {**data, "id": None} == {
        "id": None,
        "orgId": "org_1",
        "stripeCustomerId": "cus_1",
        "tagKey": "customer",
        "tagValue": "one",
        "matchType": "manual",
        "provider": "stripe",
        "confidence": 1.0,
        "createdAt": "2026-11-20T00:00:00.000Z",
    }
    assert await here.get("/api/customer-mappings", role="viewer") == [data]
    updated = await here.map("cus_1", "uno")
    assert updated.status_code == 201
    assert updated.json()["data"] == {**data, "tagValue": "uno"}
    gone = await here.call("DELETE", f"/api/customer-mappings?id={data['id']}")
    assert (gone.status_code, gone.json()) == (200, {"data": {"deleted": True}})
    again = await here.call("DELETE", f"/api/customer-mappings?id={data['id']}")
    assert (again.status_code, again.json()["error"]["code"]) == (404, "not_found")


async def test_a_posted_automatic_mapping_has_no_confidence(here: World) -> None:
    answer = await here.map("cus_1", "one", matchType="auto")
    assert answer.json()["data"]["confidence"] is None


@pytest.mark.parametrize(
    "body",
    [
        {}, {"stripeCustomerId": "cus_1"}, {"tagValue": "x"}, [], "x", 5,
        {"stripeCustomerId": "", "tagValue": "x"}, {"stripeCustomerId": "cus_1", "tagValue": ""},
        {"stripeCustomerId": "cus_1", "tagValue": "x" * 257},
        {"stripeCustomerId": "cus_1", "tagValue": "a\nb"},
        {"stripeCustomerId": "cus_1", "tagValue": "a\u0000b"},
        {"stripeCustomerId": "cus_1", "tagValue": "\ud800"},
        {"stripeCustomerId": "cus_1", "tagValue": 5},
        {"stripeCustomerId": "cus_1", "tagValue": "x", "matchType": "fuzzy"},
        {"stripeCustomerId": "cus_1", "tagValue": "x", "matchType": "\ud800"},
        {"stripeCustomerId": "cus_1", "tagValue": "x", "tagKey": ""},
    ],
)  # fmt: skip
async def test_a_wrong_mapping_is_refused_naming_the_field(here: World, body: object) -> None:
    answer = await here.call("POST", "/api/customer-mappings", body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "validation_error"), answer.text
    assert error["details"]["issues"][0].keys() == {"path", "message"}
    assert "codec" not in error["message"]
    assert await here.get("/api/customer-mappings") == []


@pytest.mark.parametrize("query", ["", "?id=", "?id=5", "?id=zzzzzzzz-0000-0000-0000-000000000000"])
async def test_an_id_that_is_no_uuid_is_a_validation_error(here: World, query: str) -> None:
    answer = await here.call("DELETE", f"/api/customer-mappings{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")


async def test_another_orgs_mapping_cannot_be_deleted(here: World) -> None:
    mapping = (await here.map("cus_1", "one")).json()["data"]
    answer = await here.call("DELETE", f"/api/customer-mappings?id={mapping['id']}", org="org_2")
    assert answer.status_code == 404
    assert len(await here.get("/api/customer-mappings")) == 1


async def test_a_tag_value_belongs_to_one_customer_a_provider_and_key(here: World) -> None:
    holder = (await here.map("cus_1", "one")).json()["data"]
    taken = await here.map("cus_2", "one")
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "conflict")
    assert taken.json()["error"]["message"] == (
        "The tag value 'one' belongs to the customer cus_1; remove that mapping first."
    )
    assert taken.json()["error"]["details"] == {
        "stripeCustomerId": "cus_1",
        "mappingId": holder["id"],
    }
    assert (await here.map("cus_2", "one", tagKey="team")).status_code == 201
    assert (await here.map("acme-2", "one", provider="other")).status_code == 201
    assert (await here.map("cus_2", "one", org="org_2")).status_code == 201


async def test_a_manual_mapping_displaces_an_unconfirmed_one(here: World) -> None:
    await here.map("cus_1", "one", matchType="auto")
    assert (await here.map("cus_2", "one", matchType="auto")).status_code == 409
    assert (await here.map("cus_2", "one")).status_code == 201
    (only,) = await here.get("/api/customer-mappings")
    assert only["stripeCustomerId"] == "cus_2"


async def test_confirming_a_match_is_posting_it_as_manual(here: World) -> None:
    match = (await here.map("cus_1", "one", matchType="auto")).json()["data"]
    confirmed = (await here.map("cus_1", "one")).json()["data"]
    assert confirmed == {**match, "matchType": "manual", "confidence": 1.0}
    assert (await here.get("/api/margins/unmatched"))["pendingAutoMatches"] == []


async def test_of_many_at_once_for_one_tag_one_wins(here: World) -> None:
    answers = await asyncio.gather(*(here.map(f"cus_{index}", "one") for index in range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [409] * 7


async def test_the_same_mapping_at_once_is_stored_once(here: World) -> None:
    answers = await asyncio.gather(*(here.map("cus_1", "one") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len(await here.get("/api/customer-mappings")) == 1


async def test_other_tag_keys_are_stored_and_join_no_costs(here: World) -> None:
    await here.map("cus_1", "one", tagKey="team")
    await here.spend("one", 5)
    assert (await here.get("/api/margins"))["customers"] == []
    assert (await here.call("GET", "/api/margins/one")).status_code == 404
    assert len(await here.get("/api/customer-mappings")) == 1


async def test_a_mapping_may_be_made_automatic_and_taken_then(here: World) -> None:
    made = (await here.map("cus_1", "one")).json()["data"]
    for _ in range(2):
        answer = await here.map("cus_1", "one", matchType="auto")
        assert answer.status_code == 201
        assert answer.json()["data"] == {**made, "matchType": "auto", "confidence": None}
    assert (await here.map("cus_2", "one")).status_code == 201
    (only,) = await here.get("/api/customer-mappings")
    assert only["stripeCustomerId"] == "cus_2"


async def test_a_change_of_one_tag_key_leaves_the_others(here: World) -> None:
    made = (await here.map("cus_1", "one")).json()["data"]
    team = (await here.map("cus_1", "one", tagKey="team")).json()["data"]
    assert team["id"] != made["id"]
    changed = (await here.map("cus_1", "uno", tagKey="team")).json()["data"]
    assert changed == {**team, "tagValue": "uno"}
    listed = await here.get("/api/customer-mappings")
    assert sorted(listed, key=lambda each: each["tagKey"]) == [made, changed]
