"""The sample company: the same in every run, but for the date, which is now.

Every month of what a sync reads has invoices and costs, the current one too, however young it
is: what would be invoiced later this month is invoiced already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zlib import crc32

from nullspend_margins.demo.customers import (
    CUSTOMERS,
    MONTHS,
    UNATTRIBUTED_DOLLARS,
    UNMAPPED_TAGS,
    SampleCustomer,
)
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_invoices import StripeLine
from nullspend_margins.demo.usage import Event, tool_use, usage
from nullspend_margins.domain.period import Period, as_utc

_MICRODOLLARS = 1_000_000
_MONTHS_A_YEAR = 12
_TWO_WEEKS = 14 * 86_400
_METADATA_KEY = "nullspend_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleInvoice:
    """An invoice in Stripe; amounts in the minor unit, times in Unix seconds.

    ``amount`` has ``tax`` in it; ``service_end`` is up to when it pays for a service. What was
    ``given_back`` went back two weeks after it was paid, by a refund unless said otherwise.
    """

    customer_id: str | None
    amount: int
    created: int
    currency: str = "usd"
    status: str = "paid"
    tax: int = 0
    paid_at: int | None = None
    service_end: int | None = None
    given_back: int = 0
    given_back_at: int = 0
    given_back_by: Literal["refund", "credit note", "dispute"] = "refund"


@dataclass(frozen=True, slots=True)
class SampleCompany:
    """A company that sells AI products, as it stands at ``now`` (aware)."""

    now: datetime

    @property
    def customers(self) -> tuple[SampleCustomer, ...]:
        """Its Stripe customers."""
        return CUSTOMERS

    @property
    def mappings(self) -> list[tuple[str, str]]:
        """(Stripe customer id, tag value) of those that a person joins."""
        return [(each.id, each.tag_value) for each in CUSTOMERS if each.join == "hand"]

    def invoices(self) -> Iterator[SampleInvoice]:
        """All invoices, of every status and currency."""
        for customer in CUSTOMERS:
            yield from self._invoices_of(customer)
        one_off = self._moment(1, day=11)
        yield SampleInvoice(customer_id=None, amount=6_000, created=one_off)
        yield SampleInvoice(
            customer_id=CUSTOMERS[0].id, amount=2_900, created=one_off, status="void"
        )
        yield SampleInvoice(customer_id=CUSTOMERS[0].id, amount=3_450, created=one_off)

    def events(self) -> Iterator[Event]:
        """All cost events, of customers and of nobody's tag values."""
        for months_ago in reversed(range(MONTHS)):
            for customer in CUSTOMERS:
                percent = customer.shares[MONTHS - 1 - months_ago]
                if percent:
                    yield from self._events_of(customer, percent, months_ago)
            for tag_value, dollars in (*UNMAPPED_TAGS, ("", UNATTRIBUTED_DOLLARS)):
                start, end = self._span(months_ago)
                yield from usage(tag_value, dollars * _MICRODOLLARS, 12, start, end)

    def fill(self, account: StripeAccount) -> int:
        """Put customers and invoices into a Stripe account; returns how many invoices."""
        for customer in CUSTOMERS:
            account.add_customer(
                customer.id,
                name=customer.name,
                email=customer.email,
                metadata={_METADATA_KEY: customer.tag} if customer.join == "metadata" else {},
                created=self._moment(MONTHS, day=1),
            )
        invoices = list(self.invoices())
        for number, invoice in enumerate(invoices):
            _fill_invoice(account, invoice, f"in_{number:024d}")
        for customer in CUSTOMERS:
            if customer.deleted:
                account.delete_customer(customer.id)
        return len(invoices)

    def _invoices_of(self, customer: SampleCustomer) -> Iterator[SampleInvoice]:
        if customer.annual is not None:
            yield self._invoice(customer, customer.annual, months=_MONTHS_A_YEAR)
            return
        for months_ago in range(MONTHS):
            if customer.shares[MONTHS - 1 - months_ago] is not None:
                yield self._invoice(customer, months_ago, months=1)

    def _invoice(self, customer: SampleCustomer, months_ago: int, *, months: int) -> SampleInvoice:
        day, amount = customer.billing_day, customer.price * 100 * months
        created = self._moment(months_ago, day=day)
        paid_at = self._moment(months_ago - 1, day=day) if months_ago in customer.late else created
        taken = (
            ("refund", customer.refunded),
            ("credit note", customer.credited),
            ("dispute", customer.disputed),
        )
        by = next((each for each, when in taken if months_ago in when), None)
        back = {} if by is None else {"given_back": amount // 2, "given_back_by": by}
        return SampleInvoice(
            customer_id=customer.id,
            amount=amount,
            created=created,
            currency=customer.currency,
            status="open" if months_ago in customer.unpaid else "paid",
            tax=amount * customer.tax_percent // (100 + customer.tax_percent),
            paid_at=paid_at,
            service_end=self._day(months_ago - months, day),
            given_back_at=min(paid_at + _TWO_WEEKS, int(as_utc(self.now).timestamp())),
            **back,  # type: ignore[arg-type]  # the fields of SampleInvoice
        )

    def _events_of(
        self, customer: SampleCustomer, percent: int, months_ago: int
    ) -> Iterator[Event]:
        start, end = self._span(months_ago)
        permille = percent * 10 + _wobble(customer, start)
        cost = customer.price * permille * _MICRODOLLARS // 1000
        count = min(80, 18 + customer.price // 4)
        yield from usage(customer.tag_value, cost, count, start, end)
        yield tool_use(customer.tag_value, start, end)

    def _span(self, months_ago: int) -> tuple[datetime, datetime]:
        """The month as far as it has come, without its last millisecond."""
        period = Period.containing(self.now).shift(-months_ago)
        end = min(period.end - timedelta(milliseconds=1), as_utc(self.now))
        return period.start, end

    def _moment(self, months_ago: int, *, day: int) -> int:
        """The morning of ``day``, or now when that is still to come, in Unix seconds."""
        _, end = self._span(months_ago)
        return min(self._day(months_ago, day), int(end.timestamp()))

    def _day(self, months_ago: int, day: int) -> int:
        """The morning of ``day``, in Unix seconds."""
        start = Period.containing(self.now).shift(-months_ago).start
        return int((start + timedelta(days=day - 1, hours=9)).timestamp())


def _fill_invoice(account: StripeAccount, invoice: SampleInvoice, invoice_id: str) -> None:
    """Put an invoice into an account, with what was given back of it."""
    line = StripeLine(
        id=f"il_{invoice_id[3:]}",
        amount=invoice.amount,
        start=invoice.created,
        end=invoice.service_end or invoice.created,
        tax=invoice.tax,
        tax_behavior="inclusive",
    )
    account.add_invoice(
        invoice.customer_id,
        invoice.amount,
        invoice_id=invoice_id,
        created=invoice.created,
        status=invoice.status,
        currency=invoice.currency,
        tax=invoice.tax,
        tax_behavior="inclusive",
        paid_at=invoice.paid_at,
        lines=(line,),
    )
    back, at = invoice.given_back, invoice.given_back_at
    if not back:
        return
    if invoice.given_back_by == "dispute":
        account.add_dispute(invoice_id, back, created=at)
        return
    refund = account.add_refund(invoice_id, back, created=at)
    if invoice.given_back_by == "credit note":
        tax = invoice.tax * back // invoice.amount
        account.add_credit_note(invoice_id, back, created=at, tax=tax, refunds={refund.id: back})


def _wobble(customer: SampleCustomer, month: datetime) -> int:
    """Up to eight thousandths more or less, so that no margin is suspiciously round."""
    return crc32(f"{customer.id} {month:%Y-%m}".encode()) % 17 - 8
