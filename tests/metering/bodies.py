"""Answers as the servers of the trade write them, shortened."""

from __future__ import annotations

import json

OPENAI_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 350,
    "total_tokens": 1550,
    "prompt_tokens_details": {"cached_tokens": 200, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 50},
}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1795132800,
    "model": "tiny-llama",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": 'a secret, and "usage": {"x": 1}'},
            "finish_reason": "stop",
        }
    ],
    "usage": OPENAI_USAGE,
}
RESPONSE_USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 10},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 37,
}


def encoded(value: object, *, spaced: bool = False) -> bytes:
    return json.dumps(value, separators=None if spaced else (",", ":")).encode()


def events(*data: object, end: bytes = b"\n\n", done: bool = True) -> bytes:
    """A stream; of Anthropic's and OpenAI's newer kind when an event has a type."""
    found = []
    for each in data:
        name = each.get("type") if isinstance(each, dict) else None
        line = end[: len(end) // 2]
        found.append(f"event: {name}".encode() + line if name else b"")
        found.append(b"data: " + encoded(each) + end)
    return b"".join(found) + (b"data: [DONE]" + end if done else b"")


def chat_chunk(text: str = "", **more: object) -> dict[str, object]:
    choices = [{"index": 0, "delta": {"content": text}, "finish_reason": None}] if text else []
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "tiny-llama",
        "choices": choices,
        **more,
    }


CHAT_STREAM = events(
    chat_chunk("a secret", usage=None),
    chat_chunk("more \u00e9 of it", usage=None),
    chat_chunk(usage=OPENAI_USAGE),
)
CHAT_STREAM_WITHOUT_USAGE = events(chat_chunk("a secret"), chat_chunk("more of it"))
RESPONSES_STREAM = events(
    {"type": "response.created", "response": {"model": "tiny-llama", "usage": None}},
    {"type": "response.output_text.delta", "delta": "a secret"},
    {"type": "response.completed", "response": {"model": "tiny-llama", "usage": RESPONSE_USAGE}},
    done=False,
)
ANTHROPIC_STREAM = events(
    {
        "type": "message_start",
        "message": {
            "model": "tiny-claude",
            "usage": {
                "input_tokens": 25,
                "cache_read_input_tokens": 100,
                "cache_creation_input_tokens": 40,
                "output_tokens": 1,
            },
        },
    },
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "message_stop"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}},
    {"type": "message_stop"},
    done=False,
)
