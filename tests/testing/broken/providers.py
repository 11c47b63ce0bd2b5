"""A revenue provider that keeps every rule, and those that each break one about credentials."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import httpx
import msgspec

from nullspend_margins import (
    ConnectField,
    ConnectForm,
    ConnectPermission,
    ConnectWay,
    Credential,
    CredentialRefused,
    Period,
    PermissionMissing,
    ProviderUnavailable,
    RevenueFact,
    RevenueWindow,
    ValidationFailed,
)
from nullspend_margins.testing import FakeService, RevenueProviderSuite
from tests.testing.support import network

SECRET = "acme_0123456789abcdefghijklmnop"
TOKEN = ConnectField(name="token", label="Token", secret=True)
READ = ConnectPermission(name="invoices_read", label="Invoices", purpose="What was paid.")


def form(*fields: ConnectField, permissions: Sequence[ConnectPermission] = (READ,)) -> ConnectForm:
    way = ConnectWay(name="token", label="Token", fields=fields)
    return ConnectForm(title="Acme", ways=[way], permissions=permissions)


def invoice(number: int, month: str, **fields: object) -> RevenueFact:
    fact = RevenueFact(
        object_id=f"in_{number}",
        customer_id="cus_1",
        amount_minor=1000 * number,
        currency="usd",
        occurred_at=Period.parse(month).start,
    )
    return msgspec.structs.replace(fact, **fields)  # type: ignore[arg-type]


@dataclass
class Billing:
    name: ClassVar[str] = "billing"
    connect_form: ClassVar[ConnectForm] = form(TOKEN)
    good_pages: int = 99
    is_garbled: bool = False
    other_json: object = ...
    invoices: list[RevenueFact] = field(
        default_factory=lambda: [
            invoice(1, "2026-01"),
            invoice(2, "2026-02"),
            invoice(3, "2026-03"),
            invoice(4, "2026-03", customer_id="cus_2"),
            invoice(5, "2026-04"),
            invoice(6, "2026-04", currency="eur"),
            invoice(7, "2026-04", customer_id=None),
            invoice(8, "2026-05"),
        ]
    )

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        token = body.get("token")
        if not _is_token(token):
            raise ValidationFailed.of(("token", "must be an Acme token, acme_..."))
        return Credential(secret=str(token), label="acme_...")

    async def check_credential(self, secret: str) -> None:
        await self.ask(secret)

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return any(fact.customer_id == customer_id for fact in await self.ask(secret))

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        for number, period in enumerate(window.periods):
            facts = await self.ask(secret, page=number)
            yield [fact for fact in facts if Period.containing(fact.occurred_at) == period]

    async def ask(self, secret: str, page: int = 0) -> list[RevenueFact]:
        await network()
        if page >= self.good_pages:
            raise ProviderUnavailable("Acme does not answer; try again later.")
        if secret == "acme_limited":
            raise PermissionMissing("This token may not read invoices.", permission=READ.name)
        if secret != SECRET:
            raise CredentialRefused("Acme does not know this token.")
        return self.invoices


def _is_token(token: object) -> bool:
    if not isinstance(token, str) or not 6 <= len(token) <= 100:
        return False
    return token.startswith("acme_") and token.isascii() and token.isprintable()


class BillingRules(RevenueProviderSuite):
    plugin: ClassVar[type[Billing]] = Billing
    body: Mapping[str, object] = {"token": SECRET}
    refused_body: Mapping[str, object] = {"token": "acme_unknown_0123456789"}
    forbidden_body: Mapping[str, object] = {"token": "acme_limited"}
    window = RevenueWindow(Period.parse("2026-02"), Period.parse("2026-04"))
    paid: Mapping[str, int] = {"cus_1": 2000 + 3000 + 5000, "cus_2": 4000}

    def make(self) -> Billing:
        return self.plugin()

    def make_unreachable(self) -> Billing:
        return self.plugin(good_pages=0)

    def make_garbled(self, status: int) -> Billing:
        garbled = self.make_unreachable()
        garbled.is_garbled = True
        return garbled

    def make_answering(self, body: object) -> Billing:
        return replace(self.make_garbled(200), other_json=body)

    def make_failing_half_way(self) -> Billing:
        return self.plugin(good_pages=1)


class Parses(Billing):
    """A billing whose ``parse_credential`` goes through ``change``."""

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        return self.change(await super().parse_credential(body))

    def change(self, credential: Credential) -> Credential:
        return credential


class HasNoLabel(Parses):
    def change(self, credential: Credential) -> Credential:
        return replace(credential, label=" ")


class TakesAnyString(Billing):
    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        token = body.get("token")
        if isinstance(token, str) and token:
            return Credential(secret=token, label="acme_...")
        return await super().parse_credential(body)


class StripsBeforeItLooks(Billing):
    async def parse_credential(self, body: Any) -> Credential:
        if body.get("token"):
            body["token"].strip()
        return await super().parse_credential(body)


class RefusesWithoutIssues(Billing):
    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        try:
            return await super().parse_credential(body)
        except ValidationFailed:
            raise ValidationFailed("That is no Acme token.") from None


class EchoesTheToken(Billing):
    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        try:
            return await super().parse_credential(body)
        except ValidationFailed:
            raise ValidationFailed.of(("token", f"is {body.get('token')!r}")) from None


class ShowsTheSecret(Parses):
    def change(self, credential: Credential) -> Credential:
        return replace(credential, label=f"{credential.secret[:-2]}...")


class PlainCredential(Credential):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"PlainCredential({self.secret})"


class ShowsItsCredential(Parses):
    def change(self, credential: Credential) -> Credential:
        return PlainCredential(secret=credential.secret, label=credential.label)


class ChecksTooMuch(Billing):
    async def check_credential(self, secret: str) -> None:
        await super().check_credential(secret)
        raise ProviderUnavailable("Acme has no such address.")


class RefusesInOneMethod(Billing):
    async def has_customer(self, secret: str, customer_id: str) -> bool:
        try:
            return await super().has_customer(secret, customer_id)
        except CredentialRefused:
            return False


class TakesForbiddenForRefused(Billing):
    async def check_credential(self, secret: str) -> None:
        if secret == "acme_limited":
            raise CredentialRefused("Acme does not know this token.")
        await super().check_credential(secret)


class TakesDownForRefused(Billing):
    async def check_credential(self, secret: str) -> None:
        if not self.good_pages and not self.is_garbled:
            raise CredentialRefused("Acme does not know this token.")
        await super().check_credential(secret)


class TellsTheSecret(Billing):
    async def check_credential(self, secret: str) -> None:
        try:
            await super().check_credential(secret)
        except CredentialRefused as problem:
            problem.add_note(f"GET /v1/invoices?token={secret}")
            raise


class DecodesBlindly(Billing):
    async def ask(self, secret: str, page: int = 0) -> list[RevenueFact]:
        if self.is_garbled and self.other_json is ...:
            json.loads("<!doctype html>")
        return await super().ask(secret, page)


class QuotesTheUrl(Billing):
    async def check_credential(self, secret: str) -> None:
        try:
            await super().check_credential(secret)
        except ProviderUnavailable:
            url = "https://acme.example/invoices?account=1"
            raise ProviderUnavailable(f"{url} does not answer.") from None


class PutsTheSecretIntoTheUrl(Billing):
    async def ask(self, secret: str, page: int = 0) -> list[RevenueFact]:
        url = "https://billing.example.com/invoices"
        service = FakeService(lambda _: httpx.Response(204))
        await service.client().get(url, params={"token": secret})
        return await super().ask(secret, page)


class AsksForMore(Billing):
    connect_form = form(TOKEN, ConnectField(name="region", label="Region"))


class ShowsTheToken(Billing):
    connect_form = form(replace(TOKEN, secret=False))


class AsksForAKey(Billing):
    connect_form = form(replace(TOKEN, required=False))

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        try:
            return await super().parse_credential(body)
        except ValidationFailed:
            raise ValidationFailed.of(("apiKey", "must be an Acme token")) from None


class NamesPermissionsOtherwise(Billing):
    connect_form = form(TOKEN, permissions=[replace(READ, name="Invoices: Read")])


CREDENTIALS: dict[str, type] = {
    "test_a_good_body_gives_a_credential": HasNoLabel,
    "test_a_wrong_body_is_refused": TakesAnyString,
    "test_an_odd_body_is_no_reason_to_fail": StripsBeforeItLooks,
    "test_a_refusal_names_the_field": RefusesWithoutIssues,
    "test_a_refusal_does_not_repeat_what_was_sent": EchoesTheToken,
    "test_the_label_does_not_tell_the_secret": ShowsTheSecret,
    "test_a_credential_hides_its_secret": ShowsItsCredential,
    "test_a_good_credential_is_accepted": ChecksTooMuch,
    "test_an_unknown_credential_is_refused": RefusesInOneMethod,
    "test_a_missing_permission_is_told": TakesForbiddenForRefused,
    "test_an_unreachable_provider_says_nothing_of_the_credential": TakesDownForRefused,
    "test_no_log_line_tells_the_secret": PutsTheSecretIntoTheUrl,
    "test_no_error_tells_the_secret": TellsTheSecret,
    "test_an_answer_that_is_none_is_a_failure": DecodesBlindly,
    "test_a_failure_keeps_secrets_and_urls_to_itself": QuotesTheUrl,
    "test_the_connect_form_asks_for_what_is_sent": AsksForMore,
    "test_the_connect_form_hides_the_secret": ShowsTheToken,
    "test_a_refusal_stands_beside_a_field_of_the_form": AsksForAKey,
    "test_a_missing_permission_is_one_of_the_form": NamesPermissionsOtherwise,
}
