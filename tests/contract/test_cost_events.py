"""Cost events over HTTP: what is taken, and that it counts once."""

import asyncio
import uuid

import pytest

from tests.world import World, event

HUGE = 10**12


async def total(here: World, tag: str = "acme-corp") -> tuple[int, int]:
    """Cost and request count of a tag this month."""
    unmatched = await here.get("/api/margins/unmatched")
    for row in unmatched["unmappedTagValues"]:
        if row["tagValue"] == tag:
            return row["totalCostMicrodollars"], row["requestCount"]
    return 0, 0


async def test_an_event_is_stored_and_answered_with_its_id(here: World) -> None:
    answer = await here.post_event(event())
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert uuid.UUID(data["id"])
    assert data["createdAt"] == "2026-11-20T00:00:00.000Z"
    assert await total(here) == (5250, 1)


async def test_a_duplicate_is_answered_with_the_first_ones_id(here: World) -> None:
    first = await here.post_event(event(idempotencyKey="k1"))
    here.clock.advance(seconds=5)
    again = await here.post_event(event(idempotencyKey="k1", costMicrodollars=9))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert await total(here) == (5250, 1)
    other_provider = await here.post_event(event(idempotencyKey="k1", provider="anthropic"))
    assert other_provider.status_code == 201
    assert (await here.post_event(event(idempotencyKey="k1"), org="org_2")).status_code == 201


async def test_the_header_is_the_key_where_the_event_has_none(here: World) -> None:
    for expected in (201, 200):
        answer = await here.post_event(event(), headers={"Idempotency-Key": "h1"})
        assert answer.status_code == expected
    answer = await here.post_event(event(idempotencyKey="own"), headers={"Idempotency-Key": "h1"})
    assert answer.status_code == 201


async def test_a_retried_batch_counts_once_and_its_events_stay_distinct(here: World) -> None:
    events = [event(), event(), event(idempotencyKey="own")]
    first = await here.post_batch(events, headers={"Idempotency-Key": "b1"})
    again = await here.post_batch(events, headers={"Idempotency-Key": "b1"})
    assert first.status_code == again.status_code == 201
    assert first.json()["inserted"] == 3
    assert again.json() == {"inserted": 0, "ids": first.json()["ids"]}
    assert len(set(first.json()["ids"])) == 3
    assert await total(here) == (3 * 5250, 3)


async def test_a_duplicate_inside_a_batch_has_the_first_ones_id(here: World) -> None:
    answer = await here.post_batch([event(idempotencyKey="a"), event(idempotencyKey="a"), event()])
    body = answer.json()
    assert body["inserted"] == 2
    assert body["ids"][0] == body["ids"][1] != body["ids"][2]
    assert await total(here) == (2 * 5250, 2)


async def test_the_same_events_at_once_count_once(here: World) -> None:
    batches = [[event(idempotencyKey=f"k{index % 7}") for index in range(20)] for _ in range(10)]
    answers = await asyncio.gather(*(here.post_batch(batch) for batch in batches))
    assert sum(answer.json()["inserted"] for answer in answers) == 7
    assert await total(here) == (7 * 5250, 7)


async def test_the_customer_may_be_a_tag(here: World) -> None:
    await here.post_event(event(customer=None, tags={"customer": "by-tag", "team": "x"}))
    await here.post_event(event(customer="direct", tags={"customer": "ignored"}))
    await here.post_event({key: value for key, value in event().items() if key != "customer"})
    unmatched = await here.get("/api/margins/unmatched")
    assert {row["tagValue"] for row in unmatched["unmappedTagValues"]} == {"by-tag", "direct"}


async def test_every_optional_field_is_taken_null_included(here: World) -> None:
    full = event(
        cachedInputTokens=1, reasoningTokens=2, durationMs=3, sessionId="s", traceId="t",
        eventType="tool", toolName="n", toolServer="srv", tags={"a": "b"}, idempotencyKey="k",
        costBreakdown={"input": 1, "output": 2}, source="sdk",
        occurredAt="2026-11-01T02:00:00+02:00",
        somethingNew={"deep": [1]},
    )  # fmt: skip
    assert (await here.post_event(full)).status_code == 201
    nulls = dict.fromkeys(
        ["cachedInputTokens", "reasoningTokens", "durationMs", "sessionId", "traceId", "eventType",
         "toolName", "toolServer", "tags", "idempotencyKey", "costBreakdown", "source",
         "occurredAt", "customer"]
    )  # fmt: skip
    assert (await here.post_event(event(**nulls))).status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider", ""), ("provider", "x" * 101), ("provider", None), ("provider", 5),
        ("model", ""), ("model", "x" * 201), ("model", "a\u0007"),
        ("inputTokens", -1), ("inputTokens", True), ("inputTokens", 5.0), ("inputTokens", "5"),
        ("inputTokens", 2**53), ("outputTokens", None), ("outputTokens", 1.5),
        ("costMicrodollars", -1), ("costMicrodollars", HUGE + 1), ("costMicrodollars", 5.0),
        ("costMicrodollars", False), ("costMicrodollars", 10**30),
        ("cachedInputTokens", -1), ("reasoningTokens", 5.0), ("durationMs", -1),
        ("durationMs", True), ("eventType", "other"), ("customer", ""), ("customer", "x" * 257),
        ("customer", "a\nb"), ("customer", "\udc00"), ("customer", 5), ("tags", []),
        ("tags", {"a b": "x"}), ("tags", {"": "x"}), ("tags", {"k" * 65: "x"}),
        ("tags", {"a": "x" * 257}), ("tags", {"a": 5}), ("tags", {"a": None}),
        ("tags", {f"k{index}": "v" for index in range(11)}), ("tags", {"a": "\x00"}),
        ("idempotencyKey", "x" * 201), ("idempotencyKey", "\x01"),
        ("occurredAt", "2026-11-01"), ("occurredAt", "2026-11-01T00:00:00"),
        ("occurredAt", "yesterday"), ("occurredAt", "1999-12-31T23:59:59Z"),
        ("occurredAt", "2026-11-21T00:00:01Z"), ("occurredAt", 1_700_000_000),
        ("sessionId", "\ud800"), ("costBreakdown", []), ("eventType", "\ud800"),
        ("costBreakdown", {"a": "\ud800"}), ("costBreakdown", {"\ud800": 1}),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_refused_by_name_and_nothing_is_stored(
    here: World, field: str, value: object
) -> None:
    single = await here.post_event(event(**{field: value}))
    assert single.status_code == 400, single.text
    error = single.json()["error"]
    assert error["code"] == "validation_error"
    assert error["details"]["issues"][0]["path"].startswith(field), error
    batch = await here.post_batch([event(), event(**{field: value})])
    assert batch.status_code == 400
    path = batch.json()["error"]["details"]["issues"][0]["path"]
    assert "1" in path and field in path, path
    assert await total(here) == (0, 0)


@pytest.mark.parametrize(
    "field", ["provider", "model", "inputTokens", "outputTokens", "costMicrodollars"]
)
async def test_a_missing_field_is_refused_by_name(here: World, field: str) -> None:
    body = event()
    del body[field]
    answer = await here.post_event(body)
    assert answer.status_code == 400
    assert field in answer.text


async def test_limits_are_inclusive(here: World) -> None:
    answer = await here.post_event(
        event(
            provider="p" * 100, model="m" * 200, inputTokens=2**53 - 1, costMicrodollars=HUGE,
            customer="c" * 256, tags={f"k{index}": "v" * 256 for index in range(10)},
            idempotencyKey="i" * 200, occurredAt="2000-01-01T00:00:00Z",
        )
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    ahead = await here.post_event(event(occurredAt="2026-11-21T00:00:00Z"))
    assert ahead.status_code == 201


@pytest.mark.parametrize("events", [[], [event()] * 101, None, {}, "x"])
async def test_a_batch_has_one_to_a_hundred_events(here: World, events: object) -> None:
    answer = await here.post_batch(events)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")


async def test_a_cell_that_would_overflow_refuses_the_event_and_no_other(here: World) -> None:
    full = [event(customer="whale", costMicrodollars=HUGE) for _ in range(100)]
    for _ in range(92):
        assert (await here.post_batch(full)).status_code == 201
    answers = await asyncio.gather(
        here.post_batch(full), *(here.post_event(event(customer="small")) for _ in range(5))
    )
    assert answers[0].status_code == 400, answers[0].text
    assert [answer.status_code for answer in answers[1:]] == [201] * 5
    assert await total(here, "whale") == (9200 * HUGE, 9200)
    assert await total(here, "small") == (5 * 5250, 5)


@pytest.mark.parametrize("path", ["/api/cost-events", "/api/cost-events/batch"])
async def test_bodies_that_are_not_what_they_should_be(here: World, path: str) -> None:
    key = {"X-NullSpend-Key": await here.ingest_key()}
    json_type = {**key, "Content-Type": "application/json"}

    async def send(content: bytes, headers: dict[str, str]) -> tuple[int, str]:
        answer = await here.http.post(path, content=content, headers=headers)
        return answer.status_code, answer.json()["error"]["code"]

    assert await send(b"{}", key) == (415, "unsupported_media_type")
    assert await send(b"{}", {**key, "Content-Type": "text/plain"}) == (
        415,
        "unsupported_media_type",
    )
    for broken in (b"", b"{", b"\xff\xfe", b"nope", b'{"a":1}{'):
        assert await send(broken, json_type) == (400, "invalid_json"), broken
    assert await send(b" " * (1024 * 1024 + 1), json_type) == (413, "payload_too_large")
    nested = b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert (await send(nested, json_type))[0] == 400


async def test_old_events_are_refused_where_duplicates_are_forgotten(database_url: str) -> None:
    from tests.world import world

    async with world(database_url, ingest={"dedupe_days": 30}) as here:
        fine = await here.post_event(event(occurredAt="2026-10-22T00:00:00Z"))
        assert fine.status_code == 201
        old = await here.post_event(event(occurredAt="2026-10-20T00:00:00Z"))
        assert (old.status_code, old.json()["error"]["code"]) == (400, "validation_error")
        before = await total(here)
        here.clock.advance(days=5)
        await here.cron()
        assert await total(here) == before
