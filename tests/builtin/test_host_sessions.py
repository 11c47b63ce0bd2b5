"""Hosts that know who is signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from nullspend_margins import (
    AuthenticationRequired,
    CallableAuthenticator,
    Principal,
    ScopeSessionAuthenticator,
)
from nullspend_margins.plugins.contracts import problems_of

ADA = Principal(org_id="org_1", user_id="ada", role="admin")
FULL = {"org_id": "org_1", "user_id": "ada", "role": "admin"}


async def from_session(session: object, **settings: Any) -> Principal | None:
    return await ScopeSessionAuthenticator(**settings).authenticate({"session": session})


async def from_function(answer: object) -> Principal | None:
    return await CallableAuthenticator(lambda scope: answer).authenticate({})  # type: ignore[arg-type, return-value]


async def test_a_full_session_is_a_principal() -> None:
    assert await from_session(FULL) == ADA


async def test_keys_and_name_are_the_hosts() -> None:
    session = {"tenant": "org_1", "sub": "ada", "is": "admin"}
    settings = {"org_key": "tenant", "user_key": "sub", "role_key": "is", "name": "mine"}
    assert await from_session(session, **settings) == ADA
    assert ScopeSessionAuthenticator(name="mine").name == "mine"


async def test_ids_may_be_numbers_or_uuids() -> None:
    org = UUID(int=7)
    found = await from_session({"org_id": org, "user_id": 12, "role": "viewer"})
    assert found == Principal(org_id=str(org), user_id="12", role="viewer")


async def test_a_session_without_roles_takes_the_default_one() -> None:
    session = {"org_id": "org_1", "user_id": "ada"}
    assert await from_session(session, default_role="admin") == ADA
    with pytest.raises(AuthenticationRequired, match="role is missing"):
        await from_session(session)


@pytest.mark.parametrize("session", [None, {}, {"csrf": "x"}])
async def test_nobody_signed_in_is_nobody(session: object) -> None:
    assert await from_session(session) is None
    assert await ScopeSessionAuthenticator().authenticate({}) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"org_id": None}, "org_id is missing"),
        ({"user_id": None}, "user_id is missing"),
        ({"role": "root"}, "Principal.role must be one of"),
        ({"org_id": True}, "org_id is a bool"),
        ({"user_id": ["ada"]}, "user_id is a list"),
        ({"org_id": "x" * 257}, "Principal.org_id must be at most 256"),
    ],
)
async def test_half_a_session_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(AuthenticationRequired, match=message):
        await from_session({**FULL, **change})
    with pytest.raises(AuthenticationRequired, match=message):
        await from_function({**FULL, **change})


@pytest.mark.parametrize("answer", [ADA, FULL])
async def test_a_function_answers_with_a_principal_or_a_mapping(answer: Any) -> None:
    async def later(scope: object) -> Any:
        return answer

    assert await from_function(answer) == ADA
    assert await CallableAuthenticator(later).authenticate({}) == ADA


async def test_a_function_gets_the_scope_and_may_know_nobody() -> None:
    seen: list[object] = []
    assert await CallableAuthenticator(seen.append).authenticate({"path": "/"}) is None
    assert seen == [{"path": "/"}]


async def test_a_function_may_refuse() -> None:
    def refuse(scope: object) -> None:
        raise AuthenticationRequired("locked")

    with pytest.raises(AuthenticationRequired, match="locked"):
        await CallableAuthenticator(refuse).authenticate({})


async def test_a_function_that_answers_otherwise_is_a_defect() -> None:
    with pytest.raises(TypeError, match="of authenticator host returned a str; it must return"):
        await from_function("ada")


def test_what_is_no_function_is_found_at_once() -> None:
    with pytest.raises(TypeError, match="did you call it"):
        CallableAuthenticator(FULL)  # type: ignore[arg-type]


def test_both_keep_the_protocol() -> None:
    assert problems_of("authenticator", ScopeSessionAuthenticator()) == []
    asked = CallableAuthenticator(lambda scope: None, name="tokens", bearer=True)
    assert problems_of("authenticator", asked) == []
    assert (asked.name, asked.bearer) == ("tokens", True)


def test_a_default_role_is_one_that_there_is() -> None:
    with pytest.raises(ValueError, match=r"default_role must be one of viewer, .*, not 'boss'"):
        ScopeSessionAuthenticator(default_role="boss")


@pytest.mark.parametrize("fn", [lambda: None, lambda scope, more: None, lambda *, scope: None])
def test_a_function_that_takes_no_scope_is_refused(fn: Any) -> None:
    with pytest.raises(TypeError, match=r"takes \(.*\); it is called with \(scope\)"):
        CallableAuthenticator(fn)
