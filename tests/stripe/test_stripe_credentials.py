"""Which keys are taken, and what is said of the others."""

from __future__ import annotations

import pytest

from nullspend_margins import Credential, ValidationFailed
from nullspend_margins_stripe.credentials import label_of, parse_credential

REST = "51Abcdefghijklmnopqrstuvwx"


def refusal(value: object, environment: str = "development") -> str:
    with pytest.raises(ValidationFailed) as caught:
        parse_credential({"stripeKey": value}, environment=environment)
    [issue] = caught.value.issues
    assert issue["path"] == "stripeKey"
    assert REST not in caught.value.message
    return issue["message"]


@pytest.mark.parametrize("prefix", ["rk_live_", "rk_test_"])
@pytest.mark.parametrize("environment", ["development", "production"])
def test_restricted_keys_are_accepted_everywhere(prefix: str, environment: str) -> None:
    found = parse_credential({"stripeKey": prefix + REST}, environment=environment)

    assert found == Credential(secret=prefix + REST, label=f"{prefix}51Ab...uvwx")


def test_a_secret_test_key_is_accepted_outside_production_only() -> None:
    key = "sk_test_" + REST

    assert parse_credential({"stripeKey": key}, environment="development").secret == key
    assert "secret key" in refusal(key, "production")


def test_spaces_and_line_ends_around_the_key_are_trimmed() -> None:
    found = parse_credential({"stripeKey": f" \n rk_live_{REST}\r\n"}, environment="production")

    assert found.secret == "rk_live_" + REST


@pytest.mark.parametrize("length", [1, 490])
def test_a_key_has_1_to_490_characters_after_its_prefix(length: int) -> None:
    assert parse_credential({"stripeKey": "rk_live_" + "a" * length}, environment="production")


@pytest.mark.parametrize("sign", sorted(set(map(chr, range(0x21, 0x7F))) - {"*"}))
def test_a_key_may_hold_any_visible_sign_of_ascii(sign: str) -> None:
    key = f"rk_live_51Ab{sign}cdef"

    assert parse_credential({"stripeKey": key}, environment="production").secret == key


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("sk_live_" + REST, "restricted key"),
        ("pk_live_" + REST, "publishable"),
        ("whsec_" + REST, "webhook"),
        ("ns_live_sk_" + REST, "NullSpend"),
        ("acct_" + REST, "account id"),
        ("rk_live_", "copy the whole key"),
        ("rk_live_51Ab****uvwx", "shortened"),
        ("rk_live_51Ab...uvwx", "shortened"),
        ("rk_live_51Ab…uvwx", "shortened"),
        ("rk_live_*", "shortened"),
        ("rk_live_" + "a" * 491, "too long"),
        (f"rk_live_{REST} rk_live_{REST}", "characters"),
        (f"rk_live_{REST}\nX-Header: 1", "characters"),
        ("rk_live_ключ", "characters"),
        (f"rk_live_{REST}\x7f", "characters"),
        ("rk_prod_" + REST, "not a Stripe API key"),
        ("hello", "not a Stripe API key"),
        ("", "empty"),
        ("  ", "empty"),
    ],
)
def test_a_wrong_key_is_refused_with_a_guess_at_the_mistake(value: str, hint: str) -> None:
    assert hint in refusal(value)


@pytest.mark.parametrize("value", [None, 1, True, ["rk_live_x"], {"key": "rk_live_x"}])
def test_a_key_that_is_no_string_is_refused(value: object) -> None:
    assert refusal(value)


def test_a_missing_key_is_refused_by_name() -> None:
    with pytest.raises(ValidationFailed, match="stripeKey: is required"):
        parse_credential({"key": "rk_live_x"}, environment="development")


def test_the_label_is_the_first_12_and_the_last_4_characters() -> None:
    assert label_of("rk_live_abcdEFGHijklMNOP") == "rk_live_abcd...MNOP"


def test_the_secret_is_not_in_the_repr() -> None:
    found = parse_credential({"stripeKey": "rk_live_" + REST}, environment="production")

    assert REST not in repr(found)
