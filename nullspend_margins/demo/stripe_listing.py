"""Stripe's list endpoints: filters, order and pages of each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request

from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_invoices import STATUSES, StripeInvoice, StripePayment
from nullspend_margins.demo.stripe_objects import Listed, Shelf, StripeCustomer
from nullspend_margins.demo.stripe_parameters import (
    StripeRefusal,
    checked,
    created_range,
    items_of,
    limit_of,
)
from nullspend_margins.demo.stripe_templates import Json

Object = TypeVar("Object", bound=Listed)

_PAYMENT_STATUSES = ("canceled", "open", "paid")
_MOST_TYPES = 20


def list_customers(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/customers``: deleted ones are not listed."""
    params = checked(request.query_params, {"email"})
    first, end, limit = *created_range(params), limit_of(params)
    after = params.get("starting_after")
    place = None if after is None else account.customers.get(after)
    if after is not None and place is None:
        raise StripeRefusal.no_such("customer", after, status=400)
    email = params.get("email")

    def matches(one: StripeCustomer) -> bool:
        listed = not one.deleted and first <= one.created < end
        later = place is None or (-one.created, one.id) > (-place.created, place.id)
        return listed and later and email in {None, one.email}

    found = account.newest_customers(matches, limit + 1)
    data = [one.render(livemode=account.livemode) for one in found[:limit]]
    return listing("/v1/customers", data, has_more=len(found) > limit)


def list_invoices(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/invoices``: of a status, of a customer."""
    _one_of(request.query_params, "status", STATUSES)
    credited = account.credited()
    return _listed(
        request,
        account.invoices,
        {"status": lambda one: one.status, "customer": lambda one: one.customer_id},
        lambda one: render_invoice(account, one, credited),
        also={"subscription"},
    )


def list_lines(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/invoices/{id}/lines``: in their own order, all of them in pages."""
    params = checked(request.query_params, set())
    invoice = invoice_of(account, request)
    limit, lines = limit_of(params), invoice.all_lines
    after, start = params.get("starting_after"), 0
    if after is not None:
        places = [place for place, line in enumerate(lines) if line.id == after]
        if not places:
            raise StripeRefusal.no_such("invoice line item", after, status=400)
        start = places[0] + 1
    page = lines[start : start + limit]
    mode = account.mode(invoice.livemode)
    return invoice.render_lines(page, livemode=mode, more=start + limit < len(lines))


def list_payments(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/invoice_payments``: of a status, of an invoice, by a payment intent."""
    _one_of(request.query_params, "status", _PAYMENT_STATUSES)
    asked = request.query_params.get("invoice")
    invoices = account.invoices.values()
    if asked is not None:
        invoice = account.invoices.get(asked)
        if invoice is None:
            raise StripeRefusal.no_such("invoice", asked, status=400)
        invoices = [invoice]  # type: ignore[assignment]  # both are looked through
    owners: dict[str, StripeInvoice] = {}
    shelf = Shelf[StripePayment]()
    for invoice in invoices:
        for payment in invoice.all_payments:
            owners[shelf.add(payment).id] = invoice

    def render(one: StripePayment) -> Json:
        owner = owners[one.id]
        return one.render(owner, livemode=account.mode(owner.livemode))

    return _listed(
        request,
        shelf,
        {
            "status": lambda one: one.status,
            "invoice": lambda one: owners[one.id].id,
            "payment[payment_intent]": lambda one: one.intent,
        },
        render,
        also={"payment[type]"},
    )


def list_charges(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/charges``: of a customer, of a payment intent."""
    return _listed(
        request,
        account.all_charges(),
        {
            "customer": lambda one: one.customer_id,
            "payment_intent": lambda one: one.payment_intent,
        },
        lambda one: one.render(livemode=account.mode(one.livemode)),
    )


def list_refunds(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/refunds``: of a charge, of a payment intent."""
    return _listed(
        request,
        account.refunds,
        {"charge": lambda one: one.charge, "payment_intent": lambda one: one.payment_intent},
        lambda one: one.render(livemode=account.livemode),
    )


def list_credit_notes(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/credit_notes``: of an invoice, of a customer."""
    return _listed(
        request,
        account.credit_notes,
        {"invoice": lambda one: one.invoice, "customer": lambda one: one.customer_id},
        lambda one: one.render(livemode=account.mode(one.livemode)),
    )


def list_disputes(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/disputes``: of a charge, of a payment intent."""
    return _listed(
        request,
        account.disputes,
        {"charge": lambda one: one.charge, "payment_intent": lambda one: one.payment_intent},
        lambda one: one.render(livemode=account.mode(one.livemode)),
    )


def list_events(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/events``: of a type, of up to 20 of them; the old ones are gone."""
    params = request.query_params
    types = items_of(params, "types")
    wanted = {*types, *params.getlist("type")}
    if len(types) > _MOST_TYPES:
        raise StripeRefusal(400, "Array types exceeded maximum 20 allowed elements.", param="types")
    kept = Shelf(one for one in account.events.values() if one.created >= account.oldest_event)
    if wanted:
        kept = Shelf(one for one in kept.values() if one.type in wanted)
    return _listed(
        request,
        kept,
        {},
        lambda one: one.render(livemode=account.mode(one.livemode)),
        also={"type", "types[]"},
    )


def render_invoice(
    account: StripeAccount, invoice: StripeInvoice, credited: Mapping[str, Mapping[str, int]]
) -> Json:
    """An invoice with its customer's id, and how much of it is ``credited``."""
    shown = invoice.render(invoice.customer_id, livemode=account.mode(invoice.livemode))
    return {**shown, **credited.get(invoice.id, {})}


def invoice_of(account: StripeAccount, request: Request) -> StripeInvoice:
    """The invoice that the path names."""
    invoice = account.invoices.get(request.path_params["id"])
    if invoice is None:
        raise StripeRefusal.no_such("invoice", request.path_params["id"])
    return invoice


def _listed(
    request: Request,
    shelf: Shelf[Object],
    filters: Mapping[str, Callable[[Object], str | None]],
    render: Callable[[Object], Json],
    *,
    also: frozenset[str] | set[str] = frozenset(),
) -> Json:
    """One page of a shelf: filtered, newest first."""
    params = checked(request.query_params, filters.keys() | also)
    after = params.get("starting_after")
    if after is not None and after not in shelf:
        raise StripeRefusal.no_such(_kind(request), after, status=400)
    first, end, limit = *created_range(params), limit_of(params)
    rest: Iterator[Object] = shelf.newest(before=end, after=after)
    in_range = itertools.takewhile(lambda one: one.created >= first, rest)
    asked = {name: params[name] for name in filters if name in params}
    matching = (one for one in in_range if all(filters[name](one) == asked[name] for name in asked))
    found = list(itertools.islice(matching, limit + 1))
    data = [render(one) for one in found[:limit]]
    return listing(request.url.path, data, has_more=len(found) > limit)


def listing(url: str, data: list[Json], *, has_more: bool) -> Json:
    """A page as JSON."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _kind(request: Request) -> str:
    return request.url.path.rpartition("/")[2].removesuffix("s")


def _one_of(params: QueryParams, name: str, known: tuple[str, ...]) -> None:
    value = params.get(name)
    if value is not None and value not in known:
        raise StripeRefusal(400, f"Invalid {name}: must be one of {', '.join(known)}", param=name)
