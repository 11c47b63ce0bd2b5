"""What is taken back of a sale, as Stripe's objects: refunds, credit notes, disputes."""

from __future__ import annotations

from tests.properties.company import Company
from tests.properties.revenue_model import Json
from tests.properties.sales import DAY, Refund, Sale

TAX_PERCENT = 19


def moved(source: str, amount: int, moment: int, invoice: Json, rate: str | None) -> Json:
    """A balance transaction. Stripe's rate is of the amounts as they are, in the minor units."""
    converted = invoice["currency"] != "usd" and rate is not None
    return {
        "id": f"txn_{source}",
        "object": "balance_transaction",
        "amount": int(amount * float(rate or 1)) if converted else amount,
        "created": moment,
        "currency": "usd" if converted else invoice["currency"],
        "exchange_rate": float(rate or 1) if converted else None,
    }


def give_back(company: Company, invoice: Json, charge: Json, plan: Refund, now: int) -> Json | None:
    """A refund of a charge, if there is something to refund."""
    amount = charge["amount"] * plan.percent // 100
    if not amount:
        return None
    object_id, moment = f"re_{len(company.refunds):04d}", min(charge["created"] + plan.after, now)
    by_invoice = plan.named == "invoice" and charge["payment_intent"] is not None
    transaction = charge["balance_transaction"]
    rate = transaction["exchange_rate"]
    refund = {
        "id": object_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": moved(
            object_id, -amount, moment, invoice, None if rate is None else str(rate + 0.25)
        ),
        "charge": None if by_invoice else charge["id"],
        "created": moment,
        "currency": invoice["currency"],
        "customer": invoice["customer"] if plan.named == "itself" else None,
        "payment_intent": charge["payment_intent"],
        "status": plan.status,
    }
    company.refunds[object_id] = refund
    if plan.is_credited and plan.status == "succeeded":
        # Every other time a note of some of it.
        speak_for(company, refund, 100 if len(company.credit_notes) % 2 else 60, moment)
    return refund


def speak_for(company: Company, refund: Json, percent: int, moment: int) -> Json | None:
    """A credit note for so much of what no note is for of a refund yet."""
    notes = company.credit_notes.values()
    linked = [one for note in notes for one in note["refunds"] if one["refund"] == refund["id"]]
    left = refund["amount"] - sum(one["amount_refunded"] for one in linked)
    amount = left * percent // 100
    if not amount:
        return None
    invoice = company.paid_with(refund["charge"], refund["payment_intent"])
    note = credit(company, invoice, amount, amount * 8 // 10, moment)
    note["refunds"] = [{"amount_refunded": amount, "refund": refund["id"], "type": "refund"}]
    return note


def write_off(company: Company, invoice: Json, sale: Sale, moment: int, *, most: int) -> int:
    """A credit note of some of an invoice; its total."""
    plan = sale.note
    total = min(most, invoice["total"] * plan.percent // 100) if plan is not None else 0
    if plan is None or total <= 0:
        return 0
    untaxed = total * 100 // (100 + TAX_PERCENT) if sale.tax else total
    note = credit(company, invoice, total, untaxed, moment)
    note["status"] = plan.status
    if plan.effective_before is not None:
        note["effective_at"] = moment - plan.effective_before
    if not sale.tells_untaxed:
        note["total_excluding_tax"] = None
    return total if plan.status == "issued" else 0


def credit(company: Company, invoice: Json, total: int, untaxed: int, moment: int) -> Json:
    """A credit note of so much."""
    object_id = f"cn_{len(company.credit_notes):04d}"
    tax = [{"amount": total - untaxed, "tax_behavior": "exclusive"}] if total > untaxed else []
    note: Json = {
        "id": object_id,
        "object": "credit_note",
        "amount": total,
        "created": moment,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "effective_at": None,
        "invoice": invoice["id"],
        "livemode": invoice["livemode"],
        "refunds": [],
        "status": "issued",
        "total": total,
        "total_excluding_tax": untaxed,
        "total_taxes": tax,
    }
    company.credit_notes[object_id] = note
    return note


def dispute(
    company: Company, invoice: Json, charge: Json, outcome: str, begun: int, now: int
) -> Json:
    """A dispute of a whole charge: nothing moves, or it is taken, or given back a month later."""
    object_id = f"du_{len(company.disputes):04d}"
    rate = charge["balance_transaction"]["exchange_rate"]
    text = None if rate is None else str(rate)
    moves = []
    if outcome != "inquiry":
        moves.append(moved(f"{object_id}_1", -charge["amount"], begun, invoice, text))
    if outcome == "won":
        later = min(begun + 35 * DAY, now)
        moves.append(moved(f"{object_id}_2", charge["amount"], later, invoice, text))
    made = {
        "id": object_id,
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": moves,
        "charge": charge["id"],
        "created": begun,
        "currency": invoice["currency"],
        "livemode": invoice["livemode"],
        "payment_intent": charge["payment_intent"],
        "status": outcome,
    }
    company.disputes[object_id] = made
    return made
