"""What an answer says of its model and its tokens, in every vendor's words."""

from __future__ import annotations

import pytest

from nullspend_margins.metering.excerpt import LIMIT_BYTES, ends_of
from nullspend_margins.metering.usage import Usage, read, settled, short
from tests.metering.bodies import CHAT, OPENAI_USAGE, RESPONSE_USAGE, encoded


def usage_of(value: object) -> Usage | None:
    found = read(ends_of(encoded(value))).usage
    return settled(found) if found is not None else None


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (OPENAI_USAGE, Usage(1200, 200, 0, 350, 50)),
        ({"prompt_tokens": 8, "total_tokens": 8}, Usage(8, 0, 0, 0, 0)),
        (RESPONSE_USAGE, Usage(30, 10, 0, 7, 5)),
        # Anthropic's input leaves out what its cache read and wrote.
        (
            {
                "input_tokens": 25,
                "cache_read_input_tokens": 100,
                "cache_creation_input_tokens": 40,
                "output_tokens": 15,
            },
            Usage(165, 100, 40, 15, 0),
        ),
        # LiteLLM writes Anthropic's numbers beside OpenAI's, which include them.
        (
            {"prompt_tokens": 165, "completion_tokens": 15, "cache_read_input_tokens": 100},
            Usage(165, 100, 0, 15, 0),
        ),
        # Some count reasoning beside the output: the total tells.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 35,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(10, 0, 0, 25, 20),
        ),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 9}}, Usage(3, 3, 0, 0, 0)),
        ({"prompt_tokens": -3, "completion_tokens": 2**70}, Usage(0, 0, 0, 2**53 - 1, 0)),
        ({}, Usage(0, 0, 0, 0, 0)),
    ],
)
def test_tokens_are_read_in_every_vendors_words(usage: object, expected: Usage) -> None:
    assert usage_of({**CHAT, "usage": usage}) == expected


def test_one_field_of_an_unexpected_type_does_not_hide_the_others() -> None:
    usage = {**OPENAI_USAGE, "completion_tokens": 350.0, "total_tokens": "many"}
    assert usage_of({**CHAT, "message": "hello", "usage": usage}) == Usage(1200, 200, 0, 350, 50)
    assert read(ends_of(encoded({**CHAT, "message": "hello"}))).model == "tiny-llama"


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[1]", b"7", b'{"usage": nul', b"\xff\xfe", b"[" * 5000, b'{"usage": 5}'],
)
def test_what_is_no_answer_has_no_usage(body: bytes) -> None:
    assert read(ends_of(body)).usage is None


def test_of_a_large_body_both_ends_tell() -> None:
    body = encoded({"model": "big", "data": ["x" * 99] * 2_000, "usage": OPENAI_USAGE})
    assert len(body) > LIMIT_BYTES
    found = read(ends_of(body))
    assert found.model == "big"
    assert found.usage is not None
    assert settled(found.usage) == Usage(1200, 200, 0, 350, 50)


def test_what_a_model_writes_is_not_taken_for_usage() -> None:
    text = '"usage": {"prompt_tokens": 1}, "model": "cheap"'
    body = encoded({"model": "big", "usage": OPENAI_USAGE, "data": [text] * 2_000})
    assert len(body) > LIMIT_BYTES
    found = read(ends_of(body))
    assert found.model == "big"
    assert found.usage is not None
    assert settled(found.usage).input == 1200


def test_the_name_of_a_model_is_made_fit_to_be_stored() -> None:
    assert short(" a\nb\ud800" + "x" * 300) == "a b " + "x" * 195
