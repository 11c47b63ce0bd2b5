"""Stripe's currencies: how many decimals its amounts have, and the rates it converted at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal
from fractions import Fraction
from types import MappingProxyType

from nullspend_margins import ExchangeRate, ValidationFailed
from nullspend_margins_stripe.objects import BalanceTransaction, Charge, PaymentIntent, id_of

USD = "usd"
_USD_DIGITS = 2
_TWENTY_DIGITS = Context(prec=20)
SOURCE = "stripe"

Rates = Mapping[str, ExchangeRate]
"""Rates by the id of what was paid with or paid: payment intents, charges, invoices."""

NO_RATES: Rates = MappingProxyType({})

# Stripe's lists, https://docs.stripe.com/currencies ("Zero-decimal", "Three-decimal", "Special
# cases"). Two that ISO 4217 has without decimals are sent with two of them, and one that it has
# with two is sent without.
_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE_DECIMAL = "bhd jod kwd omr tnd"
_DIGITS = dict.fromkeys(_ZERO_DECIMAL.split(), 0) | dict.fromkeys(_THREE_DECIMAL.split(), 3)
_OWN = {"isk": 2, "ugx": 2, "mga": 0}


def minor_digits_of(currency: str) -> int | None:
    """How many decimals amounts have where that is not what ISO 4217 says, else ``None``."""
    return _OWN.get(currency)


def rate_of(transaction: object, currency: str, paid: int = 0) -> ExchangeRate | None:
    """The rate at which Stripe made US dollars of ``currency``, told by one unit of it.

    Stripe's ``exchange_rate`` is of minor units: an amount of the charge times the rate is the
    amount of the balance transaction, so that yen have 0.67 where 100 cents have 1.08. Where
    ``paid``, the charge's amount, and the transaction's say that it is of whole units (0.0067),
    it is taken so. ``None`` where nothing was converted, the account is not in dollars, or the
    transaction is only named.
    """
    if not isinstance(transaction, BalanceTransaction) or transaction.exchange_rate is None:
        return None
    if currency == USD or transaction.currency.lower() != USD:
        return None
    digits = _OWN.get(currency, _DIGITS.get(currency, _USD_DIGITS)) - _USD_DIGITS
    try:
        if _is_of_whole_units(transaction.exchange_rate, transaction.amount, paid, digits):
            digits = 0
        return ExchangeRate(
            value=_rounded(transaction.exchange_rate.scaleb(digits)),
            source=SOURCE,
            on=datetime.fromtimestamp(transaction.created, UTC).date(),
        )
    except (ValidationFailed, ArithmeticError, ValueError, OverflowError, OSError):
        return None  # a rate that none can be is as good as none


def _is_of_whole_units(rate: Decimal, got: int, paid: int, digits: int) -> bool:
    """Whether ``rate`` is nearer to what whole units were worth than to what minor ones were."""
    if not digits or not got or not paid:
        return False
    minor = abs(Fraction(got, paid))
    between = minor * minor * Fraction(10) ** digits  # squared, of the two rates in question
    return (Fraction(rate) ** 2 < between) == (digits < 0)


def _rounded(rate: Decimal) -> Decimal:
    """To 20 digits, and 20 decimals: more than that no rate may have."""
    short = _TWENTY_DIGITS.plus(rate)
    exponent = short.as_tuple().exponent
    return round(short, 20) if isinstance(exponent, int) and exponent < -20 else short


def rate_by(
    references: Iterable[str | Charge | PaymentIntent | None], currency: str, rates: Rates
) -> ExchangeRate | None:
    """The first rate known of charges or payment intents: expanded ones bring their own."""
    if currency == USD:
        return None
    for reference in references:
        charge = reference.latest_charge if isinstance(reference, PaymentIntent) else reference
        if isinstance(charge, Charge):
            own = rate_of(charge.balance_transaction, currency, charge.amount)
            if own is not None:
                return own
        known = rates.get(id_of(reference) or "") or rates.get(id_of(charge) or "")
        if known is not None:
            return known
    return None
