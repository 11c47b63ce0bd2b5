"""What pages sign: for one person, for a while."""

from dataclasses import replace

import pytest

from nullspend_margins.config import Secret, SessionSettings
from nullspend_margins.dashboard.tokens import Notice, Tokens
from nullspend_margins.errors import Forbidden
from nullspend_margins.protocols import Principal
from tests.world import FixedClock

SETTINGS = SessionSettings(secret_keys=(Secret("k" * 40),), max_age_seconds=3600)
ADA = Principal(org_id="org_1", user_id="ada", role="admin")
NOTICE = Notice(text="Mapped.", undo_path="/matching/undo", undo_fields={"id": "1"})


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def tokens(clock: FixedClock) -> Tokens:
    return Tokens(SETTINGS, clock)


def test_a_form_token_is_good_for_whom_it_was_made(tokens: Tokens) -> None:
    tokens.check_form_token(ADA, tokens.form_token(ADA))


def test_no_two_form_tokens_are_alike(tokens: Tokens) -> None:
    assert tokens.form_token(ADA) != tokens.form_token(ADA)


@pytest.mark.parametrize(
    "other",
    [replace(ADA, user_id="bob"), replace(ADA, org_id="org_2")],
    ids=["person", "org"],
)
def test_nobody_else_can_use_a_form_token(tokens: Tokens, other: Principal) -> None:
    with pytest.raises(Forbidden, match="Load the page again"):
        tokens.check_form_token(other, tokens.form_token(ADA))


def test_a_form_token_ages(tokens: Tokens, clock: FixedClock) -> None:
    token = tokens.form_token(ADA)
    clock.advance(seconds=3600)
    tokens.check_form_token(ADA, token)
    clock.advance(seconds=1)
    with pytest.raises(Forbidden):
        tokens.check_form_token(ADA, token)


def test_a_form_token_of_a_host_whose_clock_is_ahead_is_good(
    tokens: Tokens, clock: FixedClock
) -> None:
    clock.advance(seconds=5)
    token = tokens.form_token(ADA)
    clock.advance(seconds=-5)
    tokens.check_form_token(ADA, token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é"])
def test_what_is_no_form_token_is_refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(Forbidden):
        tokens.check_form_token(ADA, token)


def test_a_session_cookie_and_a_notice_are_no_form_tokens(tokens: Tokens) -> None:
    with pytest.raises(Forbidden):
        tokens.check_form_token(ADA, tokens.sign_notice(ADA, NOTICE))


def test_a_retired_key_verifies_and_a_removed_one_does_not(clock: FixedClock) -> None:
    old, new = Secret("o" * 40), Secret("n" * 40)
    token = Tokens(replace(SETTINGS, secret_keys=(old,)), clock).form_token(ADA)
    Tokens(replace(SETTINGS, secret_keys=(new, old)), clock).check_form_token(ADA, token)
    with pytest.raises(Forbidden):
        Tokens(replace(SETTINGS, secret_keys=(new,)), clock).check_form_token(ADA, token)


def test_a_notice_is_read_once_it_is_there_and_for_a_minute(
    tokens: Tokens, clock: FixedClock
) -> None:
    cookie = tokens.sign_notice(ADA, NOTICE)
    assert tokens.read_notice(ADA, cookie) == NOTICE
    assert tokens.read_notice(replace(ADA, user_id="bob"), cookie) is None
    clock.advance(seconds=61)
    assert tokens.read_notice(ADA, cookie) is None
    assert tokens.read_notice(ADA, "forged") is None
    assert tokens.read_notice(ADA, tokens.form_token(ADA)) is None


def test_what_a_form_keeps_comes_back_for_its_person_and_purpose(tokens: Tokens) -> None:
    kept = tokens.keep(ADA, "undo", [["cus_1", None], 1])
    assert tokens.kept(ADA, "undo", kept) == [["cus_1", None], 1]


@pytest.mark.parametrize(
    ("who", "purpose", "change"),
    [
        (replace(ADA, user_id="bob"), "undo", ""),
        (replace(ADA, org_id="org_2"), "undo", ""),
        (ADA, "upload", ""),
        (ADA, "undo", "x"),
    ],
    ids=["person", "org", "purpose", "text"],
)
def test_what_a_form_keeps_is_nobody_elses(
    tokens: Tokens, who: Principal, purpose: str, change: str
) -> None:
    kept = tokens.keep(ADA, "undo", 1)
    with pytest.raises(Forbidden):
        tokens.kept(who, purpose, kept + change)


def test_what_a_form_keeps_ends_with_the_session(tokens: Tokens, clock: FixedClock) -> None:
    kept = tokens.keep(ADA, "undo", 1)
    clock.advance(seconds=3600)
    assert tokens.kept(ADA, "undo", kept) == 1
    clock.advance(seconds=1)
    with pytest.raises(Forbidden):
        tokens.kept(ADA, "undo", kept)


@pytest.mark.parametrize("text", ["", "x", "a.b.c"])
def test_what_nobody_kept_is_refused(tokens: Tokens, text: str) -> None:
    with pytest.raises(Forbidden):
        tokens.kept(ADA, "undo", text)
    with pytest.raises(Forbidden):
        tokens.kept(ADA, "undo", tokens.form_token(ADA))
