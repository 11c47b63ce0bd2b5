"""An authenticator that keeps every rule, and those that each break one."""

from __future__ import annotations

import hmac
import logging
from typing import Any, ClassVar

from nullspend_margins import (
    AuthenticationRequired,
    Principal,
    Scope,
    ServiceUnavailable,
)
from nullspend_margins.testing import (
    AuthenticatorSuite,
    http_scope,
)
from tests.testing.support import network

KEY = "key_0123456789abcdef0123456789abcdef"
ADA = Principal(org_id="org_1", user_id="ada", role="admin")


class Keys:
    name = "keys"
    bearer = False

    def __init__(self, *, down: bool = False) -> None:
        self.down = down

    async def authenticate(self, scope: Scope) -> Principal | None:
        key = dict(scope["headers"]).get(b"x-acme-key")
        if key is None:
            return None
        await network()
        if self.down:
            raise ServiceUnavailable("Acme does not say whose key this is.")
        return await self.person(key)

    async def person(self, key: bytes) -> Principal | None:
        if not hmac.compare_digest(key, KEY.encode()):
            raise AuthenticationRequired("This key is not valid any more.")
        return ADA


class KeysRules(AuthenticatorSuite):
    plugin: ClassVar[type[Keys]] = Keys
    good = http_scope({"X-Acme-Key": KEY})
    refused = (http_scope({"X-Acme-Key": "key_that_was_revoked"}),)
    principal = ADA

    def make(self) -> Keys:
        return self.plugin()

    def make_unreachable(self) -> Keys:
        return self.plugin(down=True)


class AnswersAMapping(Keys):
    async def person(self, key: bytes) -> Any:
        found = await super().person(key)
        return {"org_id": "org_1", "role": "admin"} if found else None


class RefusesWithoutAKey(Keys):
    async def authenticate(self, scope: Scope) -> Principal | None:
        if b"x-acme-key" not in dict(scope["headers"]):
            raise AuthenticationRequired
        return await super().authenticate(scope)


class LeavesRefusedToOthers(Keys):
    async def person(self, key: bytes) -> Principal | None:
        try:
            return await super().person(key)
        except AuthenticationRequired:
            return None


class QuotesTheKey(Keys):
    async def person(self, key: bytes) -> Principal | None:
        try:
            return await super().person(key)
        except AuthenticationRequired:
            raise AuthenticationRequired(f"{key!r} is not valid any more.") from None


class DecodesStrictly(Keys):
    async def person(self, key: bytes) -> Principal | None:
        return await super().person(key.decode().encode())


class ComparesTheBeginning(Keys):
    async def person(self, key: bytes) -> Principal | None:
        return ADA if key.startswith(KEY[:12].encode()) else await super().person(key)


class ReadsBearerInSecret(Keys):
    async def authenticate(self, scope: Scope) -> Principal | None:
        token = dict(scope["headers"]).get(b"authorization", b"")[7:]
        return ADA if token == KEY.encode() else await super().authenticate(scope)


class LogsTheKey(Keys):
    async def person(self, key: bytes) -> Principal | None:
        logging.getLogger("acme").info("key %s", key.decode("latin-1"))
        return await super().person(key)


class NobodyWhenDown(Keys):
    async def authenticate(self, scope: Scope) -> Principal | None:
        return None if self.down else await super().authenticate(scope)


class WritesIntoTheScope(Keys):
    async def authenticate(self, scope: Any) -> Principal | None:
        scope["user"] = "seen"
        return await super().authenticate(scope)


AUTHENTICATORS: dict[str, type] = {
    "test_a_good_credential_gives_its_principal": AnswersAMapping,
    "test_a_request_without_a_credential_is_not_its_own": RefusesWithoutAKey,
    "test_a_refused_credential_is_refused": LeavesRefusedToOthers,
    "test_a_refusal_does_not_repeat_the_credential": QuotesTheKey,
    "test_garbage_is_no_reason_to_fail": DecodesStrictly,
    "test_a_tampered_credential_signs_nobody_in": ComparesTheBeginning,
    "test_without_bearer_a_token_signs_nobody_in": ReadsBearerInSecret,
    "test_no_log_line_tells_a_credential": LogsTheKey,
    "test_an_outage_is_not_an_answer": NobodyWhenDown,
    "test_the_scope_is_left_as_it_was": WritesIntoTheScope,
}
