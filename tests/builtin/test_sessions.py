"""The signed session cookie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from nullspend_margins import AuthenticationRequired, Principal
from nullspend_margins.builtin.sessions import SignedSessionAuthenticator, sign_session
from nullspend_margins.config import Config, Secret, SessionSettings, config_from_mapping

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLD, NEW = "old-session-key-" * 3, "new-session-key-" * 3


@dataclass
class Clock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


def configured(*keys: str) -> Config:
    return config_from_mapping({"session": {"secret_keys": list(keys)}}, keep_secrets=False)


def signed(*keys: str, role: str = "admin") -> str:
    return sign_session(configured(*keys), org_id="org_1", user_id="u1", role=role, clock=Clock())


def scope(*cookies: str) -> dict[str, Any]:
    headers = [(b"accept", b"*/*"), *((b"cookie", each.encode()) for each in cookies)]
    return {"type": "http", "headers": headers}


async def ask(*cookies: str, keys: tuple[str, ...] = (NEW,), clock: Clock | None = None) -> Any:
    settings = configured(*keys).session
    return await SignedSessionAuthenticator(settings, clock=clock or Clock()).authenticate(
        scope(*cookies)
    )


async def test_a_signed_session_is_read_back() -> None:
    found = await ask(f"theme=dark; nullspend_session={signed(NEW)}; lang=en")
    assert found == Principal(org_id="org_1", user_id="u1", role="admin")


async def test_without_the_cookie_it_is_somebody_elses_request() -> None:
    assert await ask() is None
    assert await ask("session=x; nullspend_session2=y") is None


async def test_the_first_key_signs_and_all_verify() -> None:
    assert await ask(f"nullspend_session={signed(OLD)}", keys=(NEW, OLD)) is not None
    assert await ask(f"nullspend_session={signed(NEW, OLD)}", keys=(NEW,)) is not None
    with pytest.raises(AuthenticationRequired):
        await ask(f"nullspend_session={signed(NEW, OLD)}", keys=(OLD,))


async def test_a_session_ends_after_its_age() -> None:
    cookie = f"nullspend_session={signed(NEW)}"
    assert await ask(cookie, clock=Clock(NOW + timedelta(hours=12))) is not None
    with pytest.raises(AuthenticationRequired, match="expired: sign in again"):
        await ask(cookie, clock=Clock(NOW + timedelta(hours=12, seconds=1)))


async def test_one_authenticator_ends_a_session_that_it_knows() -> None:
    clock = Clock()
    asked = SignedSessionAuthenticator(configured(NEW).session, clock=clock)
    person = scope(f"nullspend_session={signed(NEW)}")
    assert await asked.authenticate(person) == await asked.authenticate(person)
    clock.moment = NOW + timedelta(hours=12, seconds=1)
    with pytest.raises(AuthenticationRequired, match="expired: sign in again"):
        await asked.authenticate(person)


async def test_one_authenticator_tells_people_and_forgeries_apart() -> None:
    asked = SignedSessionAuthenticator(configured(NEW).session, clock=Clock())
    for role in ("viewer", "owner", "viewer"):
        found = await asked.authenticate(scope(f"nullspend_session={signed(NEW, role=role)}"))
        assert found == Principal(org_id="org_1", user_id="u1", role=role)
        for _ in range(2):
            with pytest.raises(AuthenticationRequired, match="not valid here"):
                await asked.authenticate(scope(f"nullspend_session={signed(OLD, role=role)}"))


async def test_a_session_from_a_host_whose_clock_is_ahead_is_good() -> None:
    assert await ask(f"nullspend_session={signed(NEW)}", clock=Clock(NOW - timedelta(minutes=5)))


@pytest.mark.parametrize("change", [lambda v: v[:-1], lambda v: "x" + v, lambda v: "", str.upper])
async def test_a_changed_cookie_is_refused(change: Any) -> None:
    with pytest.raises(AuthenticationRequired, match="not valid here"):
        await ask(f"nullspend_session={change(signed(NEW))}")


async def test_a_signature_made_for_another_purpose_is_refused() -> None:
    other = URLSafeTimedSerializer(NEW, salt="password-reset")
    value = str(other.dumps({"org": "org_1", "user": "u1", "role": "owner"}))
    with pytest.raises(AuthenticationRequired):
        await ask(f"nullspend_session={value}")


async def test_of_several_cookies_of_the_name_the_good_one_counts() -> None:
    good = signed(NEW)
    assert await ask(f"nullspend_session=forged; nullspend_session={good}") is not None
    assert await ask(f"nullspend_session={good}", "nullspend_session=forged") is not None


async def test_the_cookies_name_is_configuration() -> None:
    settings = SessionSettings(secret_keys=(Secret(NEW),), cookie_name="acme")
    config = replace(configured(NEW), session=settings)
    value = sign_session(config, org_id="o", user_id="u", role="viewer", clock=Clock())
    asked = SignedSessionAuthenticator(settings, clock=Clock())
    assert await asked.authenticate(scope(f"acme={value}")) is not None
    assert await asked.authenticate(scope(f"nullspend_session={value}")) is None


def test_a_role_that_does_not_exist_is_not_signed() -> None:
    with pytest.raises(ValueError, match="role must be one of"):
        signed(NEW, role="root")


@given(st.binary(max_size=200))
async def test_no_bytes_break_the_reading_of_cookies(noise: bytes) -> None:
    asked = SignedSessionAuthenticator(configured(NEW).session, clock=Clock())
    headers = [(b"cookie", noise), (b"cookie", b"nullspend_session=" + noise)]
    with pytest.raises(AuthenticationRequired):
        await asked.authenticate({"type": "http", "headers": headers})
