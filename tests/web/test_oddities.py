"""What no client of good will sends: told what is wrong with it, and never a 500."""

import json

import pytest

from nullspend_margins.services.connections import unknown_provider
from tests.web.fakes import KEY, Web, cost_event, raw_request

EVENTS = "/api/cost-events"
EVENT = json.dumps(cost_event())
DEEP = 20_000


def with_member(text: str) -> bytes:
    return f"{EVENT[:-1]}, {text}}}".encode()


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PATCH", "PUT", "FOO"])
async def test_a_method_that_a_path_lacks_is_not_allowed(web: Web, method: str) -> None:
    answer = await web.http.request(method, "/api/margins")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        *("//api/margins", "/api//margins", "/API/margins", "/api/margins;a", "/api/margins?a"),
        *("/api/customer-mappings/", "/api/cost-events/", "/api/openapi.json/"),
        *("/api/stripe/connect/", "/api/connections/", "/api/connections/a/b/sync", "", "*"),
    ],
)
async def test_paths_are_as_they_are_written(web: Web, path: str) -> None:
    answer = await raw_request(web.app, path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "query",
    ["unknown=1", "&&&=", "a=1&" * 20_000, "unknown=%ff", "period[]=1", "Period=x", "=period"],
)
async def test_what_a_query_holds_besides_does_not_matter(web: Web, query: str) -> None:
    assert (await web.raw("/api/margins", query_string=query.encode())).status_code == 200


@pytest.mark.parametrize("query", ["period", "period=2026-02%00", "format=CSV", "format=json%20"])
async def test_a_parameter_is_taken_by_the_letter(web: Web, query: str) -> None:
    for path in ("/api/margins", "/api/margins/unmatched"):
        if "format" not in query or path == "/api/margins":
            assert (await web.http.get(f"{path}?{query}")).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + EVENT.encode(),
        EVENT.encode("utf-16"),
        EVENT.encode("utf-32-be"),
        b"\x00",
        EVENT.encode() + b"\x00",
        with_member('"customer": "a\x00"'),
        with_member('"durationMs": NaN'),
        with_member('"durationMs": -Infinity'),
        with_member('"customer": "\\ud800'),
    ],
)
async def test_what_only_looks_like_json_is_none(web: Web, body: bytes) -> None:
    answer = await web.post(EVENTS, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")


@pytest.mark.parametrize(
    "member",
    [
        '"provider": 5',
        '"\\ud800": 1',
        f'"costBreakdown": {{"a": {"[" * DEEP}{"]" * DEEP}}}',
        f'"other": {"[" * DEEP}{"]" * DEEP}',
        '"durationMs": 1e400',
        '"durationMs": 1e2',
        f'"durationMs": {"9" * 5000}',
    ],
    ids=range(7),
)
async def test_what_json_can_say_and_an_event_cannot_is_refused(web: Web, member: str) -> None:
    answer = await web.post(EVENTS, with_member(member))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
    assert web.ingest.events == []


async def test_of_a_field_that_is_there_twice_each_must_be_right_and_the_last_counts(
    web: Web,
) -> None:
    assert (await web.post(EVENTS, with_member('"model": "last"'))).status_code == 201
    assert web.ingest.events[0].model == "last"
    answer = await web.post(EVENTS, b'{"model": 5, ' + EVENT[1:].encode())
    assert "or a field twice" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "charset", ["", "; charset=utf-8", "; charset=latin-1", "; charset=nonsense", ";"]
)
async def test_json_is_utf_8_whatever_its_media_type_adds(web: Web, charset: str) -> None:
    body = json.dumps(cost_event(customer="é"), ensure_ascii=False)
    content_type = f"application/json{charset}"
    assert (await web.post(EVENTS, body.encode(), Content_Type=content_type)).status_code == 201
    answer = await web.post(EVENTS, body.encode("latin-1"), Content_Type=content_type)
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-NullSpend-Key"])
async def test_a_header_that_is_sent_twice_does_not_leave_the_choice_to_us(
    web: Web, name: str
) -> None:
    headers = [("Content-Type", "application/json"), ("X-NullSpend-Key", KEY)]
    answer = await web.http.post(
        EVENTS, content=EVENT, headers=[*headers, (name, "a"), (name, "b")]
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["issues"][0]["path"] == name
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    answer = await web.http.post(EVENTS, content=EVENT, headers=[*headers, *twice])
    assert answer.status_code == 201


@pytest.mark.parametrize("value", [b"\x80\x9f", b"\x7f", b"a\tb", "😀".encode(), b"x" * 201])
async def test_a_key_in_a_header_holds_no_control_characters(web: Web, value: bytes) -> None:
    headers = {"Content-Type": "application/json", "X-NullSpend-Key": KEY, "Idempotency-Key": value}
    answer = await web.http.post(EVENTS, content=EVENT, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")


@pytest.mark.parametrize("value", [b"\xe9\xff", b"", b"x" * 200])
async def test_a_key_in_a_header_may_be_latin(web: Web, value: bytes) -> None:
    headers = {"Content-Type": "application/json", "X-NullSpend-Key": KEY, "Idempotency-Key": value}
    assert (await web.http.post(EVENTS, content=EVENT, headers=headers)).status_code == 201


@pytest.mark.parametrize("key", [b"\xff\xfe", b"", b"\x00", b"x" * 10_000])
async def test_a_key_that_nobody_has_is_unknown(web: Web, key: bytes) -> None:
    answer = await raw_request(web.app, EVENTS, method="POST", headers=[(b"x-nullspend-key", key)])
    assert answer.status_code == 401


async def test_a_path_of_any_length_is_answered_in_few_words(web: Web) -> None:
    answer = await web.http.get(f"/api/margins/{'x' * 30_000}")
    assert answer.status_code == 404
    assert len(answer.content) < 500
    assert len(unknown_provider("x" * 30_000, {}).message) < 500


@pytest.mark.parametrize("value", ["LLM", "", 5, ["llm"]])
async def test_of_a_few_known_values_all_are_told(web: Web, value: object) -> None:
    [issue] = (await web.event(eventType=value)).json()["error"]["details"]["issues"]
    assert issue == {"path": "eventType", "message": "must be one of llm, tool, custom"}
