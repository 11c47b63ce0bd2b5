"""Events and facts: what a plugin may get wrong is refused by name before it is stored."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

from nullspend_margins.domain.cost import MAX_COST_NANODOLLARS, MAX_COUNT, CostEvent, CostFact
from nullspend_margins.domain.money import NANODOLLARS_PER_MICRODOLLAR
from nullspend_margins.errors import ValidationFailed
from tests.storage.builders import event, fact

NUMBERS = [
    "cost_nanodollars",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "duration_ms",
]
TEXTS = {"provider": 100, "model": 200, "tag_value": 256}
LABELS = {
    "session_id": 1000,
    "trace_id": 1000,
    "tool_name": 1000,
    "tool_server": 1000,
    "reported_source": 1000,
    "event_type": 256,
}
DIRTY = ["a\x00", "a\n", "\x7f", "\x85", "\ud800"]


class Undecided(tzinfo):
    """A time zone that does not say where it is."""

    def utcoffset(self, _moment: datetime | None) -> None:
        return None


def refused(name: str, value: object, build: Any = event) -> str:
    """Why ``value`` is refused; the error names the field ``name`` and no other."""
    with pytest.raises(ValidationFailed) as raised:
        build("1", **{name: value})
    (issue,) = raised.value.issues
    assert issue["path"] == name
    return issue["message"]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [1.0, True, "1", float("nan")])
def test_a_number_is_an_int_and_nothing_like_it(name: str, value: object) -> None:
    assert refused(name, value) == f"must be an int, not {type(value).__name__}"


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_has_a_range(name: str) -> None:
    most = MAX_COST_NANODOLLARS if name == "cost_nanodollars" else MAX_COUNT
    assert refused(name, -1) == refused(name, most + 1) == f"must be 0 to {most}"
    assert getattr(event("1", **{name: most}), name) == most
    assert getattr(event("1", **{name: 0}), name) == 0


def test_only_the_duration_may_be_unknown() -> None:
    assert event("1", duration_ms=None).duration_ms is None
    for name in NUMBERS[:-1]:
        assert refused(name, None) == "must be an int, not NoneType"


def test_an_event_costs_at_most_a_million_dollars() -> None:
    assert MAX_COST_NANODOLLARS == 10**12 * NANODOLLARS_PER_MICRODOLLAR


@pytest.mark.parametrize("name", [*TEXTS, *LABELS])
@pytest.mark.parametrize("value", DIRTY)
def test_a_text_has_no_control_characters_and_no_lone_surrogates(name: str, value: str) -> None:
    assert "control characters" in refused(name, value)


@pytest.mark.parametrize(("name", "most"), [*TEXTS.items(), *LABELS.items()])
def test_a_text_has_a_limit(name: str, most: int) -> None:
    assert getattr(event("1", **{name: "ü" * most}), name) == "ü" * most
    assert refused(name, "ü" * (most + 1)) == f"must be at most {most} characters"
    assert refused(name, b"bytes") == "must be a str, not bytes"


def test_printable_is_not_asked_for() -> None:
    """What a terminal cannot show, such as a no-break space, is still text."""
    assert event("1", tag_value="a\u00a0b\u200d").tag_value == "a\u00a0b\u200d"


def test_provider_and_model_are_not_empty_but_the_customer_may_be() -> None:
    assert refused("provider", "") == refused("model", "") == "must not be empty"
    assert event("1", tag_value="", session_id="").tag_value == ""


@pytest.mark.parametrize("value", ["x", "openai\x1fkey\x1f0", "\x1e0123", "ü" * 1024])
def test_an_event_id_may_hold_our_own_separators(value: str) -> None:
    assert event(value).event_id == value


@pytest.mark.parametrize("value", ["", "x" * 1025, "a\x00", "a\n", "\ud800", 1, None])
def test_an_event_id_that_no_database_keeps_is_refused(value: Any) -> None:
    with pytest.raises(ValidationFailed) as raised:
        event(value)
    assert [issue["path"] for issue in raised.value.issues] == ["event_id"]


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (None, "must be a mapping of str to str, not NoneType"),
        (["a"], "must be a mapping of str to str, not list"),
        ({str(n): "" for n in range(11)}, "must be at most 10"),
        ({1: "a"}, "a key must be a str, not int"),
        ({"": "a"}, "a key must not be empty"),
        ({"k" * 65: "a"}, "a key must be at most 64 characters"),
        ({"team": 1}, "team must be a str, not int"),
        ({"team": "v" * 257}, "team must be at most 256 characters"),
        ({"team": "\x00"}, "team must not contain control characters or lone surrogates"),
    ],
)
def test_tags_are_a_few_short_texts(tags: object, message: str) -> None:
    assert refused("tags", tags) == message


def test_tags_within_their_limits_are_kept() -> None:
    tags = {f"{n:064}": "v" * 256 for n in range(10)}
    assert event("1", tags=tags).tags == tags


def nested(depth: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("value", [{"a": object()}, {"a": {1j}}, {"a": "\ud800"}, nested(100_000)])
def test_a_cost_breakdown_is_what_json_has(value: object) -> None:
    assert refused("cost_breakdown", value) == "must be values that JSON has"


def test_a_cost_breakdown_is_a_small_mapping() -> None:
    assert refused("cost_breakdown", [1]) == "must be a mapping, not list"
    assert event("1", cost_breakdown={"a": "x" * (8192 - 8)})
    assert (
        refused("cost_breakdown", {"a": "x" * (8192 - 7)}) == "must be at most 8192 bytes as JSON"
    )
    assert event("1", cost_breakdown={"input": 1, "parts": [0.5, None]})


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        (datetime(2026, 1, 1), "must have a time zone"),  # noqa: DTZ001 - that is the point
        (datetime(2026, 1, 1, tzinfo=Undecided()), "must have a time zone"),
        (date(2026, 1, 1), "must be a datetime, not date"),
        ("2026-01-01T00:00:00Z", "must be a datetime, not str"),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "must be in the years 1970 to 9998"),
        (datetime(9999, 1, 1, tzinfo=UTC), "must be in the years 1970 to 9998"),
        (
            datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=2))),
            "must be in the years 1970 to 9998, in UTC",
        ),
    ],
)
def test_an_event_occurs_at_an_instant_that_has_a_period(moment: object, message: str) -> None:
    assert refused("occurred_at", moment).startswith(message)


def test_the_first_and_the_last_instant_are_good() -> None:
    for moment in (
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(9999, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
    ):
        assert event("1", occurred_at=moment).occurred_at == moment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cost_nanodollars", 1.5),
        ("cost_nanodollars", True),
        ("cost_nanodollars", 2**62 + 1),
        ("cost_nanodollars", -(2**62) - 1),
        ("request_count", -1),
        ("request_count", MAX_COUNT + 1),
        ("request_count", False),
        ("provider", ""),
        ("model", "m" * 201),
        ("tag_value", "\x00"),
        ("tag_value", None),
        ("day", datetime(2026, 1, 1, tzinfo=UTC)),
        ("day", "2026-01-01"),
        ("day", date(1969, 12, 31)),
        ("day", date(9999, 1, 1)),
    ],
)
def test_a_fact_is_as_strict_as_an_event(name: str, value: object) -> None:
    refused(name, value, fact)


@pytest.mark.parametrize("key", ["", "k" * 513, "a\x00", 7])
def test_a_facts_key_is_a_text(key: Any) -> None:
    with pytest.raises(ValidationFailed, match="key: "):
        fact(key)


def test_a_fact_may_be_a_credit() -> None:
    assert fact("1", -(2**62)).cost_nanodollars == -(2**62)
    assert isinstance(fact("1"), CostFact)
    assert isinstance(event("1"), CostEvent)
