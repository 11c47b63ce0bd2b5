"""What happens to a company between two syncs, and the events that Stripe tells it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.properties.company import Company
from tests.properties.giving_back import credit, dispute, give_back, speak_for
from tests.properties.revenue_model import Json
from tests.properties.sales import Refund, Sale, sales
from tests.properties.selling import paid, sell
from tests.world import NOW

_Change = Callable[[Company, Json, int, int], set[str]]

KINDS = (
    "pay", "pay", "pay", "void", "uncollectible", "refund", "fail", "credit", "void note",
    "dispute", "win", "delete customer", "credit what is open",
    "credit a refund",
)  # fmt: skip


@dataclass(frozen=True)
class Round:
    """Some things happen, then a sync. ``hours`` have passed since the one before."""

    hours: int
    sold: tuple[Sale, ...]
    changes: tuple[tuple[str, int, int], ...]
    """What, to which of those that it can happen to, and how much of it in percent."""


HOUR, MONTH = 2, 31 * 24

rounds = st.builds(
    Round,
    hours=st.sampled_from((HOUR, HOUR, MONTH)),
    sold=st.lists(sales(NOW, 1), max_size=1).map(tuple),
    changes=st.lists(
        st.tuples(st.sampled_from(KINDS), st.integers(0, 20), st.sampled_from((100, 40, 3))),
        min_size=1,
        max_size=4,
    ).map(tuple),
)


def eventful() -> list[Round]:
    """Rounds of everything, months between them; then what is old by now fails and is void."""
    first = tuple((kind, number, 40) for number, kind in enumerate(KINDS))
    second = tuple((kind, 3 * number + 1, 100) for number, kind in enumerate(KINDS))
    third = tuple((kind, number, 0) for number in range(9) for kind in ("fail", "void note"))
    return [
        Round(HOUR, (), first),
        Round(MONTH, (), second),
        Round(MONTH, (), first[::-1]),
        Round(HOUR, (), third),
    ]


def lingering() -> list[Round]:
    """What is open is credited, half a year passes, and only then it is paid."""
    credited = tuple(("credit what is open", number, 40) for number in range(0, 40, 3))
    paid_late = tuple(("pay", number, 100) for number in range(0, 40, 2))
    return [Round(HOUR, (), credited), Round(6 * MONTH, (), paid_late)]


def happen(company: Company, drawn: Round, now: int) -> set[str]:
    """Do it all, a minute ago; the ids of what events have told of."""
    touched: set[str] = set()
    moment = now - 60
    for sale in drawn.sold:
        sell(company, sale, moment)
    for number, (kind, which, percent) in enumerate(drawn.changes):
        subjects = _subjects(company, kind)
        if subjects:
            subject = subjects[which % len(subjects)]
            touched |= _CHANGES[kind](company, subject, percent, moment + number)
    return touched


def _subjects(company: Company, kind: str) -> list[Json]:
    """What it can happen to."""
    open_ones = [one for one in company.invoices.values() if one["status"] == "open"]
    owed = [one for one in company.invoices.values() if one["status"] in ("open", "uncollectible")]
    found = {
        "pay": owed,
        # Stripe voids nothing that has payments.
        "void": [one for one in open_ones if not company.payments_of(one["id"])],
        "uncollectible": open_ones,
        "refund": [one for one in company.charges.values() if one["livemode"] is company.livemode],
        "fail": [one for one in company.refunds.values() if one["status"] != "failed"],
        "credit": [one for one in company.invoices.values() if one["status"] == "paid"],
        "credit what is open": [one for one in owed if not one["amount_paid"]],
        "credit a refund": [
            one for one in company.refunds.values() if one["status"] == "succeeded"
        ],
        "void note": [
            one
            for one in company.credit_notes.values()
            if one["status"] == "issued" and not one["refunds"]
        ],
        "dispute": [*company.charges.values()],
        "win": [one for one in company.disputes.values() if len(one["balance_transactions"]) == 1],
        "delete customer": [*company.customers.values()],
    }
    return found[kind]


def _pay(company: Company, invoice: Json, percent: int, moment: int) -> set[str]:
    left = invoice["total"] - invoice["amount_paid"] - company.credited(invoice["id"])
    amount = left * percent // 100
    if amount <= 0:
        return set()
    if amount == left:
        invoice["status"] = "paid"
    by = ("intent", "charge", "out of band")[moment % 3] if amount == left else "intent"
    rate = ("1.25", None)[moment // 60 % 2]
    if paid(company, invoice, amount, moment, by, rate):
        company.happened("invoice_payment.paid", [*company.payments.values()][-1], moment)
    company.happened(f"invoice.{'paid' if amount == left else 'updated'}", invoice, moment)
    return {invoice["id"]}


def _set(status: str, event: str) -> _Change:
    def change(company: Company, subject: Json, percent: int, moment: int) -> set[str]:
        subject["status"] = status
        company.happened(event, subject, moment)
        return {subject["id"]}

    return change


def _refund(company: Company, charge: Json, percent: int, moment: int) -> set[str]:
    invoice = company.paid_with(charge["id"], charge["payment_intent"])
    plan = Refund(percent, moment - charge["created"], "succeeded", percent == 40, "charge")
    refund = give_back(company, invoice, charge, plan, moment)
    if refund is None:
        return set()
    company.happened("refund.created", refund, moment)
    return {refund["id"]}


def _credit(company: Company, invoice: Json, percent: int, moment: int) -> set[str]:
    total = invoice["total"] * percent // 100
    if total <= 0:
        return set()
    note = credit(company, invoice, total, total * 4 // 5, moment)
    company.happened("credit_note.created", note, moment)
    return {note["id"]}


def _speak_for(company: Company, refund: Json, percent: int, moment: int) -> set[str]:
    note = speak_for(company, refund, percent, moment)
    if note is None:
        return set()
    company.happened("credit_note.created", note, moment)
    return {note["id"]}


def _dispute(company: Company, charge: Json, percent: int, moment: int) -> set[str]:
    outcome = "inquiry" if percent == 3 else "lost"
    made = dispute(
        company,
        company.paid_with(charge["id"], charge["payment_intent"]),
        charge,
        outcome,
        moment,
        moment,
    )
    company.happened("charge.dispute.created", made, moment)
    return {made["id"]}


def _win(company: Company, lost: Json, percent: int, moment: int) -> set[str]:
    [taken] = lost["balance_transactions"]
    back = taken | {"id": f"{taken['id']}_back", "amount": -taken["amount"], "created": moment}
    lost["balance_transactions"].append(back)
    company.happened("charge.dispute.funds_reinstated", lost, moment)
    return {lost["id"]}


def _delete(company: Company, customer: Json, percent: int, moment: int) -> set[str]:
    customer["deleted"] = True
    company.happened("customer.deleted", customer, moment)
    return set()


_CHANGES: Mapping[str, _Change] = {
    "pay": _pay,
    "void": _set("void", "invoice.voided"),
    "uncollectible": _set("uncollectible", "invoice.marked_uncollectible"),
    "refund": _refund,
    "fail": _set("failed", "refund.failed"),
    "credit": _credit,
    "credit what is open": _credit,
    "credit a refund": _speak_for,
    "void note": _set("void", "credit_note.voided"),
    "dispute": _dispute,
    "win": _win,
    "delete customer": _delete,
}
