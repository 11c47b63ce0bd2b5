"""The rates at which Stripe converted what customers paid, read when they are first needed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import aclosing

from nullspend_margins import ExchangeRate, RevenueWindow
from nullspend_margins_stripe.currencies import USD, rate_of
from nullspend_margins_stripe.objects import Charge, Invoice, id_of
from nullspend_margins_stripe.optional_lists import CHARGES, RATE, OptionalLists
from nullspend_margins_stripe.payments import told_payments
from nullspend_margins_stripe.requests import Asker, Params

# A bank's debit is charged days before it is paid.
_SLOW_SECONDS = 14 * 86_400
_PAGE = 100


class RateBook:
    """Rates by payment intent, or by charge where there is none.

    ``known`` has an entry for every charge in another currency, about 200 bytes: the one thing of
    a sync that grows with the account, where currencies are converted.
    """

    def __init__(self, window: RevenueWindow, lists: OptionalLists) -> None:
        self.known: dict[str, ExchangeRate] = {}
        self.is_wanted: bool = window.converts
        self._first = int(window.first.start.timestamp()) - _SLOW_SECONDS
        self._end = int(window.last.shift(1).end.timestamp())
        self._lists = lists
        self._lock = asyncio.Lock()
        self._is_read = False
        self._asked: set[str] = set()
        self._same: dict[ExchangeRate, ExchangeRate] = {}

    def misses(self, invoice: Invoice) -> bool:
        """Whether rates of the invoice's payments are to be looked up."""
        return self.is_wanted and invoice.currency.lower() != USD

    async def look_up(self, asker: Asker, invoices: Iterable[Invoice]) -> None:
        """Know the rates of these invoices' payments, as far as Stripe tells them.

        The window's charges are listed at the first foreign invoice; others one by one.
        """
        if not self.is_wanted:
            return
        foreign = [invoice for invoice in invoices if self.misses(invoice)]
        if not foreign:
            return
        async with self._lock:
            if not self._is_read:
                made = {"created[gte]": self._first, "created[lt]": self._end, "limit": _PAGE}
                self.is_wanted = await self._read(asker, made)
                self._is_read = True
            for intent, charge in [*self._elsewhere(foreign)]:
                name = intent or charge or ""
                if name not in self._asked:
                    self._asked.add(name)
                    await self._read_one(asker, intent, name)

    async def _read_one(self, asker: Asker, intent: str | None, charge_id: str) -> None:
        """The charges of a payment intent, or a charge that has none."""
        if intent:
            await self._read(asker, {"payment_intent": intent, "limit": _PAGE})
        elif charge := await self._lists.one(asker, CHARGES, charge_id, [RATE]):
            self._note([charge])

    def _elsewhere(self, invoices: Iterable[Invoice]) -> Iterator[tuple[str | None, str | None]]:
        """The payment intents or charges of payments that no charge of the window is of."""
        for invoice in invoices:
            for one in told_payments(invoice):
                intent = id_of(one.payment.payment_intent) if one.payment else None
                paid_at = one.status_transitions.paid_at if one.status_transitions else None
                charge = id_of(one.payment.charge) if one.payment else None
                if (intent or charge) and paid_at and not self._first <= paid_at < self._end:
                    yield intent, charge

    async def _read(self, asker: Asker, params: Params) -> bool:
        """Read charges; ``False`` where the key may not."""
        pages = self._lists.pages(asker, CHARGES, params, self._note, expand=[RATE])
        was_read = False
        async with aclosing(pages):
            async for _ in pages:
                was_read = True
        return was_read

    def _note(self, charges: list[Charge]) -> None:
        for charge in charges:
            currency = (charge.currency or USD).lower()
            rate = rate_of(charge.balance_transaction, currency, charge.amount)
            if rate is not None:
                # Many have the rate of their day: kept once.
                name = id_of(charge.payment_intent) or charge.id
                self.known[name] = self._same.setdefault(rate, rate)
