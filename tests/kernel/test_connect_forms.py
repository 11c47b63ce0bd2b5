"""A connect form that is none stops the start."""

from __future__ import annotations

import pytest

from nullspend_margins import ConnectField, ConnectForm, ConnectWay

from .support import Earns, Registers, load, refusal

FORM = ConnectForm(
    title="Acme",
    ways=[ConnectWay(name="a", label="A", fields=[ConnectField(name="token", label="Token")])],
)


class OfAProperty(Earns):
    @property
    def connect_form(self) -> ConnectForm:
        return FORM


class OfAMethod(Earns):
    async def connect_form(self) -> ConnectForm:
        return FORM


class OfATable(Earns):
    connect_form = {"title": "Acme"}  # noqa: RUF012


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (OfAMethod, "is a method; give the ConnectForm itself: an attribute, or a property"),
        (OfATable, "must be a ConnectForm, not dict"),
    ],
)
def test_what_is_no_form_is_told(kind: type, message: str) -> None:
    assert refusal(Registers("register_revenue_providers", [kind()])) == (
        "plugin acme (given by the host), register_revenue_providers: "
        f"{kind.__name__}.connect_form {message}"
    )


@pytest.mark.parametrize("kind", [OfAProperty, Earns])
def test_a_form_may_be_a_property_or_left_away(kind: type) -> None:
    registry = load(Registers("register_revenue_providers", [kind()]))
    [provider] = [each for each in registry.revenue_providers.values() if isinstance(each, Earns)]
    assert getattr(provider, "connect_form", None) == (FORM if kind is OfAProperty else None)
