"""Which customer and which tag value a form means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nullspend_margins.dashboard.call import PageCall
from nullspend_margins.dashboard.forms import Form
from nullspend_margins.dashboard.matching.page import Problem
from nullspend_margins.dashboard.matching.providers import known_providers, provider_problem
from nullspend_margins.domain.mapping_changes import Wanted
from nullspend_margins.domain.text import as_read, isolated, text_problem
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.storage.revenue import CustomerProfile

PICK = "pick"
"""The field of a suggestion's button: it counts more than what was typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A pair, from the form of which ``side``, and what may be given up for it.

    ``release`` is the id of another customer's mapping, ``replaces`` the customer's tag value.
    """

    wanted: Wanted
    side: str
    release: str = ""
    replaces: str = ""

    def problem(
        self, text: str, *, way_out: str = "", release: str = "", replaces: str = ""
    ) -> Problem:
        """Shown beside the form that was sent."""
        wanted = self.wanted
        by_customer = self.side == "customer"
        fields = wanted._asdict() | {
            "release": release or self.release,
            "replaces": replaces or self.replaces,
        }
        return Problem(
            text=text,
            side=self.side,
            key=wanted[:2] if by_customer else (wanted.tag_value,),
            typed=wanted.tag_value if by_customer else wanted.customer_id,
            way_out=way_out,
            fields={name: value for name, value in fields.items() if value},
        )


async def chosen(call: PageCall, form: Form) -> Choice | Problem:
    """The pair that a form of either side names. Raises ``ValidationFailed`` for one of neither."""
    if "customer" in dict(form.fields):
        return await _by_tag(call, form)
    provider, customer_id = form.text("provider"), form.text("customer_id")
    typed = (form.get(PICK) or form.get("tag_value")).strip()
    wrong = text_problem(typed)
    told = "Choose or type a tag value." if not typed else f"The tag value {wrong}."
    if wrong is None:
        told = provider_problem(provider, await known_providers(call)) or ""
    if told:
        key = provider, customer_id
        return Problem(text=told, status=400, side="customer", key=key, typed=typed)
    return Choice(
        wanted=Wanted(provider, customer_id, typed),
        side="customer",
        release=form.get("release"),
        replaces=form.get("replaces"),
    )


async def _by_tag(call: PageCall, form: Form) -> Choice | Problem:
    tag_value, typed = form.text("tag_value"), (form.get(PICK) or form.get("customer")).strip()
    unmatched = await call.services.margins.unmatched(call.org_id)
    try:
        found = find_customer(typed, unmatched.customers)
    except ValidationFailed as problem:
        return Problem(text=problem.message, status=400, side="tag", key=(tag_value,), typed=typed)
    return Choice(wanted=Wanted(found.provider, found.customer_id, tag_value), side="tag")


def find_customer(typed: str, customers: Sequence[CustomerProfile]) -> CustomerProfile:
    """The one unmatched customer with this id, ``provider:id``, name or e-mail.

    Raises ``ValidationFailed`` when there is none, or several.
    """
    if not typed:
        raise ValidationFailed("Choose a customer, or type its name or id.")
    wanted = as_read(typed).casefold()
    by_id = [each for each in customers if typed in (each.customer_id, _full_id(each))]
    by_name = [each for each in customers if as_read(each.name or "").casefold() == wanted]
    by_email = [each for each in customers if (each.email or "").casefold() == wanted]
    for found in (by_id, by_name, by_email):
        if len(found) == 1:
            return found[0]
        if found:
            one, other = (isolated(_full_id(each)) for each in found[:2])
            raise ValidationFailed(
                f"{len(found)} unmatched customers are called {isolated(typed)}. "
                f"Type the id of one: {one}, {other}{', …' if len(found) > 2 else ''}"
            )
    raise ValidationFailed(f"No unmatched customer has the name, id or e-mail {isolated(typed)}.")


def _full_id(customer: CustomerProfile) -> str:
    return f"{customer.provider}:{customer.customer_id}"
