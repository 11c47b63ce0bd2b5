"""Who may see margins in the proxy: those whom its roles name, in the org of their key."""

from __future__ import annotations

from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from nullspend_margins import (
    AuthenticationRequired,
    MarginsError,
    Principal,
    Scope,
    ServiceUnavailable,
)
from nullspend_margins.testing import http_scope
from nullspend_margins_litellm.authenticator import LiteLLMAuthenticator
from tests.litellm_plugin.support import settings


class Role(StrEnum):
    """As the proxy has them."""

    ADMIN = "proxy_admin"
    VIEWER = "proxy_admin_viewer"
    INTERNAL = "internal_user"


async def signed_in(found: Any, *, headers: Any = (), **table: Any) -> Principal | None:
    """Whom the proxy's answer ``found`` signs in; an exception is raised by the proxy."""

    async def ask(_key: str, _scope: Scope) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    scope = http_scope(bearer="sk-of-somebody")
    scope = {**scope, "headers": [*scope["headers"], *headers]}
    return await LiteLLMAuthenticator(settings(**table), ask=ask).authenticate(scope)


def key(role: Any, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(user_role=role, user_id="ada", **more)


async def test_administrators_are_owners_and_their_viewers_viewers() -> None:
    assert await signed_in(key(Role.ADMIN)) == Principal(
        org_id="org_1", user_id="ada", role="owner"
    )
    viewer = await signed_in(key(Role.VIEWER))
    assert viewer is not None
    assert viewer.role == "viewer"


@pytest.mark.parametrize("role", [Role.INTERNAL, "team", None, "", 7, "owner"])
async def test_all_other_roles_are_denied_unless_they_are_listed(role: object) -> None:
    with pytest.raises(AuthenticationRequired):
        await signed_in(key(role))
    if isinstance(role, str) and role:
        listed = await signed_in(key(role), roles={str(getattr(role, "value", role)): "member"})
        assert listed is not None
        assert listed.role == "member"


async def test_keys_without_a_role_can_be_listed_as_none() -> None:
    found = await signed_in(key(None), roles={"none": "viewer"})
    assert found is not None


async def test_the_org_is_that_of_the_keys_team_or_organization() -> None:
    orgs = {"t": "org_2", "o": "org_3"}
    for more, org in (({"team_id": "t"}, "org_2"), ({"org_id": "o"}, "org_3"), ({}, "org_1")):
        found = await signed_in(key(Role.INTERNAL, **more), orgs=orgs, roles=ALL)
        assert found is not None
        assert found.org_id == org
    with pytest.raises(AuthenticationRequired):
        await signed_in(key(Role.INTERNAL), org=None, orgs=orgs, roles=ALL)


ALL = {"internal_user": "admin", "proxy_admin": "owner"}


async def test_administrators_alone_may_choose_an_org() -> None:
    orgs, wanted = {"t": "org_2"}, [(b"x-nullspend-org", b"org_2")]
    chosen = await signed_in(key(Role.ADMIN), headers=wanted, orgs=orgs)
    assert chosen is not None
    assert chosen.org_id == "org_2"
    other = await signed_in(key(Role.INTERNAL), headers=wanted, orgs=orgs, roles=ALL)
    assert other is not None
    assert other.org_id == "org_1"
    for headers in ([(b"x-nullspend-org", b"org_9")], [*wanted, (b"x-nullspend-org", b"org_1")]):
        with pytest.raises(AuthenticationRequired):
            await signed_in(key(Role.ADMIN), headers=headers, orgs=orgs)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (SimpleNamespace(status_code=403), AuthenticationRequired),
        (SimpleNamespace(code="401"), AuthenticationRequired),
        (SimpleNamespace(code=400), AuthenticationRequired),
        (SimpleNamespace(status_code=500), ServiceUnavailable),
        (SimpleNamespace(code="503"), ServiceUnavailable),
        (SimpleNamespace(code="P1001"), ServiceUnavailable),
        (SimpleNamespace(), ServiceUnavailable),
    ],
    ids=str,
)
async def test_whatever_the_proxy_raises_is_a_no(
    problem: SimpleNamespace, expected: type[MarginsError]
) -> None:
    error = RuntimeError("sk-of-somebody is not known")
    vars(error).update(vars(problem))
    with pytest.raises(expected) as caught:
        await signed_in(error, roles=ALL)
    assert "sk-of-somebody" not in str(caught.value)
    assert caught.value.__context__ is None


async def test_what_the_proxy_makes_up_while_its_database_is_away_signs_nobody_in() -> None:
    made_up = key(Role.INTERNAL, token="failed-to-connect-to-db")
    with pytest.raises(ServiceUnavailable):
        await signed_in(made_up, roles=ALL)


@pytest.mark.parametrize("role", [Role.INTERNAL, None])
async def test_whom_the_proxy_lets_in_without_a_look_at_the_key_is_signed_in_by_nothing(
    role: Role | None,
) -> None:
    """As on a route that ``public_routes`` names."""
    roles = {"internal_user": "viewer", "none": "viewer"}
    anybody = SimpleNamespace(user_role=role, api_key=None, token=None, user_id=None, team_id=None)
    with pytest.raises(AuthenticationRequired):
        await signed_in(anybody, roles=roles)
    anybody.team_id = "t"
    assert await signed_in(anybody, roles=roles) is not None


async def test_outside_of_the_proxy_a_key_is_somebody_elses_business() -> None:
    assert await LiteLLMAuthenticator(settings()).authenticate(http_scope(bearer="sk-x")) is None
