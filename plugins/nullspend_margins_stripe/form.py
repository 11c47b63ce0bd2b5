"""What people are asked for to connect to Stripe: a restricted key, and which boxes to tick."""

from __future__ import annotations

from nullspend_margins import (
    ConnectField,
    ConnectForm,
    ConnectLink,
    ConnectPermission,
    ConnectWay,
)
from nullspend_margins_stripe import permissions
from nullspend_margins_stripe.credentials import FIELD
from nullspend_margins_stripe.permissions import remedy_url

# As Stripe's own list of permissions has them.
_PERMISSIONS = (
    ConnectPermission(
        name=permissions.CUSTOMERS,
        label="Customers: Read",
        purpose="Who pays: their ids, names and the tag in their metadata.",
        needed=True,
    ),
    ConnectPermission(
        name=permissions.INVOICES,
        label="Invoices: Read",
        purpose="What they were charged and paid.",
        needed=True,
    ),
    ConnectPermission(
        name=permissions.REFUNDS.permission,
        label="Charges and Refunds: Read",
        purpose="Takes out what was given back, and tells whose payment a dispute is about.",
        bases=permissions.REFUNDS.bases,
    ),
    ConnectPermission(
        name=permissions.CREDIT_NOTES.permission,
        label="Credit notes: Read",
        purpose="Takes out what credit notes credit.",
        bases=permissions.CREDIT_NOTES.bases,
    ),
    ConnectPermission(
        name=permissions.DISPUTES.permission,
        label="Disputes: Read",
        purpose="Takes out what disputes withdraw.",
        bases=permissions.DISPUTES.bases,
    ),
    ConnectPermission(
        name=permissions.EVENTS.permission,
        label="Events: Read",
        purpose="Finds late payments of old invoices, and what becomes of old refunds and credit "
        "notes, at every sync and not once a day.",
        bases=permissions.EVENTS.bases,
    ),
    ConnectPermission(
        name=permissions.RATES.permission,
        label="Balance transaction sources: Read",
        purpose="Stripe's own exchange rates, where other currencies are converted.",
        bases=permissions.RATES.bases,
    ),
)


def connect_form(environment: str) -> ConnectForm:
    """The form: in production for live keys first, elsewhere for test keys first."""
    live = ConnectLink(label="Make a live key", url=remedy_url(livemode=True))
    test = ConnectLink(label="Make a test key", url=remedy_url(livemode=False))
    is_production = environment == "production"
    return ConnectForm(
        title="Stripe",
        credential="restricted key",
        about="What your customers paid, were refunded and credited, from the invoices of one "
        "Stripe account.",
        intro="A restricted key that may read, and write nothing.",
        ways=(
            ConnectWay(
                name="key",
                label="Restricted key",
                fields=(
                    ConnectField(
                        name=FIELD,
                        label="Restricted key",
                        secret=True,
                        placeholder="rk_live_..." if is_production else "rk_test_...",
                        help="Kept encrypted, never shown again. A secret key, sk_live_..., is not "
                        "accepted: it could move money.",
                    ),
                ),
            ),
        ),
        permissions=_PERMISSIONS,
        links=(live, test) if is_production else (test, live),
    )
