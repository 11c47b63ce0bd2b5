"""Costs from responses: a middleware in front of a gateway, and what its calls cost."""

from nullspend_margins.metering.attribution import Attribution
from nullspend_margins.metering.call import CALL_KIND, Call
from nullspend_margins.metering.customer import AskCustomer, customer_function
from nullspend_margins.metering.meter import Meter
from nullspend_margins.metering.pricing import CallReader

__all__ = [
    "CALL_KIND",
    "AskCustomer",
    "Attribution",
    "Call",
    "CallReader",
    "Meter",
    "customer_function",
]
