"""All that one tag value's months are made of, in one statement. Money in its stored units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from nullspend_margins.domain.cost import ModelCost
from nullspend_margins.domain.period import Months
from nullspend_margins.domain.revenue_part import BASES, Basis
from nullspend_margins.storage.costs import SELECT_CUSTOMER_MODELS, SELECT_CUSTOMER_MONTHS, by_model
from nullspend_margins.storage.customer_revenue import MappedCustomer, gathered, select_mapped
from nullspend_margins.storage.questions import Questions
from nullspend_margins.storage.revisions import SELECT_REVISION


class CustomerRecord(NamedTuple):
    """``customers`` in microdollars; ``month_costs``, by ``Period.index``, and ``model_costs``,
    of the last month, in nanodollars. ``revision`` is the org's, of the same moment."""

    revision: int | None
    customers: list[MappedCustomer]
    month_costs: dict[int, int]
    model_costs: list[ModelCost]


_asked: Mapping[Basis, Questions] = {
    basis: Questions(
        SELECT_REVISION, select_mapped(basis), SELECT_CUSTOMER_MONTHS, SELECT_CUSTOMER_MODELS
    )
    for basis in BASES
}


def read_customer(
    tx: Connection, org_id: str, tag_key: str, tag_value: str, months: Months, basis: Basis
) -> CustomerRecord:
    """Every provider's customer that is this tag value, and what its own costs are."""
    revision, customers, month_costs, model_costs = _asked[basis].rows(
        tx,
        org_id=org_id,
        tag_key=tag_key,
        tag_value=tag_value,
        months=months.indexes,
        days=months.last.day_numbers,
    )
    return CustomerRecord(
        revision[0][0] if revision else None,
        gathered(customers),
        dict(month_costs),
        by_model(model_costs),
    )
