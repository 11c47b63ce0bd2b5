"""The middleware in process: what is metered, what passes, and when it is written down."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from nullspend_margins.metering.attribution import Header
from tests.metering.bench import EVENTS, JSON, Bench, asked, body, start
from tests.metering.bodies import (
    ANTHROPIC_STREAM,
    CHAT,
    CHAT_STREAM,
    CHAT_STREAM_WITHOUT_USAGE,
    OPENAI_USAGE,
    RESPONSES_STREAM,
    encoded,
)
from tests.metering.test_stream import cut

USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 350,
    "total_tokens": 1550,
    "prompt_tokens_details": {"cached_tokens": 200},
    "completion_tokens_details": {"reasoning_tokens": 50},
}


async def test_a_call_is_recorded_with_its_facts_and_nothing_else() -> None:
    bench = Bench(start(), body(encoded(CHAT)))
    call = await bench.ask()
    assert call is not None
    assert len(call.pop("id")) == 32
    assert datetime.fromisoformat(call.pop("at")) == datetime(2026, 11, 20, tzinfo=UTC)
    usage = {**USAGE}
    expected = {"org": "org_1", "source": "metering", "model": "tiny-llama", "usage": usage}
    assert call == expected
    assert "secret" not in json.dumps(call)


async def test_it_is_recorded_before_the_client_can_have_all_of_it() -> None:
    bench = Bench(start(), body(encoded(CHAT)))
    await bench.ask()
    assert bench.log == [bench.messages[0], "recorded", bench.messages[1]]


async def test_with_a_known_length_the_last_byte_is_the_end_whatever_comes_after() -> None:
    text = encoded(CHAT)
    headers = [*JSON, (b"content-length", str(len(text)).encode())]
    messages = [
        start(200, headers),
        body(text[:9], more=True),
        body(text[9:], more=True),
        body(b""),
    ]
    bench = Bench(*messages)
    call = await bench.ask()
    assert bench.log == [*messages[:2], "recorded", *messages[2:]]
    assert call is not None
    assert call["usage"]["prompt_tokens"] == 1200


async def test_a_stream_is_recorded_before_its_done_is_handed_on() -> None:
    at = CHAT_STREAM.index(b"data: [DONE]")
    messages = [start(200, EVENTS), body(CHAT_STREAM[:at], more=True)]
    messages += [body(CHAT_STREAM[at:], more=True), body(b"")]
    bench = Bench(*messages)
    call = await bench.ask()
    assert bench.log == [*messages[:2], "recorded", *messages[2:]]
    assert call is not None
    assert call["usage"] == USAGE


WHOLE = {
    "json": (encoded(CHAT), JSON),
    "spaced json": (encoded(CHAT, spaced=True), JSON),
    "large json": (encoded({**CHAT, "choices": ["x" * 70_000]}), JSON),
    "no json": (b"\x00\xff" * 40, JSON),
    "stream": (CHAT_STREAM, EVENTS),
    "stream with CRLF": (CHAT_STREAM.replace(b"\n", b"\r\n"), EVENTS),
    "stream without usage": (CHAT_STREAM_WITHOUT_USAGE, EVENTS),
    "responses": (RESPONSES_STREAM, EVENTS),
    "messages": (ANTHROPIC_STREAM, EVENTS),
    "compressed": (b"\x1f\x8b" * 40, [*JSON, (b"content-encoding", b"gzip")]),
}


@pytest.mark.parametrize("name", WHOLE)
@given(places=st.lists(st.integers(0, 10**6), max_size=12), ends=st.booleans(), told=st.booleans())
async def test_however_a_body_is_cut_the_client_gets_it_and_the_facts_are_the_same(
    name: str, places: list[int], ends: bool, told: bool
) -> None:
    text, headers = WHOLE[name]
    if told:
        headers = [*headers, (b"content-length", str(len(text)).encode())]
    chunks = cut(text, places)
    messages = [start(200, headers), *(body(chunk, more=True) for chunk in chunks[:-1])]
    messages += [body(chunks[-1])] if ends else [body(chunks[-1], more=True), body(b"")]
    whole, pieces = Bench(start(200, headers), body(text)), Bench(*messages)
    expected, found = await whole.ask(), await pieces.ask()
    assert pieces.sent == messages
    assert expected is not None
    assert found is not None
    assert {**found, "id": ""} == {**expected, "id": ""}


@pytest.mark.parametrize("status", [301, 400, 401, 429, 500, 503])
async def test_a_failure_costs_nothing(status: int) -> None:
    bench = Bench(start(status), body(encoded(CHAT)))
    assert await bench.ask() is None
    assert bench.sent == list(bench.messages)


@pytest.mark.parametrize(
    "scope",
    [
        asked("/v1/models", "GET"),
        asked("/v1/chat/completions", "GET"),
        asked("/chat/completions"),
        asked("/v1/chat/completions/x"),
        {**asked(), "type": "websocket"},
        {"type": "lifespan"},
    ],
)
async def test_everything_else_reaches_the_app_as_it_is(scope: Scope) -> None:
    seen: list[tuple[object, ...]] = []

    async def app(*given: object) -> None:
        seen.append(given)

    bench = Bench()
    await bench.meter(app)(scope, bench.receive, bench.send)
    [(got, receive, send)] = seen
    assert got is scope
    assert (receive, send) == (bench.receive, bench.send)


@pytest.mark.parametrize(
    "path", ["/v1/embeddings\n", "/v1/embeddings/", "//v1//embeddings", "/llm/v1/embeddings\n"]
)
async def test_what_a_router_takes_for_the_path_is_metered_and_stripped(path: str) -> None:
    bench = Bench(start(), body(encoded(CHAT)), paths=("/v1/embeddings", "/v1/*/chat"))
    scope = {**asked(path, "POST", (b"x-nullspend-customer", b"acme")), "root_path": "/llm"}
    assert await bench.ask(scope)
    assert bench.scopes[0]["headers"] == []
    assert await bench.ask(asked("/v1/gpt-4o/chat\n"))


async def test_paths_may_have_a_segment_left_open_and_are_below_a_mount_too() -> None:
    bench = Bench(start(), body(encoded(CHAT)), paths=("/openai/*/chat", "/v1/embeddings"))
    assert await bench.ask(asked("/openai/gpt-4/chat"))
    assert await bench.ask(asked("/openai/gpt-4/more/chat")) is None
    assert await bench.ask({**asked("/llm/v1/embeddings"), "root_path": "/llm"})
    assert await bench.ask({**asked("/v1/embeddings"), "root_path": "/llm"})
    assert await bench.ask(asked("/llm/v1/embeddings")) is None


async def test_two_middlewares_count_once() -> None:
    bench = Bench(start(), body(encoded(CHAT)))
    await bench.ask(app=bench.meter(bench.meter()))
    assert len(bench.calls) == 1


async def test_the_scope_of_the_server_is_not_changed() -> None:
    bench = Bench(start(), body(encoded(CHAT)))
    scope = asked("/v1/chat/completions", "POST", (b"x-nullspend-customer", b"other"))
    before = {**scope, "headers": list(scope["headers"])}
    await bench.ask(scope)
    assert scope == before
    assert bench.scopes[0]["headers"] == []


@pytest.mark.parametrize(
    ("headers", "facts"),
    [
        ([(b"x-litellm-response-cost", b"0.0012")], {"cost": "0.0012"}),
        ([(b"X-LiteLLM-Response-Cost", b"0.0012")], {"cost": "0.0012"}),
        ([(b"x-litellm-response-cost-original", b"0.5")], {}),
        (
            [(b"x-litellm-response-cost", b"0.0012"), (b"x-litellm-cache-key", b"k")],
            {"cost": "0.0012", "is_cache_hit": True},
        ),
    ],
)
async def test_cost_headers_are_facts(headers: list[Header], facts: dict[str, object]) -> None:
    call = await Bench(start(200, [*JSON, *headers]), body(encoded(CHAT))).ask()
    assert call is not None
    assert {key: call[key] for key in ("cost", "is_cache_hit") if key in call} == facts


async def test_a_stream_that_the_app_breaks_off_counts_with_what_it_said() -> None:
    at = ANTHROPIC_STREAM.index(b"event: message_delta")
    bench = Bench(start(200, EVENTS), body(ANTHROPIC_STREAM[:at], more=True))
    bench.failure = ConnectionResetError("the model is gone")
    with pytest.raises(ConnectionResetError):
        await bench.ask()
    [call] = bench.calls
    assert (call["model"], call["usage"]["input_tokens"]) == ("tiny-claude", 25)


async def test_an_app_that_fails_before_its_answer_costs_nothing() -> None:
    bench = Bench()
    bench.failure = LookupError()
    with pytest.raises(LookupError):
        await bench.ask()
    assert bench.calls == []


async def test_compressed_answers_are_counted_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    headers = [*JSON, (b"content-encoding", b"gzip")]
    bench = Bench(start(200, headers), body(b"\x1f\x8b..."))
    meter = bench.meter()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            await meter(asked(), bench.receive, bench.send)
    assert [("usage" in call, call.get("model", "")) for call in bench.calls] == [(False, "")] * 2
    assert [record.getMessage()[:31] for record in caplog.records] == [
        "responses reach the metering co"
    ]


async def test_a_mistake_of_the_metering_breaks_no_response(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(start(), body(encoded(CHAT)))

    def append(_kind: str, _line: bytes) -> bool:
        raise OSError("full")

    bench.append = append  # type: ignore[method-assign]
    assert await bench.ask() is None
    assert bench.sent == list(bench.messages)
    assert "could not be metered" in caplog.text


async def test_a_body_of_other_bytes_is_read_as_well() -> None:
    call = await Bench(start(), body(bytearray(encoded(CHAT)))).ask()
    assert call is not None
    assert call["usage"]["total_tokens"] == OPENAI_USAGE["total_tokens"]


@pytest.mark.parametrize("kind", [bytearray, memoryview])
async def test_a_stream_of_other_bytes_is_read_as_well(kind: type[bytearray | memoryview]) -> None:
    chunks = [kind(line) for line in CHAT_STREAM.splitlines(keepends=True)]
    bench = Bench(start(headers=EVENTS), *(body(each, more=True) for each in chunks))  # type: ignore[arg-type]
    call = await bench.ask()
    assert call is not None
    assert call["usage"]["total_tokens"] == OPENAI_USAGE["total_tokens"]
    assert bench.log.index("recorded") < len(chunks)  # before the last event is out
