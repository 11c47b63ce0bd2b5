"""The rules of a revenue provider that are not about its reading (``revenue_reading``)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from nullspend_margins.domain.revenue import RevenueGap
from nullspend_margins.errors import (
    CredentialRefused,
    PermissionMissing,
    ProviderUnavailable,
    ValidationFailed,
)
from nullspend_margins.protocols import Credential
from nullspend_margins.testing.junk import MARK, odd_bodies, wrong_bodies
from nullspend_margins.testing.logs import logged_lines
from nullspend_margins.testing.outcomes import (
    described,
    outcome,
    require_answer,
    require_error,
    tells,
)
from nullspend_margins.testing.provider_suite import ProviderSuite
from nullspend_margins.testing.rules import RuleBroken, rule
from nullspend_margins.testing.suite import PluginSuite

_LONG_SECRET = 12


class CredentialRules(ProviderSuite):
    """Connecting: what is accepted, what is refused, and that secrets stay secret."""

    @rule
    async def test_a_good_body_gives_a_credential(self) -> None:
        """`body` gives a `Credential` with a secret and a label, both non-empty strings.

        Why: the secret is stored encrypted and handed back to the other methods as it is; the
        label is what people see.
        To do: return `Credential(secret=..., label=...)`.
        """
        found = await self._credential(self._made())
        if not isinstance(found, Credential):
            raise RuleBroken(f"parse_credential(body) gave {described(found)}")
        for name, value in (("secret", found.secret), ("label", found.label)):
            if type(value) is not str or not value.strip():
                raise RuleBroken(f"the credential's {name} is a {type(value).__name__} or empty")

    @rule
    async def test_a_wrong_body_is_refused(self) -> None:
        """Empty and unknown fields, other types, NULs and huge texts raise `ValidationFailed`.

        Why: a body is whatever somebody sends; what passes here is stored.
        To do: check that the field is there, is a `str`, and has the form and the length of a
        credential; `ValidationFailed.of(("token", "must be ..."))` otherwise.
        """
        provider = self._made()
        for words, body in wrong_bodies(self.body):
            found = await outcome(provider.parse_credential(body))
            if isinstance(found, Credential):
                raise RuleBroken(f"parse_credential accepted {words}")
            if words == "an empty body":
                require_error(f"parse_credential, {words},", found, ValidationFailed)

    @rule
    async def test_an_odd_body_is_no_reason_to_fail(self) -> None:
        """With any one field missing or of another type, nothing but `ValidationFailed` is raised.

        Why: a `KeyError` or `AttributeError` is an HTTP 500 and no help to the person.
        To do: `body.get("field")` and `isinstance(value, str)` before you use it.
        """
        provider = self._made()
        for words, body in (*odd_bodies(self.body), *wrong_bodies(self.body)):
            found = await outcome(provider.parse_credential(body))
            if isinstance(found, Exception) and not isinstance(found, ValidationFailed):
                raise RuleBroken(f"parse_credential, {words}: {described(found)}") from found

    @rule
    async def test_a_refusal_names_the_field(self) -> None:
        """A `ValidationFailed` has issues, each with a path and a message.

        Why: a form shows the message beside its field.
        To do: `raise ValidationFailed.of(("token", "must be ..."))`.
        """
        found = await outcome(self._made().parse_credential({}))
        if isinstance(found, ValidationFailed):
            issues = found.issues
            if not issues or not all(each.get("path") and each.get("message") for each in issues):
                raise RuleBroken("parse_credential({}) raised ValidationFailed without issues")

    @rule
    async def test_a_refusal_does_not_repeat_what_was_sent(self) -> None:
        """No error of `parse_credential` has a value of the body in it.

        Why: a real key that is pasted into the wrong field would stand in answers and logs.
        To do: say what the field must be, not what it was; `raise ... from None` where a
        library's message quotes it.
        """
        provider = self._made()
        for words, body in (*wrong_bodies(self.body), *odd_bodies(self.body)):
            found = await outcome(provider.parse_credential(body))
            if isinstance(found, Exception) and tells(found, MARK):
                raise RuleBroken(f"parse_credential, {words}: the error repeats what was sent")

    @rule
    async def test_the_label_does_not_tell_the_secret(self) -> None:
        """The label has neither the whole secret in it nor its middle.

        Why: the label is shown to everybody in the org, and logged.
        To do: the first few characters, `...`, and the last four at most.
        """
        found = await self._credential(self._made())
        secret, label = found.secret, found.label
        third = len(secret) // 3
        middle = secret[third : len(secret) - third]
        if secret in label or (len(secret) >= _LONG_SECRET and middle in label):
            raise RuleBroken("the label has the secret's middle in it, or all of it")

    @rule
    async def test_a_credential_hides_its_secret(self) -> None:
        """`repr` and `str` of the credential do not have the secret in them.

        Why: logs and tracebacks show it.
        To do: return `Credential` itself, or leave `__repr__` of your subclass alone.
        """
        found = await self._credential(self._made())
        if found.secret in f"{found!r} {found}":
            raise RuleBroken(f"repr of the {type(found).__name__} has the secret in it")

    @rule
    async def test_a_good_credential_is_accepted(self) -> None:
        """`check_credential` raises nothing for the credential of `body`.

        Why: nobody could connect.
        To do: see what it raised; ask for no more than a sync reads.
        """
        provider = self._made()
        secret = await self._secret(provider)
        require_answer("check_credential", await outcome(provider.check_credential(secret)))

    @rule
    async def test_an_unknown_credential_is_refused(self) -> None:
        """Every method raises `CredentialRefused` for the credential of `refused_body`.

        Why: a sync then marks the connection as revoked and asks for a new credential; after
        any other error it would go on asking with the old one.
        To do: turn the provider's "unauthorized" (HTTP 401) into `CredentialRefused` in all
        three methods, at best in one place.
        """
        for question in self._asked_with("refused_body", self.refused_body):
            found = await outcome(question.ask(self._made()))
            require_error(question.words, found, CredentialRefused)

    @rule
    async def test_a_missing_permission_is_told(self) -> None:
        """`check_credential` raises `PermissionMissing` for `forbidden_body`, if stated.

        Why: the person must add a permission, not replace the credential.
        To do: turn the provider's "forbidden" (HTTP 403) into `PermissionMissing`; give the
        permission's name if the provider tells it.
        """
        body = self.forbidden_body
        if not body:
            self._skip("forbidden_body", "a body whose credential lacks a permission")
        provider = self._made()
        secret = await self._secret(provider, body)
        found = await outcome(provider.check_credential(secret))
        require_error("check_credential, forbidden_body,", found, PermissionMissing)

    @rule
    async def test_gaps_are_told_as_gaps(self) -> None:
        """`find_gaps`, if there is one, gives a sequence of `RevenueGap` for a good credential.

        Why: whoever connects would hear that its permissions are not known, and the log has no
        more than the class of the error.
        To do: return a list of `RevenueGap(permission=..., bases=..., detail=...)`; an empty one
        where the credential may read everything.
        """
        provider = self._made()
        find_gaps = getattr(provider, "find_gaps", None)
        if find_gaps is None:
            return
        found = await outcome(find_gaps(await self._secret(provider)))
        require_answer("find_gaps", found)
        if not isinstance(found, Sequence) or isinstance(found, str):
            raise RuleBroken(f"find_gaps gave {described(found)}")
        for gap in found:
            if not isinstance(gap, RevenueGap):
                raise RuleBroken(f"find_gaps gave {described(gap)} among the gaps")

    @rule
    async def test_an_unreachable_provider_says_nothing_of_the_credential(self) -> None:
        """Every method raises `ProviderUnavailable` without an answer. Needs `make_unreachable`.

        Why: "refused" would cut off a customer whose credential is good.
        To do: turn what your client raises (`httpx.HTTPError`), 429 and 5xx into
        `ProviderUnavailable`.
        """
        for question in self._asked_with("unreachable", self.body):
            found = await outcome(question.ask(self.make_unreachable()))
            require_error(question.words, found, ProviderUnavailable)

    @rule
    async def test_no_error_tells_the_secret(self) -> None:
        """Errors, their causes and notes do not have the secret in them.

        Why: `lastError` shows the message to the org, logs show the causes.
        To do: keep the secret out of URLs (a header instead) and of your own messages;
        `raise ... from None` where a library's error quotes the request.
        """
        bodies = [("refused", self._made, self.refused_body)]
        if type(self).make_unreachable is not PluginSuite.make_unreachable:
            bodies.append(("unreachable", self.make_unreachable, self.body))
        if self.forbidden_body:
            bodies.append(("forbidden", self._made, self.forbidden_body))
        for words, make, body in bodies:
            for question in self._asked_with(words, body):
                provider = make()
                secret = await self._secret(provider, body)
                found = await outcome(question.ask(provider))
                if isinstance(found, Exception) and tells(found, secret):
                    raise RuleBroken(f"{question.words}: {type(found).__name__} tells the secret")

    @rule
    async def test_no_log_line_tells_the_secret(self) -> None:
        """No line of the log, INFO and above, has the secret in it.

        Why: logs are kept longer, and read by more people, than the encrypted credential.
        To do: send the secret in a header: httpx logs the URL of every request.
        """
        for body in (self.body, self.refused_body):
            provider = self._made()
            secret = await self._secret(provider, body)
            with logged_lines() as lines:
                for question in self._asked_with("", body):
                    await outcome(question.ask(provider))
            told = [line for line in lines if secret in line or quote(secret, safe="") in line]
            if told:
                raise RuleBroken(f"a line of the log tells it: {told[0].partition(':')[0]}")
