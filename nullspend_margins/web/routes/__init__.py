"""The route table. The router, the checks and OpenAPI are all made from it."""

from __future__ import annotations

from nullspend_margins.web.route import Route
from nullspend_margins.web.routes.connections import CONNECTION_ROUTES
from nullspend_margins.web.routes.docs import DOCS_ROUTES
from nullspend_margins.web.routes.events import EVENT_ROUTES
from nullspend_margins.web.routes.mappings import MAPPING_ROUTES
from nullspend_margins.web.routes.margins import MARGIN_ROUTES

ROUTES: tuple[Route, ...] = (
    *MARGIN_ROUTES,
    *CONNECTION_ROUTES,
    *MAPPING_ROUTES,
    *EVENT_ROUTES,
    *DOCS_ROUTES,
)

TAGS = {
    "margins": "What each customer brings in and costs, by month.",
    "stripe": "The org's Stripe account: connect it, sync its paid invoices, disconnect it.",
    "connections": "The same for every revenue provider that is installed, Stripe included.",
    "customer-mappings": "Which of a provider's customers is which tag value on cost events.",
    "cost-events": "Reporting what model calls cost, as the `nullspend` SDK does.",
    "description": "This document.",
}
"""The groups that routes are shown in."""
