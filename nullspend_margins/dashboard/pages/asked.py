"""What a page's address asks for."""

from __future__ import annotations

from nullspend_margins.dashboard.call import PageCall
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue_part import Basis, parse_basis

MONTHS_OFFERED = 24


def asked_period(call: PageCall) -> Period:
    """``?period=``, the current month without one. Raises ``ValidationFailed``."""
    text = call.query("period")
    return Period.parse(text) if text else call.services.margins.current_period()


def asked_basis(call: PageCall) -> Basis:
    """``?basis=``, the configured one without it. Raises ``ValidationFailed``."""
    text = call.query("basis")
    return parse_basis(text) if text else call.services.config.revenue.basis


def asked_customer(call: PageCall) -> str:
    """The tag value in ``?tagValue=``, for those that a path can't carry, else in the path.

    Raises ``ValidationFailed``.
    """
    return call.request.customer(call.query("tagValue"))


def periods_offered(call: PageCall, shown: Period) -> list[Period]:
    """What the switcher lists, newest first: the last two years, and the one that is shown."""
    now = call.services.margins.current_period()
    offered = {now.shift(-back) for back in range(MONTHS_OFFERED)} | {shown}
    return sorted(offered, key=lambda period: period.index, reverse=True)
