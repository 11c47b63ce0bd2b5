"""Customers and invoices as Stripe renders them, in API version 2026-10-28.endive.

Kept as small records and rendered on request, so that a demo or a test can hold a hundred
thousand of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

API_VERSION = "2026-10-28.endive"
STATUSES = ("draft", "open", "paid", "uncollectible", "void")

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class StripeCustomer:
    """A customer; ``created`` in Unix seconds."""

    id: str
    created: int
    name: str | None = None
    email: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False

    def render(self, *, livemode: bool) -> Json:
        """The customer as JSON; a deleted one is its id and little else."""
        if self.deleted:
            return {"id": self.id, "object": "customer", "deleted": True}
        return {
            "id": self.id,
            "object": "customer",
            "address": None,
            "balance": 0,
            "business_name": None,
            "created": self.created,
            "currency": "usd",
            "customer_account": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": self.email,
            "individual_name": None,
            "invoice_prefix": self.id[-8:].upper(),
            "invoice_settings": _INVOICE_SETTINGS,
            "livemode": livemode,
            "metadata": dict(self.metadata),
            "name": self.name,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }


@dataclass(slots=True, kw_only=True)
class StripeInvoice:
    """An invoice; amounts in the minor unit, ``created`` in Unix seconds.

    ``lean`` leaves out the line items and what else makes a real one 5 KB long.
    """

    id: str
    customer_id: str | None
    created: int
    amount: int
    amount_paid: int
    currency: str = "usd"
    status: str = "paid"
    customer_name: str | None = None
    customer_email: str | None = None
    lean: bool = False

    def render(self, customer: Any, *, livemode: bool) -> Json:
        """The invoice as JSON, with ``customer`` as its customer: an id, an object or ``None``."""
        fields: Json = {
            "id": self.id,
            "object": "invoice",
            "amount_due": self.amount,
            "amount_paid": self.amount_paid,
            "amount_remaining": self.amount - self.amount_paid,
            "created": self.created,
            "currency": self.currency,
            "customer": customer,
            "customer_email": self.customer_email,
            "customer_name": self.customer_name,
            "livemode": livemode,
            "status": self.status,
            "total": self.amount,
        }
        return fields if self.lean else {**_REST_OF_INVOICE, **fields, **self._details(livemode)}

    def _details(self, livemode: bool) -> Json:
        paid_at = self.created + 3600 if self.status == "paid" else None
        subscription = f"sub_{self.id[3:]}"
        return {
            "amount_overpaid": 0,
            "effective_at": self.created + 3600,
            "hosted_invoice_url": f"https://invoice.stripe.com/i/acct_demo/{self.id}?s=ap",
            "invoice_pdf": f"https://pay.stripe.com/invoice/acct_demo/{self.id}/pdf?s=ap",
            "lines": self._lines(subscription, livemode),
            "number": f"{self.id[-8:].upper()}-0001",
            "parent": {
                "quote_details": None,
                "subscription_details": {"metadata": {}, "subscription": subscription},
                "type": "subscription_details",
            },
            "period_end": self.created,
            "period_start": self.created - 2_592_000,
            "status_transitions": {
                "finalized_at": self.created + 3600,
                "marked_uncollectible_at": None,
                "paid_at": paid_at,
                "voided_at": None,
            },
            "subtotal": self.amount,
            "subtotal_excluding_tax": self.amount,
            "total_excluding_tax": self.amount,
            "webhooks_delivered_at": self.created,
        }

    def _lines(self, subscription: str, livemode: bool) -> Json:
        line = {
            **_REST_OF_LINE,
            "id": f"il_{self.id[3:]}",
            "amount": self.amount,
            "currency": self.currency,
            "invoice": self.id,
            "livemode": livemode,
            "parent": {
                "invoice_item_details": None,
                "subscription_item_details": {
                    "invoice_item": None,
                    "proration": False,
                    "proration_details": {"credited_items": None},
                    "subscription": subscription,
                    "subscription_item": f"si_{self.id[3:]}",
                },
                "type": "subscription_item_details",
            },
            "period": {"end": self.created + 2_592_000, "start": self.created},
            "subtotal": self.amount,
        }
        return {
            "object": "list",
            "data": [line],
            "has_more": False,
            "total_count": 1,
            "url": f"/v1/invoices/{self.id}/lines",
        }


_INVOICE_SETTINGS: Json = {
    "custom_fields": None,
    "default_payment_method": None,
    "footer": None,
    "rendering_options": None,
}

_REST_OF_LINE: Json = {
    "object": "line_item",
    "description": "1 x AI workspace (at $49.00 / month)",
    "discount_amounts": [],
    "discountable": True,
    "discounts": [],
    "metadata": {},
    "pretax_credit_amounts": [],
    "pricing": {
        "price_details": {
            "price": "price_1Demo0000000000000000000",
            "product": "prod_Demo000000000",
        },
        "type": "price_details",
        "unit_amount_decimal": "4900",
    },
    "quantity": 1,
    "taxes": [],
}

_REST_OF_INVOICE: Json = {
    "account_country": "US",
    "account_name": "Demo, Inc.",
    "account_tax_ids": None,
    "amount_shipping": 0,
    "application": None,
    "attempt_count": 1,
    "attempted": True,
    "auto_advance": False,
    "automatic_tax": {
        "disabled_reason": None,
        "enabled": False,
        "liability": None,
        "provider": None,
        "status": None,
    },
    "automatically_finalizes_at": None,
    "billing_reason": "subscription_cycle",
    "collection_method": "charge_automatically",
    "confirmation_secret": None,
    "custom_fields": None,
    "customer_account": None,
    "customer_address": {
        "city": "Oakland",
        "country": "US",
        "line1": "510 Townsend Street",
        "line2": None,
        "postal_code": "94607",
        "state": "CA",
    },
    "customer_phone": None,
    "customer_shipping": None,
    "customer_tax_exempt": "none",
    "customer_tax_ids": [],
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "due_date": None,
    "ending_balance": 0,
    "footer": None,
    "from_invoice": None,
    "issuer": {"type": "self"},
    "last_finalization_error": None,
    "latest_revision": None,
    "metadata": {},
    "next_payment_attempt": None,
    "on_behalf_of": None,
    "payment_settings": {
        "default_mandate": None,
        "payment_method_options": {
            "acss_debit": None,
            "bancontact": None,
            "card": {"request_three_d_secure": "automatic"},
            "customer_balance": None,
            "konbini": None,
            "sepa_debit": None,
            "us_bank_account": None,
        },
        "payment_method_types": None,
    },
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "receipt_number": None,
    "rendering": {
        "amount_tax_display": None,
        "pdf": {"page_size": "letter"},
        "template": None,
        "template_version": None,
    },
    "shipping_cost": None,
    "shipping_details": None,
    "starting_balance": 0,
    "statement_descriptor": None,
    "test_clock": None,
    "total_discount_amounts": [],
    "total_pretax_credit_amounts": [],
    "total_taxes": [],
}
