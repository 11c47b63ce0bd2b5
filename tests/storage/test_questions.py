"""Statements that the driver is asked itself."""

import pytest
from sqlalchemy import Connection, bindparam, select

from nullspend_margins.domain.period import day_number
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.questions import OneOf, Question, Questions
from nullspend_margins.storage.rollups import add_costs
from nullspend_margins.storage.tables import cost_model_days, cost_months
from tests.storage.builders import NOVEMBER, ORG

_of_months = select(cost_months.c.month, cost_months.c.cost_nanodollars).where(
    cost_months.c.org_id == bindparam("org_id"),
    cost_months.c.tag_value == "acme",  # what the statement says itself
    OneOf(cost_months.c.month, "months"),
)
_months = Question(_of_months.order_by(cost_months.c.month))
_tags = select(cost_model_days.c.model, cost_model_days.c.tag_value).where(
    cost_model_days.c.org_id == bindparam("org_id"),
    cost_model_days.c.day == bindparam("day"),
    cost_model_days.c.cost_nanodollars > 0,
)
_nobody = select(cost_months.c.tag_value).where(cost_months.c.org_id == bindparam("nobody"))


def _spend(tx: Connection) -> None:
    for shift in range(3):
        day = day_number(NOVEMBER.shift(-shift).start)
        for tag_value in ("acme", "zeta"):
            add_costs(tx, ORG, {(day, tag_value, "api", "openai", "gpt-4o"): (7 + shift, 1)})


async def test_lists_of_any_length_find_what_is_in_them(database: Database) -> None:
    await database.write(_spend)
    last = NOVEMBER.index
    for months in (range(last, last + 1), range(last - 1, last + 1), [last - 2, last - 2, last]):
        found = await database.read(
            lambda tx, months=months: _months.rows(tx, org_id=ORG, months=months)
        )
        assert found == [(month, 7 + last - month) for month in sorted({*months})]


async def test_another_org_has_none_of_it(database: Database) -> None:
    await database.write(_spend)
    months = range(NOVEMBER.index, NOVEMBER.index + 1)
    assert (await database.read(lambda tx: _months.rows(tx, org_id="org_2", months=months))) == []


async def test_a_parameter_that_is_missing_is_an_error(database: Database) -> None:
    def ask(tx: Connection) -> object:
        return _months.rows(tx, months=[NOVEMBER.index])

    with pytest.raises(Exception, match="org_id"):
        await database.read(ask)


async def test_several_find_what_each_finds_alone(database: Database) -> None:
    await database.write(_spend)
    last = NOVEMBER.index
    given = {
        "day": day_number(NOVEMBER.start),
        "nobody": "nobody",
        "months": [last, last - 2],
    }
    for run in (database.read, database.ask):
        found = await run(
            lambda tx: Questions(_tags, _nobody, _of_months).rows(tx, org_id=ORG, **given)
        )
        tags, nothing, months = map(sorted, found)
        assert tags == [("gpt-4o", "acme"), ("gpt-4o", "zeta")]
        assert nothing == []
        assert months == [(last - 2, 9), (last, 7)]


async def test_several_may_be_one_alone(database: Database) -> None:
    await database.write(_spend)
    one = Questions(_of_months)
    found = await database.ask(lambda tx: one.rows(tx, months=[NOVEMBER.index], org_id=ORG))
    assert found == [[(NOVEMBER.index, 7)]]
