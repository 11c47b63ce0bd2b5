"""Stripe's list endpoints: parameters, filters, pages, expansion, and its form of errors."""

from __future__ import annotations

import itertools
import math

from starlette.datastructures import QueryParams
from starlette.requests import Request

from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_objects import STATUSES, Json, StripeCustomer, StripeInvoice

_RANGES = ("gt", "gte", "lt", "lte")
_COMMON = {"limit", "starting_after", "expand[]", "created", *(f"created[{x}]" for x in _RANGES)}


class StripeRefusal(Exception):
    """An error answer in Stripe's form."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param

    @classmethod
    def no_such(cls, kind: str, object_id: str, *, status: int = 404) -> StripeRefusal:
        """There is no object with this id."""
        param = "id" if status == 404 else "starting_after"
        message = f"No such {kind}: '{object_id}'"
        return cls(status, message, code="resource_missing", param=param)

    def body(self) -> Json:
        """The JSON of the answer."""
        kinds = {429: "rate_limit_error"}
        kind = "api_error" if self.status >= 500 else "invalid_request_error"
        error: Json = {"message": self.message, "type": kinds.get(self.status, kind)}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def list_customers(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/customers``: deleted ones are not listed."""
    params = _checked(request.query_params, {"email"})
    first, end, limit = *_created(params), _limit(params)
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
    return _list("/v1/customers", data, has_more=len(found) > limit)


def list_invoices(account: StripeAccount, request: Request) -> Json:
    """``GET /v1/invoices``: filtered, newest first, ``data.customer`` expanded on request."""
    params = _checked(request.query_params, {"status", "customer", "subscription"})
    status, customer, after = (params.get(x) for x in ("status", "customer", "starting_after"))
    if status is not None and status not in STATUSES:
        raise StripeRefusal(
            400, f"Invalid status: must be one of {', '.join(STATUSES)}", param="status"
        )
    if after is not None and after not in account.invoices:
        raise StripeRefusal.no_such("invoice", after, status=400)
    first, end, limit = *_created(params), _limit(params)
    rest = account.newest_invoices(before=end, after=after)
    in_range = itertools.takewhile(lambda one: one.created >= first, rest)
    matching = (
        one
        for one in in_range
        if status in {None, one.status} and customer in {None, one.customer_id}
    )
    found = list(itertools.islice(matching, limit + 1))
    expand = "data.customer" in params.getlist("expand[]")
    data = [_rendered(account, one, expand=expand) for one in found[:limit]]
    return _list("/v1/invoices", data, has_more=len(found) > limit)


def _rendered(account: StripeAccount, invoice: StripeInvoice, *, expand: bool) -> Json:
    customer = account.customers.get(invoice.customer_id or "")
    if expand and customer is not None:
        return invoice.render(customer.render(livemode=account.livemode), livemode=account.livemode)
    return invoice.render(invoice.customer_id, livemode=account.livemode)


def _list(url: str, data: list[Json], *, has_more: bool) -> Json:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _checked(params: QueryParams, known: set[str]) -> QueryParams:
    for name in params:
        if name not in _COMMON | known:
            raise StripeRefusal(
                400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name
            )
    return params


def _limit(params: QueryParams) -> int:
    limit = _integer(params, "limit")
    if limit is None:
        return 10
    if not 1 <= limit <= 100:
        bound = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
        raise StripeRefusal(
            400,
            f"This value must be {bound} (it currently is '{limit}').",
            code="parameter_invalid_integer",
            param="limit",
        )
    return limit


def _created(params: QueryParams) -> tuple[float, float]:
    """The half-open range ``[first, end)`` of Unix seconds that the filters leave."""
    first: float = -math.inf
    end: float = math.inf
    exact = _integer(params, "created")
    if exact is not None:
        return exact, exact + 1
    for name in _RANGES:
        value = _integer(params, f"created[{name}]")
        if value is None:
            continue
        if name.startswith("g"):
            first = max(first, value if name == "gte" else value + 1)
        else:
            end = min(end, value if name == "lt" else value + 1)
    return first, end


def _integer(params: QueryParams, name: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise StripeRefusal(
            400, f"Invalid integer: {text}", code="parameter_invalid_integer", param=name
        ) from None
