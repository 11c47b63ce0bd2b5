"""What the suite of a revenue provider is told, and the questions that it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from nullspend_margins.domain.revenue import RevenueFact, RevenueItem, RevenueWindow
from nullspend_margins.errors import ProviderUnavailable, ValidationFailed
from nullspend_margins.protocols import Credential, RevenueProvider
from nullspend_margins.testing.bad_days import BadDayRules
from nullspend_margins.testing.outcomes import outcome, read_all, require_answer
from nullspend_margins.testing.suite import Question

MADE_UP_CUSTOMER = "customer-that-nobody-has-0f1e2d3c"
NOT_FOUND = 404


class ProviderSuite(BadDayRules[RevenueProvider]):
    """What the rules of a revenue provider share. Subclass ``RevenueProviderSuite``."""

    body: Mapping[str, object]
    """The JSON body of a connect request with a good credential."""

    refused_body: Mapping[str, object]
    """One of the right form whose credential the provider does not know."""

    forbidden_body: Mapping[str, object] = MappingProxyType({})
    """One whose credential may not read something that a sync needs."""

    window: RevenueWindow
    """Months in which the sample's account has revenue."""

    paid: Mapping[str, int]
    """Customer id to what was paid in ``window``, in US cents."""

    _kind = "revenue provider"
    _unavailable = ProviderUnavailable
    _facts = MappingProxyType(
        {
            "body": 'the JSON body of a good connect request, for example {"token": "acme_good"}',
            "refused_body": "a body of the right form with a credential that the sample does not "
            'know, for example {"token": "acme_revoked"}',
            "window": "months with revenue in the sample, for example "
            'RevenueWindow(Period.parse("2026-03"), Period.parse("2026-04"))',
            "paid": 'what the sample\'s customers paid in US cents, for example {"cus_1": 4900}',
        }
    )

    def make_failing_half_way(self) -> RevenueProvider:
        """One whose service goes away in the middle of ``fetch_revenue``."""
        self._skip("make_failing_half_way", "an object whose service goes away after a page")

    def _half_way(self) -> Callable[[], RevenueProvider] | None:
        is_own = type(self).make_failing_half_way is not ProviderSuite.make_failing_half_way
        return self.make_failing_half_way if is_own else None

    def _questions(self) -> Sequence[Question[RevenueProvider]]:
        return [
            *self._asked_with("the good credential", self.body),
            *self._asked_with("the refused credential", self.refused_body),
        ]

    def _asked_with(
        self, words: str, body: Mapping[str, object]
    ) -> Sequence[Question[RevenueProvider]]:
        """Every method that asks the provider, with the credential of ``body``."""

        async def check(provider: RevenueProvider) -> None:
            await provider.check_credential(await self._secret(provider, body))

        async def has(provider: RevenueProvider) -> bool:
            secret = await self._secret(provider, body)
            return await provider.has_customer(secret, MADE_UP_CUSTOMER)

        async def fetch(provider: RevenueProvider) -> list[RevenueFact]:
            secret = await self._secret(provider, body)
            return by_id(await read_all(provider.fetch_revenue(secret, self.window)))

        calls = {"check_credential": check, "has_customer": has, "fetch_revenue": fetch}
        return [Question(f"{name}, {words}", ask) for name, ask in calls.items()]

    def _bad_day_questions(self) -> Sequence[Question[RevenueProvider]]:
        return self._asked_with("the good credential", self.body)

    def _is_answer(self, question: Question[RevenueProvider], status: int, found: object) -> bool:
        """Not found is an answer about a customer; what refuses a field says what to mend."""
        if question.words.startswith("has_customer"):
            return status == NOT_FOUND and found is False
        return isinstance(found, ValidationFailed)

    async def _secret(
        self, provider: RevenueProvider, body: Mapping[str, object] | None = None
    ) -> str:
        """The secret in ``body``, else in the good one."""
        return (await self._credential(provider, body)).secret

    async def _credential(
        self, provider: RevenueProvider, body: Mapping[str, object] | None = None
    ) -> Credential:
        found = await outcome(provider.parse_credential(self.body if body is None else body))
        return require_answer("parse_credential", found)


def by_id(pages: Sequence[Sequence[RevenueItem]]) -> list[RevenueFact]:
    """The facts of all pages in an order that can be compared."""
    facts = (item for page in pages for item in page if isinstance(item, RevenueFact))
    return sorted(facts, key=lambda fact: fact.object_id)
