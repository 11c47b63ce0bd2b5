"""The limits that the document tells are those that are enforced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.domain.period import Period
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.plugins.contracts import problems_of
from nullspend_margins.web.wire.events import CostEvent
from nullspend_margins.web.wire.mappings import MappingRequest
from nullspend_margins_stripe.credentials import parse_credential
from tests.openapi.document import Json, nodes, parameter, problems, schemas


def decodes(kind: type, value: object) -> bool:
    try:
        msgspec.json.decode(json.dumps(value).encode(), type=kind)
    except (msgspec.ValidationError, UnicodeError):
        return False
    return True


PROBES = (
    *("", "a", "é", "a\x00", "\x1f", "\x7f", "\x80", "\x9f", "\xa0", "a\n", "\u2028", "😀"),
    *("x" * length for length in (64, 65, 100, 101, 200, 201, 256, 257, 1000, 1001)),
    *("llm", "tool", "custom", "LLM", "manual", "auto", "other"),
    *(0, -1, 1, 2**53 - 1, 2**53, 10**12, 10**12 + 1, 10**30, 0.5, True, False, None),
    *([], {}, {"a": "b"}, {"a b": "b"}, {"": "b"}, {"k" * 64: "b"}, {"k" * 65: "b"}, {"é": "b"}),
    *({"a": 1}, {"a": None}, {"a": "\n"}, {"a\n": ""}, {"a": "x" * 256}, {"a": "x" * 257}),
    *({str(number): "" for number in range(count)} for count in (10, 11)),
)  # fmt: skip
"""At the limits of something, and beyond them. Not 5.0, which JSON Schema takes for an integer."""
LATER = {"occurredAt", "costBreakdown"}
"""Fields that are looked at again after the body is read."""


@pytest.mark.parametrize(
    ("kind", "sound"),
    [
        (
            CostEvent,
            dict.fromkeys(("inputTokens", "outputTokens", "costMicrodollars"), 1)
            | {"provider": "p", "model": "m"},
        ),
        (MappingRequest, {"stripeCustomerId": "c", "tagValue": "t"}),
    ],
)
def test_what_a_body_may_hold_is_what_is_taken(kind: type, sound: Json) -> None:
    schema = schemas()[kind.__name__]
    for field in schema["properties"].keys() - LATER:
        for probe in PROBES:
            body = {**sound, field: probe}
            assert decodes(kind, body) is (problems(schema, body) == []), (field, probe)
    for field in sound:
        assert field in schema["required"]
        assert not decodes(kind, {name: sound[name] for name in sound.keys() - {field}})


def pattern_of(schema: Json) -> re.Pattern[str]:
    """Compiled for Python, whose ``$`` would also match before a final newline."""
    [pattern] = {node["pattern"] for node in nodes(schema) if "pattern" in node}
    return re.compile(pattern.removesuffix("$") + r"\Z")


@pytest.mark.parametrize("name", ["a", "A.b_c-1", "x" * 64, "x" * 65, "", "a b", "é", "a/b", "-a"])
def test_the_names_of_providers_are_those_that_plugins_may_have(name: str) -> None:
    named = SimpleNamespace(name=name)
    found = [each for each in problems_of("notifier", named) if "has the name" in each]
    assert (found == []) is (problems(parameter("provider"), name) == [])


_MONTHS = (f"{year:04d}-{month:02d}" for year in range(10_000) for month in range(14))
_NEARLY = ("", "2026", "2026-1", "2026-011", "26-01", "2026-01\n", " 2026-01", "٢٠٢٦-01", "2026/01")


def test_the_pattern_of_periods_is_what_is_read() -> None:
    pattern = pattern_of(parameter("period"))
    for text in (*_MONTHS, *_NEARLY):
        assert is_taken(Period.parse, text) is (pattern.match(text) is not None), text


_KEYS = st.from_regex(r"\A\s?(rk_live|rk_test|sk_test|sk_live|pk_live)_[!-~ é*.]{0,9}\s?\Z")


@given(_KEYS | st.integers(488, 492).map(lambda length: f"rk_live_{'x' * length}"))
def test_the_pattern_of_stripe_keys_is_what_is_taken(text: str) -> None:
    pattern = pattern_of(schemas()["StripeKey"]["properties"]["stripeKey"])
    parse = partial(parse_credential, environment="development")
    assert is_taken(parse, {"stripeKey": text}) is (pattern.match(text) is not None)


def is_taken(read: Callable[..., object], *arguments: object) -> bool:
    try:
        read(*arguments)
    except ValidationFailed:
        return False
    return True
