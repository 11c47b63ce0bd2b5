"""The rules of a revenue provider's ``connect_form``, where it has one."""

from __future__ import annotations

from nullspend_margins.domain.connect_form import ConnectField, ConnectForm
from nullspend_margins.errors import PermissionMissing, ValidationFailed
from nullspend_margins.protocols import RevenueProvider
from nullspend_margins.testing.outcomes import outcome
from nullspend_margins.testing.revenue_provider import CredentialRules
from nullspend_margins.testing.rules import RuleBroken, rule


class FormRules(CredentialRules):
    """What people are asked for is what the provider takes."""

    @rule
    async def test_the_connect_form_asks_for_what_is_sent(self) -> None:
        """One way of `connect_form` has a field for all of `body`, and asks for no more.

        Why: people who connect in the dashboard could not send what is needed.
        To do: give each member of the body a `ConnectField` of its name; `required=False` for
        those that may be left out.
        """
        form = self._form(self._made())
        if form is None:
            return
        sent = self.body.keys()
        for way in form.ways:
            asked = {field.name for field in way.fields}
            required = {field.name for field in way.fields if field.required}
            if required <= sent <= asked:
                return
        ways = "; ".join(", ".join(field.name for field in way.fields) for way in form.ways)
        raise RuleBroken(f"body has {', '.join(sent)}; the form asks for {ways}")

    @rule
    async def test_the_connect_form_hides_the_secret(self) -> None:
        """The field whose value becomes the credential's secret is `secret`.

        Why: it would stand on the screen while it is typed, and again beside an error.
        To do: `ConnectField(..., secret=True)`.
        """
        provider = self._made()
        secret = await self._secret(provider)
        shown = [
            field.name
            for field in _fields(self._form(provider))
            if self.body.get(field.name) == secret and not field.secret
        ]
        if shown:
            raise RuleBroken(f"{shown[0]} is the secret, and is shown")

    @rule
    async def test_a_refusal_stands_beside_a_field_of_the_form(self) -> None:
        """What `parse_credential` says of an empty body names a field of `connect_form`.

        Why: a form shows the message beside its field.
        To do: name the fields in `ValidationFailed.of((...))` as the form does.
        """
        provider = self._made()
        names = {field.name for field in _fields(self._form(provider))}
        if not names:
            return
        found = await outcome(provider.parse_credential({}))
        issues = found.issues if isinstance(found, ValidationFailed) else ()
        unknown = [str(issue.get("path")) for issue in issues if issue.get("path") not in names]
        if unknown:
            raise RuleBroken(f"it names {unknown[0]}, and the form has {', '.join(sorted(names))}")

    @rule
    async def test_a_missing_permission_is_one_of_the_form(self) -> None:
        """`PermissionMissing` names one of the form's permissions, if `forbidden_body` is stated.

        Why: the form shows which box was not ticked.
        To do: `PermissionMissing(..., permission=...)` with the `name` of a `ConnectPermission`.
        """
        provider = self._made()
        form = self._form(provider)
        known = {each.name for each in form.permissions} if form else set()
        if not known or not self.forbidden_body:
            return
        secret = await self._secret(provider, self.forbidden_body)
        found = await outcome(provider.check_credential(secret))
        if isinstance(found, PermissionMissing) and found.permission not in known:
            raise RuleBroken(f"it names {found.permission}, and the form {', '.join(known)}")

    def _form(self, provider: RevenueProvider) -> ConnectForm | None:
        """Its form; a provider need not have one. That it is one, the rule of its kind says."""
        form: object = getattr(provider, "connect_form", None)
        return form if isinstance(form, ConnectForm) else None


def _fields(form: ConnectForm | None) -> list[ConnectField]:
    return [field for way in form.ways for field in way.fields] if form else []
