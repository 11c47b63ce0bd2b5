"""Words of forms and states, without a product."""

from __future__ import annotations

import pytest

from nullspend_margins import ConnectField, ConnectWay
from nullspend_margins.dashboard.connecting.forms import (
    asked_way,
    body_of,
    general_body,
    general_form,
    refusal,
    sentence,
    typed_in,
)
from nullspend_margins.dashboard.forms import Form
from nullspend_margins.errors import RateLimitExceeded, ServiceUnavailable, ValidationFailed

WAY = ConnectWay(
    name="both",
    label="Both",
    fields=[
        ConnectField(name="token", label="Token", secret=True),
        ConnectField(
            name="region", label="Region", kind="choice", options=[("eu", "EU")], required=False
        ),
    ],
)


def sent(**fields: str) -> Form:
    return Form([(f"field.{name}", value) for name, value in fields.items()], {})


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("must not be empty", "It must not be empty"),
        ("can't be used: no folder", "It can't be used: no folder"),
        ("is required", "It is required"),
        ("island is no country", "Island is no country"),
        ("line 3: no number", "Line 3: no number"),
        ("Fill this in.", "Fill this in."),
        ("", ""),
    ],
)
def test_a_message_about_a_field_is_a_sentence(message: str, told: str) -> None:
    assert sentence(message) == told


def test_what_is_optional_and_empty_is_left_out() -> None:
    assert body_of(WAY, sent(token="t", region="")) == {"token": "t"}
    assert body_of(WAY, sent(token="t", region="eu", other="x")) == {"token": "t", "region": "eu"}
    with pytest.raises(ValidationFailed) as caught:
        body_of(WAY, sent(region="eu"))
    assert [each["path"] for each in caught.value.issues] == ["token"]


def test_secrets_are_not_shown_again() -> None:
    assert typed_in(WAY, sent(token="hush", region="eu")) == {"region": "eu"}


def test_a_way_that_there_is_not_is_the_first() -> None:
    form = general_form("acme")
    assert asked_way(form, "other") is form.ways[0]
    assert asked_way(form, None) is form.ways[0]


@pytest.mark.parametrize("text", ["[1]", "{", "{]", "= 5", "token", '{"a": ' * 5000])
def test_what_are_no_fields_is_told(text: str) -> None:
    with pytest.raises(ValidationFailed):
        general_body(sent(body=text))


def test_fields_may_have_anything_behind_the_first_sign() -> None:
    assert general_body(sent(body="a = b=c\n\n d=")) == {"a": "b=c", "d": ""}


def test_problems_of_other_fields_stand_above_the_form() -> None:
    problem = ValidationFailed.of(("token", "must be a token"), ("", "is odd"), ("x", "is odd"))
    told = refusal(WAY, problem, {})
    assert told.messages == {"token": ["It must be a token"]}
    assert told.message == "It is odd x: is odd"
    bare = refusal(WAY, ValidationFailed("No."), {})
    assert (bare.message, bare.status) == ("No.", 400)


def test_what_passes_is_not_taken_for_a_refusal() -> None:
    told = refusal(WAY, ServiceUnavailable("The host does not answer."), {})
    assert (told.kind, told.status) == ("unavailable", 503)
    assert refusal(WAY, RateLimitExceeded("Slow.", retry_after_seconds=5), {}).status == 429
