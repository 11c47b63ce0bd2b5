"""``expand[]``: objects in place of their ids, along a path such as ``data.charge.customer``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_parameters import StripeRefusal
from nullspend_margins.demo.stripe_templates import Json

_DEEPEST = 4

PERMISSIONS = {
    "customer": "rak_customer_read",
    "invoice": "rak_invoice_read",
    "payments": "rak_invoice_read",
    "charge": "rak_charge_read",
    "balance_transaction": "rak_balance_transaction_source_read",
}
"""What may be expanded, and the permission that it takes."""


def permissions_for(paths: Iterable[str]) -> Iterator[str]:
    """The permissions that the paths take beside the list's own."""
    for path in paths:
        steps = [step for step in path.split(".") if step != "data"]
        for step in steps:
            if step not in PERMISSIONS:
                raise StripeRefusal(
                    400, f"This property cannot be expanded ({step}).", param="expand"
                )
            yield PERMISSIONS[step]
        if path.count(".") >= _DEEPEST:
            raise StripeRefusal(
                400, f"You cannot expand more than {_DEEPEST} levels of a property.", param="expand"
            )


def expand(account: StripeAccount, answer: Json, paths: Iterable[str]) -> Json:
    """The answer with what ``paths`` lead to in it."""
    for path in paths:
        _expand(account, answer, path.split("."))
    return answer


def _expand(account: StripeAccount, value: Any, path: list[str]) -> None:
    if not path or not isinstance(value, dict):
        return
    name, rest = path[0], path[1:]
    if name == "data":
        for each in value.get("data", ()):
            _expand(account, each, rest)
        return
    found = _EXPANDED[name](account, value)
    if found is not None:
        value[name] = found
    _expand(account, value.get(name), rest)


def _customer(account: StripeAccount, value: Json) -> Json | None:
    customer = account.customers.get(_id_in(value, "customer"))
    return customer.render(livemode=account.livemode) if customer else None


def _invoice(account: StripeAccount, value: Json) -> Json | None:
    invoice = account.invoices.get(_id_in(value, "invoice"))
    if invoice is None:
        return None
    return invoice.render(invoice.customer_id, livemode=account.mode(invoice.livemode))


def _payments(account: StripeAccount, value: Json) -> Json | None:
    invoice = account.invoices.get(_id_in(value, "id"))
    if invoice is None:
        return None
    return invoice.render_payments(livemode=account.mode(invoice.livemode))


def _charge(account: StripeAccount, value: Json) -> Json | None:
    charge = account.charge(_id_in(value, "charge"))
    return charge.render(livemode=account.mode(charge.livemode)) if charge else None


def _balance_transaction(account: StripeAccount, value: Json) -> Json | None:
    if not isinstance(value.get("balance_transaction"), str):
        return None
    if value["object"] == "refund":
        refund = account.refunds[value["id"]]
        return account.transaction_of(refund, -refund.amount).render()
    charge = account.charge(value["id"])
    return account.transaction_of(charge, charge.amount).render() if charge else None


_EXPANDED: dict[str, Callable[[StripeAccount, Json], Json | None]] = {
    "customer": _customer,
    "invoice": _invoice,
    "payments": _payments,
    "charge": _charge,
    "balance_transaction": _balance_transaction,
}


def _id_in(value: Json, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
