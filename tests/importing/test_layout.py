"""Which column is what: by its name, by what is said, and never by a guess between two."""

from __future__ import annotations

import pytest

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.importing import ImportOptions, find_layout
from nullspend_margins.importing.names import FOCUS_MANDATORY

PLAIN = ["customer_id", "day", "cost"]
FOCUS = [*FOCUS_MANDATORY, "ChargePeriodEnd", "ProviderName", "ServiceName", "Tags", "SkuId"]


def layout(columns: list[str], /, **options: object) -> dict[str, str]:
    given = ImportOptions(**{"org_id": "org_1", **options})  # type: ignore[arg-type]
    return dict(find_layout(columns, given).columns)


def refused(columns: list[str], /, **options: object) -> str:
    with pytest.raises(ValidationFailed) as caught:
        layout(columns, **options)
    return caught.value.message


@pytest.mark.parametrize(
    ("column", "field"),
    [("Customer ID", "customer"), ("tagValue", "customer"), ("costUSD", "cost"), ("amount", "cost"),
     ("cost_microdollars", "cost"), ("timestamp", "date"), ("Service", "provider"),
     ("num_requests", "requests"), ("MODEL", "model"), ("event-id", "id"),
     ("currency", "currency")],
)  # fmt: skip
def test_usual_names_are_known_however_they_are_spelt(column: str, field: str) -> None:
    others = [
        name for name, of in zip(PLAIN, ("customer", "date", "cost"), strict=True) if of != field
    ]
    assert layout([*others, column])[field] == column


def test_two_columns_for_one_thing_are_a_choice_to_make() -> None:
    columns = [*PLAIN, "tag", "timestamp"]
    message = refused(columns)
    assert "customer may be customer_id or tag: say --column customer=customer_id" in message
    assert "date may be day or timestamp: say --column date=day, or another." in message
    assert "--column customer= for none" in message
    chosen = layout(columns, columns={"customer": "tag", "date": "day"})
    assert (chosen["customer"], chosen["date"]) == ("tag", "day")


def test_two_spellings_of_one_column_of_focus_are_a_choice_to_make() -> None:
    columns = ["BilledCost", "billed_cost", "BillingCurrency", "ChargePeriodStart", "Tags"]
    message = refused(columns)
    assert "cost may be BilledCost or billed_cost: say --column cost=BilledCost" in message
    assert layout(columns, columns={"cost": "billed_cost"})["cost"] == "billed_cost"


def test_a_column_that_is_named_is_nothing_else() -> None:
    found = layout([*PLAIN, "service"], columns={"customer": "service"})
    assert found["customer"] == "service"
    assert "provider" not in found


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    message = refused(PLAIN, columns={"model": "Modell"})
    assert "--column model=Modell" in message
    assert "customer_id, day, cost" in message


def test_what_must_be_there_and_is_not_is_asked_for() -> None:
    message = refused(["who", "when", "much"])
    assert "--column customer=COLUMN --column cost=COLUMN --column date=COLUMN" in message


def test_costs_of_nobody_must_be_meant_so() -> None:
    assert "No column for customer" in refused(["day", "cost"])
    assert layout(["day", "cost"], columns={"customer": ""}) == {"date": "day", "cost": "cost"}


def test_a_used_column_may_not_be_there_twice() -> None:
    assert "names cost twice" in refused([*PLAIN, "cost"], columns={"cost": "cost"})
    assert "names cost twice" in refused([*PLAIN, "cost"])
    assert layout([*PLAIN, "note", "note"])


def test_an_org_comes_from_one_place() -> None:
    assert "Whose costs" in refused(PLAIN, org_id=None)
    assert layout([*PLAIN, "org_id"], org_id=None)["org"] == "org_id"
    assert "--column org=" in refused([*PLAIN, "org_id"])
    assert "org" not in layout([*PLAIN, "org_id"], columns={"org": ""})


@pytest.mark.parametrize(
    ("column", "said", "unit"),
    [("cost", None, "usd"), ("cost", "cents", "cents"), ("cost_cents", None, "cents"),
     ("cost_dollars", None, "usd"), ("costMicrodollars", None, "microdollars"),
     ("spend_nanodollars", "nanodollars", "nanodollars"), ("recents", None, "usd")],
)  # fmt: skip
def test_the_unit_is_said_by_the_column_or_by_the_person(
    column: str, said: str | None, unit: str
) -> None:
    options = ImportOptions(org_id="o", unit=said, columns={"cost": column})
    assert find_layout([*PLAIN[:2], column], options).unit == unit


def test_two_units_are_one_too_many() -> None:
    assert "is in cents by its name" in refused([*PLAIN[:2], "cost_cents"], unit="usd")


def test_focus_is_known_by_its_columns() -> None:
    for columns in (
        FOCUS,
        [name.upper() for name in FOCUS],
        [*FOCUS, "customer_id", "cost", "day"],
    ):
        found = find_layout(columns, ImportOptions(org_id="o"))
        assert found.is_focus
        assert found.customer_tag == "customer"
        assert found.columns["cost"].casefold() == "billedcost"


def test_every_column_of_focus_may_be_another() -> None:
    found = layout(FOCUS, columns={"model": "SkuId", "customer": "ServiceName"})
    assert (found["model"], found["customer"]) == ("SkuId", "ServiceName")
    assert "tags" not in found


def test_focus_without_tags_asks_where_the_customer_is() -> None:
    columns = [name for name in FOCUS if name != "Tags"]
    assert "--column customer=" in refused(columns)
    assert "customer" not in layout(columns, columns={"customer": ""})


def test_what_is_said_to_be_focus_must_be() -> None:
    assert "BilledCost, BillingCurrency, ChargePeriodStart missing" in refused(
        PLAIN, format="focus"
    )


def test_a_tag_is_found_in_other_files_when_it_is_named() -> None:
    assert layout(["labels", "day", "cost"], customer_tag="team")["tags"] == "labels"
    assert "not both" in refused(["labels", *PLAIN], customer_tag="t", columns={"customer": "day"})


def test_what_is_not_needed_may_be_there_twice() -> None:
    assert layout([*PLAIN, "tags", "labels"])["customer"] == "customer_id"
    assert "customer" not in layout([*PLAIN, "tenant", "tags"], customer_tag="team")


def test_names_in_a_message_do_not_steer_a_terminal() -> None:
    assert refused(["who\x1b[31m", "when"]).isprintable()


def test_of_very_many_columns_some_are_listed() -> None:
    assert len(refused([f"column {n}" for n in range(10_000)])) < 1_500


def test_categories_are_those_of_focus() -> None:
    assert "no column of charge categories" in refused(PLAIN, without=frozenset({"Tax"}))
