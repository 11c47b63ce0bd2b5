"""JSON bodies and cost events."""

import json
import uuid
from typing import Any

import msgspec
import pytest

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.web.bodies import decode
from nullspend_margins.web.wire.events import CostEvent, CostEventBatch
from tests.web.fakes import Web
from tests.web.requests import cost_event, raw_request

SINGLE, BATCH = "/api/cost-events", "/api/cost-events/batch"
MEBIBYTE = 1024 * 1024


def issues(answer: Any) -> list[str]:
    """The paths that a refused request is told."""
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "validation_error"
    return [issue["path"] for issue in answer.json()["error"]["details"]["issues"]]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 400),
        ("application/json; charset=utf-8", 400),
        ("Application/JSON", 400),
        ("application/vnd.api+json", 400),
        ("text/plain", 415),
        ("application/jsonx", 415),
        ("", 415),
    ],
)
async def test_a_body_is_declared_as_json(web: Web, content_type: str, status: int) -> None:
    answer = await web.post(SINGLE, b"{}", Content_Type=content_type)
    assert answer.status_code == status


async def test_a_compressed_body_is_refused(web: Web) -> None:
    assert (await web.post(SINGLE, b"{}", Content_Encoding="gzip")).status_code == 415


@pytest.mark.parametrize(
    "body", [b"", b" ", b"{", b"nope", b"\xff\xfe{}", b"{} {}", b'{"a": NaN}', b'{"a": "\n"}']
)
async def test_what_is_no_json_is_told_so(web: Web, body: bytes) -> None:
    for path in (SINGLE, BATCH, "/api/stripe/connect", "/api/customer-mappings"):
        answer = await web.post(path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")


def many(count: int) -> dict[str, object]:
    return {f"key{number}": number for number in range(count)}


@pytest.mark.parametrize(
    ("path", "body", "first"),
    [
        (SINGLE, cost_event(costBreakdown=many(50_000), model=5), "model"),
        (SINGLE, cost_event(costBreakdown={"a": [many(50_000)]}, model=5), "model"),
        (SINGLE, cost_event(tags=dict.fromkeys(many(60_000), "a")), "tags"),
        (SINGLE, cost_event(tags=dict.fromkeys(many(60_000), ("a",))), "tags"),
        (BATCH, {"events": [cost_event()] * 9_000}, "events"),
        (BATCH, {"events": [cost_event(model=5)] * 9_000}, "events"),
        (BATCH, {"events": [None] * 200_000}, "events"),
    ],
    ids=range(7),
)
def test_what_is_wrong_with_a_long_body_is_looked_for_in_its_beginning(
    path: str, body: dict[str, Any], first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []
    convert = msgspec.convert
    monkeypatch.setattr(msgspec, "convert", lambda *given: judged.append(1) or convert(*given))
    text = json.dumps(body).encode()
    wanted = CostEvent if path == SINGLE else CostEventBatch
    with pytest.raises(ValidationFailed) as raised:
        decode(text, wanted)
    assert raised.value.issues[0]["path"] == first
    assert len(judged) <= 5_000


def test_a_batch_within_its_limits_is_looked_at_to_its_end() -> None:
    tags = {f"key{number}": "value" for number in range(10)}
    full = cost_event(
        cachedInputTokens=1, reasoningTokens=1, durationMs=1, sessionId="s", traceId="t",
        eventType="llm", toolName="n", toolServer="s", customer="c", tags=tags,
        idempotencyKey="k", costBreakdown=many(500), source="s", occurredAt="now",
    )  # fmt: skip
    body = {"events": [full] * 99 + [{**full, "tags": {**tags, "key9": 5}}]}
    with pytest.raises(ValidationFailed) as raised:
        decode(json.dumps(body).encode(), CostEventBatch)
    assert [issue["path"] for issue in raised.value.issues] == ["events[99].tags.key9"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"5"])
async def test_a_body_is_an_object(web: Web, body: bytes) -> None:
    for path in (SINGLE, BATCH, "/api/stripe/connect", "/api/customer-mappings"):
        assert issues(await web.post(path, body)) == [""]


@pytest.mark.parametrize("opening", [b'{"a":', b"["])
async def test_a_deep_body_is_refused(web: Web, opening: bytes) -> None:
    for path in (SINGLE, "/api/stripe/connect"):
        assert (await web.post(path, b'{"x":' + opening * 100_000)).status_code == 400


async def test_a_body_is_at_most_a_mebibyte(web: Web) -> None:
    exact = json.dumps(cost_event()).encode().ljust(MEBIBYTE)
    assert (await web.post(SINGLE, exact)).status_code == 201
    answer = await web.post(SINGLE, exact + b" ")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "payload_too_large")


async def test_a_body_of_undeclared_length_is_cut_off_while_it_is_read(web: Web) -> None:
    half = {"type": "http.request", "body": b" " * (MEBIBYTE // 2), "more_body": True}
    answer = await raw_request(
        web.app,
        "/api/customer-mappings",
        method="POST",
        headers=[(b"content-type", b"application/json")],
        messages=[half, half, half],
    )
    assert answer is not None
    assert answer.status_code == 413


async def test_all_that_is_wrong_is_told_at_once(web: Web) -> None:
    bad = cost_event(inputTokens=5.0, outputTokens=True, tags={"a b": "x", "ok": 5}, model="")
    del bad["provider"]
    answer = await web.post(BATCH, json.dumps({"events": [cost_event(), bad]}).encode())
    assert issues(answer) == [
        "events[1].provider",
        "events[1].model",
        "events[1].inputTokens",
        "events[1].outputTokens",
        "events[1].tags.a b",
        "events[1].tags.ok",
    ]
    assert web.ingest.events == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("inputTokens", "5"),
        ("inputTokens", 2**53),
        ("costMicrodollars", 10**12 + 1),
        ("costMicrodollars", 10**30),
        ("costMicrodollars", None),
        ("eventType", "other"),
        ("customer", "a\n"),
        ("customer", "\udc00"),
        ("customer", "x" * 257),
        ("sessionId", "\x7f"),
        ("idempotencyKey", "x" * 201),
        ("tags", {f"k{number}": "v" for number in range(11)}),
        ("costBreakdown", []),
        ("costBreakdown", {"a": "x" * 9000}),
        ("costBreakdown", {"a": {"b": "\x00"}}),
        ("costBreakdown", {"a": [[[[[[[[[[[]]]]]]]]]]]}),
        ("occurredAt", ""),
        ("occurredAt", "2026-04-01"),
        ("occurredAt", "2026-04-01T00:00:00"),
        ("occurredAt", "2026-04-01x00:00:00Z"),
        ("occurredAt", "2026-W14-3T00:00:00Z"),
        ("occurredAt", "2026-02-30T00:00:00Z"),
        ("occurredAt", "٢٠٢٦-04-01T00:00:00Z"),
        ("occurredAt", "1999-12-31T23:59:59Z"),
        ("occurredAt", "0001-01-01T00:00:00+05:00"),
        ("occurredAt", "9999-12-31T23:59:59-05:00"),
        ("occurredAt", "2026-04-21T12:00:01Z"),
    ],
)
async def test_a_wrong_field_is_named(web: Web, field: str, value: object) -> None:
    assert issues(await web.event(**{field: value})) == [field]
    batch = {"events": [cost_event(), cost_event(**{field: value})]}
    answer = await web.post(BATCH, json.dumps(batch).encode())
    assert issues(answer) == [f"events[1].{field}"]


@pytest.mark.parametrize("events", [[], [cost_event()] * 101, None, {}, [5], [None]])
async def test_a_batch_holds_one_to_a_hundred_objects(web: Web, events: object) -> None:
    (path,) = issues(await web.post(BATCH, json.dumps({"events": events}).encode()))
    assert path.startswith("events")


@pytest.mark.parametrize(
    ("member", "path"),
    [
        ('"unknown": "\\ud800"', ""),
        ('"unknown": {"deep": ["\\ud800"]}', ""),
        ('"tags": {"\\ud800": "x"}', "tags.?"),
        ('"costBreakdown": {"a": "\\ud800"}', "costBreakdown"),
        ('"costBreakdown": {"\\ud800": 1}', "costBreakdown"),
        ('"costBreakdown": {"a": {"b": -1e999}}', "costBreakdown"),
        ('"eventType": "\\ud800"', "eventType"),
        ('"\\ud800": 1', ""),
    ],
)
async def test_what_nothing_can_hold_is_refused_where_it_is(
    web: Web, member: str, path: str
) -> None:
    text = json.dumps(cost_event())[:-1] + f", {member}}}"
    assert issues(await web.post(SINGLE, text.encode())) == [path]
    batch = f'{{"events": [{json.dumps(cost_event())}, {text}]}}'
    told = issues(await web.post(BATCH, batch.encode()))
    assert told == [f"events[1].{path}".removesuffix(".")]


@pytest.mark.parametrize(
    "text",
    ["2026-04-01T02:00:00+02:00", "2026-04-01T00:00Z", "2026-04-01 00:00:00.000Z",
     "2026-04-01T00:00:00,5+0000", "2026-04-01t00:00:00z", "2026-04-01T05:30:00.123456789+05:30"],
)  # fmt: skip
async def test_times_with_an_offset_are_read(web: Web, text: str) -> None:
    assert (await web.event(occurredAt=text)).status_code == 201
    assert web.ingest.events[0].occurred_at.isoformat().startswith("2026-04-01T00:00:00")


async def test_beyond_the_horizon_of_duplicates_an_event_is_refused() -> None:
    web = Web(dedupe_days=7)
    assert (await web.event(occurredAt="2026-04-13T12:00:00Z")).status_code == 201
    assert issues(await web.event(occurredAt="2026-04-13T11:59:59Z")) == ["occurredAt"]


async def test_ids_are_made_of_provider_and_key(web: Web) -> None:
    header = {"Idempotency_Key": "h"}
    body = json.dumps(cost_event()).encode()
    keyed = json.dumps({"events": [cost_event(), cost_event(idempotencyKey="own")]}).encode()
    await web.post(SINGLE, body, **header)
    assert (await web.post(SINGLE, body, **header)).status_code == 200
    answer = await web.post(BATCH, keyed, **header)
    assert (answer.status_code, answer.json()["inserted"]) == (201, 2)
    await web.event(idempotencyKey="")
    await web.event()
    ids = [event.event_id for event in web.ingest.events]
    assert ids[:3] == ["openai\x1fh", "openai\x1fh\x1f0", "openai\x1fown"]
    assert [uuid.UUID(each.removeprefix("\x1e")).version for each in ids[3:]] == [4, 4]


@pytest.mark.parametrize("header", ["x" * 201, "a\x7fb"])
async def test_the_header_key_is_checked_as_the_events_is(web: Web, header: str) -> None:
    body = json.dumps(cost_event()).encode()
    assert issues(await web.post(SINGLE, body, Idempotency_Key=header)) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    ("fields", "tag_value"),
    [
        ({"customer": "a", "tags": {"customer": "b"}}, "a"),
        ({"customer": None, "tags": {"customer": "b"}}, "b"),
        ({"tags": {"customer": ""}}, ""),
        ({"tags": None}, ""),
    ],
)
async def test_the_customer_is_named_or_tagged(
    web: Web, fields: dict[str, object], tag_value: str
) -> None:
    assert (await web.event(**fields)).status_code == 201
    (event,) = web.ingest.events
    assert event.tag_value == tag_value
    assert event.cost_nanodollars == 3000


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"stripeCustomerId": ""}, "stripeCustomerId"),
        ({"tagValue": None}, "tagValue"),
        ({"tagValue": "x" * 257}, "tagValue"),
        ({"tagKey": "a\x00"}, "tagKey"),
        ({"matchType": "guess"}, "matchType"),
        ({"provider": 5}, "provider"),
    ],
)
async def test_a_mapping_is_checked_field_by_field(
    web: Web, changes: dict[str, object], path: str
) -> None:
    body = {"stripeCustomerId": "cus_1", "tagValue": "a", **changes}
    answer = await web.post("/api/customer-mappings", json.dumps(body).encode())
    assert issues(answer) == [path]


@pytest.mark.parametrize("query", ["", "?id=", "?id=5", "?id={" + "0" * 32 + "}"])
async def test_a_mapping_is_deleted_by_a_uuid(web: Web, query: str) -> None:
    assert issues(await web.http.delete("/api/customer-mappings" + query)) == ["id"]
    mapping_id = str(uuid.uuid4()).upper()
    answer = await web.http.delete(f"/api/customer-mappings?id={mapping_id}")
    assert answer.json() == {"data": {"deleted": True}}
