"""The rules of an authenticator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

import pytest

from nullspend_margins.domain.access import ROLES
from nullspend_margins.errors import AuthenticationRequired, MarginsError
from nullspend_margins.protocols import Authenticator, Principal, Scope
from nullspend_margins.testing.logs import logged_lines
from nullspend_margins.testing.outcomes import (
    described,
    outcome,
    require_answer,
    require_error,
    tells,
)
from nullspend_margins.testing.rules import RuleBroken, rule
from nullspend_margins.testing.samples import http_scope
from nullspend_margins.testing.scopes import anonymous, copied, garbled, secrets, tampered
from nullspend_margins.testing.suite import PluginSuite, Question


class AuthenticatorSuite(PluginSuite[Authenticator]):
    """State ``good`` and ``refused`` scopes; ``http_scope`` makes them."""

    good: Scope
    """A request with a credential that signs somebody in."""

    refused: Scope | Sequence[Scope] | None
    """Requests with a forged, expired or revoked credential; ``None`` when there can't be one."""

    principal: Principal | None = None
    """Whom ``good`` signs in; left out, any principal will do."""

    _kind = "authenticator"
    _facts = MappingProxyType(
        {
            "good": 'a scope that signs somebody in, for example http_scope(bearer="...")',
            "refused": "a scope with a forged or expired credential (or a list of them); "
            "None if there can't be one",
        }
    )

    def _questions(self) -> Sequence[Question[Authenticator]]:
        scopes = {"good": self.good, "anonymous": http_scope()}
        scopes |= {f"refused ({number})": each for number, each in enumerate(self._refused())}
        return [
            Question(f"authenticate, {words}", partial(_asked, each))
            for words, each in scopes.items()
        ]

    @rule
    async def test_a_good_credential_gives_its_principal(self) -> None:
        """`good` gives a `Principal` with a known role, and the one in `principal` if stated.

        Why: anything else is a defect to the product, and an HTTP 500 to the person.
        To do: return `Principal(org_id=..., user_id=..., role=...)`; map your own roles to
        viewer, member, admin and owner.
        """
        found = require_answer("authenticate(good)", await outcome(self._ask(self.good)))
        if not isinstance(found, Principal) or found.role not in ROLES:
            guess = "the credential was not found in the scope" if found is None else None
            raise RuleBroken(f"authenticate(good) gave {described(found)}", guess=guess)
        if self.principal is not None and found != self.principal:
            raise RuleBroken(f"authenticate(good) gave {found!r}, not {self.principal!r}")

    @rule
    async def test_a_request_without_a_credential_is_not_its_own(self) -> None:
        """Without its credential the answer is `None`, whatever else the request carries.

        Why: the next authenticator is only asked after a `None`.
        To do: return `None` where your header, cookie or session is missing; raise
        `AuthenticationRequired` only for one that is yours and wrong.
        """
        for words, scope in anonymous().items():
            found = await outcome(self._ask(scope))
            if found is not None:
                cause = found if isinstance(found, Exception) else None
                raise RuleBroken(f"authenticate, {words}: {described(found)}") from cause

    @rule
    async def test_a_refused_credential_is_refused(self) -> None:
        """`refused` raises `AuthenticationRequired`.

        Why: after a `None` others are asked, and a weaker one might let the forger in.
        To do: raise `AuthenticationRequired` with a message for the person, and turn what your
        library raises (an expired signature, an unknown token) into it.
        """
        for scope in self._some_refused():
            found = await outcome(self._ask(scope))
            require_error("authenticate(refused)", found, AuthenticationRequired)

    @rule
    async def test_a_refusal_does_not_repeat_the_credential(self) -> None:
        """No error tells the credential that it refuses, in its message or its causes.

        Why: messages go into answers, logs and error trackers; an expired token may be renewed.
        To do: say what is wrong with it, and leave the value out; `raise ... from None` where
        a library's own message quotes it.
        """
        for scope in self._some_refused():
            found = await outcome(self._ask(scope))
            for secret in secrets(scope):
                if isinstance(found, Exception) and tells(found, secret):
                    raise RuleBroken(
                        f"authenticate(refused) raised {type(found).__name__} with the credential "
                        "in it"
                    )

    @rule
    async def test_no_log_line_tells_a_credential(self) -> None:
        """No line of the log, INFO and above, has the credential of `good` or `refused` in it.

        Why: whoever reads the log could sign in with it.
        To do: ask your service with the credential in a header or a body: httpx logs URLs.
        """
        for scope in (self.good, *self._refused()):
            with logged_lines() as lines:
                await outcome(self._ask(scope))
            told = [line for line in lines if any(secret in line for secret in secrets(scope))]
            if told:
                raise RuleBroken(f"a line of the log tells it: {told[0].partition(':')[0]}")

    @rule
    async def test_garbage_is_no_reason_to_fail(self) -> None:
        """Broken bytes, NULs, 64 KiB, empty and repeated headers raise nothing of their own.

        Why: anybody can send them, and each is an HTTP 500 and an alarm at night.
        To do: decode with `errors="replace"` or as latin-1, and turn `ValueError`,
        `UnicodeDecodeError` and `LookupError` of parsing into `AuthenticationRequired`.
        """
        for words, scope in garbled(self.good):
            found = await outcome(self._ask(scope))
            if isinstance(found, Exception) and not isinstance(found, AuthenticationRequired):
                raise RuleBroken(f"authenticate, {words}: {described(found)}") from found

    @rule
    async def test_a_tampered_credential_signs_nobody_in(self) -> None:
        """The credential of `good`, cut or with one character changed, signs nobody in.

        Why: then the check looks at a part of it only, or at none.
        To do: compare the whole token (`hmac.compare_digest`), or verify the signature before
        you read what it signs.
        """
        for words, scope in tampered(self.good):
            found = await outcome(self._ask(scope))
            if isinstance(found, Principal):
                raise RuleBroken(f"authenticate, {words}: {found!r}")

    @rule
    async def test_without_bearer_a_token_signs_nobody_in(self) -> None:
        """With `bearer = False`, `Authorization: Bearer` alone signs nobody in.

        Why: the product does not show such requests to authenticators that did not ask for
        them. This one would work in this test and never in production.
        To do: set `bearer = True` on the class if it reads bearer tokens; else don't read them.
        """
        plugin = self._made()
        if getattr(plugin, "bearer", False):
            return
        for secret in secrets(self.good):
            found = await outcome(plugin.authenticate(http_scope(bearer=secret)))
            if isinstance(found, Principal):
                raise RuleBroken(
                    f"authenticate, a bearer token alone: {found!r}",
                    guess="`bearer = True` is missing",
                )

    @rule
    async def test_an_outage_is_not_an_answer(self) -> None:
        """With its service down, `good` raises. Needs `make_unreachable`.

        Why: a `None` would send the person to the sign-in of somebody else, and a principal
        would let anybody in.
        To do: raise `ServiceUnavailable` (an HTTP 503) when you can't find out.
        """
        found = await outcome(self.make_unreachable().authenticate(copied(self.good)))
        require_error("authenticate(good), unreachable,", found, MarginsError)

    @rule
    async def test_the_scope_is_left_as_it_was(self) -> None:
        """The scope and its headers are the same after the call.

        Why: the next authenticator and the host's own code read the same one.
        To do: copy what you want to change: `dict(scope)`.
        """
        plugin = self._made()
        for words, scope in (("good", self.good), ("anonymous", http_scope())):
            given, before = copied(scope), copied(scope)
            await outcome(plugin.authenticate(given))
            changed = [key for key in {**given, **before} if given.get(key) != before.get(key)]
            if changed:
                raise RuleBroken(f"authenticate({words}) changed scope[{changed[0]!r}]")

    async def _ask(self, scope: Scope) -> Principal | None:
        return await self._made().authenticate(copied(scope))

    def _refused(self) -> Sequence[Scope]:
        refused = self.refused
        if refused is None:
            return ()
        return (refused,) if isinstance(refused, Mapping) else tuple(refused)

    def _some_refused(self) -> Sequence[Scope]:
        return self._refused() or pytest.skip(f"{type(self).__name__}.refused is None")


async def _asked(scope: Scope, plugin: Authenticator) -> object:
    return await plugin.authenticate(copied(scope))
