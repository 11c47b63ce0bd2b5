"""Streams, and that it does not matter how they are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.metering.excerpt import LIMIT_BYTES, Excerpt, ends_of
from nullspend_margins.metering.stream import Stream
from nullspend_margins.metering.usage import Found, Usage, settled
from tests.metering.bodies import (
    ANTHROPIC_STREAM,
    CHAT_STREAM,
    CHAT_STREAM_WITHOUT_USAGE,
    OPENAI_USAGE,
    RESPONSES_STREAM,
    chat_chunk,
    events,
)

LARGE_STREAM = events(
    {"type": "response.created", "response": {"model": "big", "usage": None}},
    {
        "type": "response.completed",
        "response": {"model": "big", "output": ["x" * 70_000], "usage": OPENAI_USAGE},
    },
    done=False,
)
STREAMS = {
    "chat": (CHAT_STREAM, "tiny-llama", Usage(1200, 200, 0, 350, 50)),
    "chat with CRLF": (
        CHAT_STREAM.replace(b"\n", b"\r\n"),
        "tiny-llama",
        Usage(1200, 200, 0, 350, 50),
    ),
    "chat without usage": (CHAT_STREAM_WITHOUT_USAGE, "tiny-llama", None),
    "responses": (RESPONSES_STREAM, "tiny-llama", Usage(30, 10, 0, 7, 5)),
    "anthropic": (ANTHROPIC_STREAM, "tiny-claude", Usage(165, 100, 40, 15, 0)),
    "a large event": (LARGE_STREAM, "big", Usage(1200, 200, 0, 350, 50)),
}


def cut(text: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % len(text) for place in places} - {0}), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def told(found: Found) -> tuple[str, Usage | None]:
    return found.model, settled(found.usage) if found.usage is not None else None


@pytest.mark.parametrize("name", STREAMS)
def test_the_end_is_seen_with_the_chunk_that_has_it_and_not_before(name: str) -> None:
    text, model, usage = STREAMS[name]
    stream = Stream()
    ends = [stream.feed(line + b"\n") for line in text.split(b"\n")[:-1]]
    assert ends.index(True) >= len(ends) - 3  # the line itself; a blank one may follow
    assert told(stream.found()) == (model, usage)


@pytest.mark.parametrize("name", STREAMS)
@given(places=st.lists(st.integers(0, 10**6), max_size=30))
def test_however_a_stream_is_cut_it_says_the_same(name: str, places: list[int]) -> None:
    text, model, usage = STREAMS[name]
    stream = Stream()
    ends = [stream.feed(chunk) for chunk in cut(text, places)]
    assert any(ends)
    assert told(stream.found()) == (model, usage)


def test_byte_by_byte_it_says_the_same() -> None:
    stream = Stream()
    for byte in CHAT_STREAM:
        stream.feed(bytes([byte]))
    assert told(stream.found()) == ("tiny-llama", Usage(1200, 200, 0, 350, 50))


def test_a_stream_that_breaks_off_says_what_it_said() -> None:
    stream = Stream()
    start = ANTHROPIC_STREAM.index(b"event: message_delta")
    assert not stream.feed(ANTHROPIC_STREAM[:start])
    assert told(stream.found()) == ("tiny-claude", Usage(165, 100, 40, 1, 0))


def test_usage_that_grows_with_every_event_is_that_of_the_last() -> None:
    usages = [{"prompt_tokens": 5, "completion_tokens": number} for number in range(1, 9)]
    stream = Stream()
    stream.feed(events(*(chat_chunk("x", usage=usage) for usage in usages)))
    assert told(stream.found()) == ("tiny-llama", Usage(5, 0, 0, 8, 0))


def test_a_last_line_without_its_end_counts() -> None:
    stream = Stream()
    stream.feed(events(chat_chunk(usage=OPENAI_USAGE), done=False).rstrip())
    assert told(stream.found())[1] == Usage(1200, 200, 0, 350, 50)


def test_what_a_model_writes_is_neither_usage_nor_an_end() -> None:
    text = '"usage": {"prompt_tokens": 1} [DONE] "message_stop" "type":"message_stop"'
    stream = Stream()
    assert not stream.feed(events(chat_chunk(text), chat_chunk("[DONE]"), done=False))
    assert told(stream.found()) == ("tiny-llama", None)


@given(st.lists(st.integers(0, 3 * LIMIT_BYTES), max_size=8), st.integers(0, 3 * LIMIT_BYTES))
def test_an_excerpt_is_the_same_however_the_text_came(places: list[int], size: int) -> None:
    text = bytes(number % 251 for number in range(size))
    excerpt = Excerpt()
    for chunk in cut(text, places) if text else [b""]:
        excerpt.add(chunk)
    assert excerpt.ends() == ends_of(text)
