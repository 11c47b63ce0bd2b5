"""Plans become Stripe's objects: an invoice with its lines, what was paid of it, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.properties.company import Company
from tests.properties.giving_back import TAX_PERCENT, dispute, give_back, moved, write_off
from tests.properties.revenue_model import Json
from tests.properties.sales import DAY, Pay, Sale, years_after

SHIPPING = 500


def sell(company: Company, sale: Sale, now: int) -> str:
    """Put a sale on the books; the id of its invoice. Nothing happens after ``now``."""
    number = len(company.invoices)
    created = now - sale.ago
    if sale.customer is not None:
        company.customers.setdefault(sale.customer, {"id": sale.customer, "name": sale.customer})
    invoice = _invoice(company, sale, f"in_{number:04d}", created)
    company.invoices[invoice["id"]] = invoice
    due = max(0, invoice["total"]) * (100 - sale.from_balance) // 100
    if sale.note is not None and sale.note.before and sale.status != "draft":
        due -= write_off(company, invoice, sale, min(created + 60, now), most=due)
    charges = _pay_all(company, invoice, sale, due, now)
    if charges and not sale.is_alien:  # refunds do not tell their mode
        for refund in sale.refunds:
            give_back(company, invoice, charges[0], refund, now)
    if charges and sale.dispute is not None:
        begun = min(charges[0]["created"] + 9 * DAY, now)
        dispute(company, invoice, charges[0], sale.dispute, begun, now)
    if sale.note is not None and not sale.note.before and invoice["status"] == "paid":
        write_off(company, invoice, sale, min(created + 30 * DAY, now), most=invoice["total"])
    return invoice["id"]


def _invoice(company: Company, sale: Sale, object_id: str, created: int) -> Json:
    lines = [
        _line(sale, object_id, number, *parts)
        for number, parts in enumerate(_agreed(sale, created))
    ]
    total = untaxed = 0
    for line in lines:
        kept = line["amount"] - sum(each["amount"] for each in line["pretax_credit_amounts"])
        tax = sum(each["amount"] for each in line["taxes"])
        total += kept + (tax if sale.tax == "exclusive" else 0)
        untaxed += kept - (tax if sale.tax == "inclusive" else 0)
    sent = SHIPPING if sale.shape == "nearly swapped" else 0
    total, untaxed = total + sent, untaxed + sent
    off = sale.whole_discount if total > sale.whole_discount else 0
    tax = total - untaxed
    return {
        "id": object_id,
        "object": "invoice",
        "amount_paid": 0,
        "created": created,
        "currency": sale.currency,
        "customer": sale.customer,
        "customer_email": None,
        "customer_name": sale.customer,
        "lines": {"object": "list", "data": lines, "has_more": False},
        "livemode": company.livemode is not sale.is_alien,
        "starting_balance": 0,
        "status": sale.status,
        "status_transitions": {"paid_at": None},
        "test_clock": None,
        "total": total - off,
        "total_excluding_tax": untaxed - off if sale.tells_untaxed else None,
        "total_taxes": _taxes(sale, tax),
    }


def _agreed(sale: Sale, created: int) -> Iterator[tuple[int, int, int]]:
    """Amount, begin and end of each line."""
    price, end = sale.price, years_after(created, 0, 1)
    if sale.shape == "upgrade":  # what is left of the old plan, and the new one
        yield -(price // 3), created, end - 5 * DAY
        yield price, created, end
    elif sale.shape == "downgrade":  # more is given back than the new plan costs
        yield -price, created, end
        yield price // 2, created, end
    elif sale.shape == "swapped":  # worth the same
        yield -price, created - 3 * DAY, end - 3 * DAY
        yield price, created, years_after(created, 1)
    elif sale.shape == "nearly swapped":  # and something is sent along, which no line tells
        yield -price, created - 3 * DAY, end - 3 * DAY
        yield price + 1 + price // 50, created, years_after(created, 1)
    elif sale.shape == "many lines":
        for number in range(210 + price % 7):
            yield price % 1_000 + number, created - number * DAY, created + number % 3 * 20 * DAY
    elif sale.shape != "no lines":
        ends = {
            "annual": years_after(created, 1),
            "three years": years_after(created, 3),
            "a day": created + DAY,
            "a second": created + 1,
            "a point": created,
            "trial": created + 14 * DAY,
        }
        yield 0 if sale.shape == "trial" else price, created, ends.get(sale.shape, end)


def _line(sale: Sale, invoice_id: str, number: int, amount: int, start: int, end: int) -> Json:
    off = amount * sale.discount // 100 if amount > 0 else 0
    kept = amount - off
    whole = 100 + TAX_PERCENT if sale.tax == "inclusive" else 100
    credit = {"amount": off, "discount": "di_1", "type": "discount"}
    return {
        "id": f"il_{invoice_id[3:]}_{number}",
        "object": "line_item",
        "amount": amount,
        "currency": sale.currency,
        "description": sale.shape,
        "invoice": invoice_id,
        "period": {"start": min(start, end), "end": end},
        "pretax_credit_amounts": [credit] if off else [],
        "taxes": _taxes(sale, kept * TAX_PERCENT // whole if sale.tax else 0),
    }


def _taxes(sale: Sale, amount: int) -> list[Json]:
    return [{"amount": amount, "tax_behavior": sale.tax}] if amount else []


def _pay_all(company: Company, invoice: Json, sale: Sale, due: int, now: int) -> list[Json]:
    """Payments until it is paid, or all but the last; the charges that they made."""
    status = sale.status
    if status in ("void", "draft"):
        return []
    pays = list(sale.pays)
    if due == 0 or status == "paid":
        invoice["status"] = "paid"
        pays.append(Pay(100, pays[-1].after + 1, pays[-1].by))
        invoice["status_transitions"]["paid_at"] = invoice["created"]
    made: list[Json] = []
    left, moment = due, invoice["created"]
    for number, pay in enumerate(pays):
        amount = left if pay.percent == 100 else left * pay.percent // 100
        is_open = invoice["status"] != "paid"
        if is_open and (pay.percent == 100 or pay.by == "out of band"):
            continue
        # One after the other, and none later than now.
        moment = max(moment, min(moment + 1 + pay.after, now - len(pays) + number))
        if amount:
            left -= amount
            made += paid(company, invoice, amount, moment, pay.by, sale.rate)
    return made


def paid(
    company: Company, invoice: Json, amount: int, moment: int, by: str, rate: str | None
) -> list[Json]:
    """One payment; its charge, if there is one."""
    invoice["amount_paid"] += amount
    if invoice["status"] == "paid":
        invoice["status_transitions"]["paid_at"] = moment
    if by == "out of band":
        return []
    number = len(company.charges)
    charge = {
        "id": f"ch_{number:04d}",
        "object": "charge",
        "amount": amount,
        "balance_transaction": moved(f"ch_{number:04d}", amount, moment, invoice, rate),
        "created": moment,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "livemode": invoice["livemode"],
        "payment_intent": f"pi_{number:04d}" if by == "intent" else None,
    }
    company.charges[charge["id"]] = charge
    source: dict[str, Any] = {"type": "charge", "charge": charge["id"]}
    if by == "intent":
        source = {"type": "payment_intent", "payment_intent": charge["payment_intent"]}
    payment = _payment(f"inpay_{number:04d}", invoice, moment, source)
    company.payments[payment["id"]] = payment | {"amount_paid": amount, "status": "paid"}
    if number % 4 == 3:  # another try that came to nothing
        failed = _payment(f"inpay_{number:04d}_x", invoice, None, {"type": "payment_intent"})
        status = "open" if number % 8 == 3 else "canceled"
        company.payments[failed["id"]] = failed | {"status": status}
    return [charge]


def _payment(object_id: str, invoice: Json, moment: int | None, source: Json) -> Json:
    return {
        "id": object_id,
        "object": "invoice_payment",
        "amount_paid": None,
        "created": invoice["created"],
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "livemode": invoice["livemode"],
        "payment": source,
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": moment},
    }
