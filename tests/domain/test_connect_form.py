"""A form of connecting says what is wrong with it when it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nullspend_margins import (
    ConnectField,
    ConnectForm,
    ConnectLink,
    ConnectPermission,
    ConnectWay,
    ValidationFailed,
)

TOKEN = ConnectField(name="token", label="Token")
WAY = ConnectWay(name="token", label="By token", fields=[TOKEN])
READ = ConnectPermission(name="read", label="Read", purpose="What was paid.")
LINK = ConnectLink(label="Make one", url="https://acme.example/tokens?x=[1]")

WRONG: dict[str, tuple[str, Callable[[], object]]] = {
    "a field without a name": ("name", lambda: ConnectField(name="", label="Token")),
    "a field named like no word": ("name", lambda: ConnectField(name="a b", label="Token")),
    "a field without a label": ("label", lambda: ConnectField(name="token", label="")),
    "help that is no text": ("help", lambda: ConnectField(name="a", label="A", help=any_(5))),
    "a kind of its own": ("kind", lambda: ConnectField(name="a", label="A", kind=any_("date"))),
    "a choice of nothing": ("options", lambda: ConnectField(name="a", label="A", kind="choice")),
    "a way without fields": ("fields", lambda: ConnectWay(name="a", label="A", fields=[])),
    "fields of one name": ("fields", lambda: ConnectWay(name="a", label="A", fields=[TOKEN] * 2)),
    "fields that are texts": ("fields", lambda: ConnectWay(name="a", label="A", fields=any_("ab"))),
    "a permission for no basis": (
        "bases",
        lambda: ConnectPermission(name="a", label="A", purpose="B", bases=any_(["gross"])),
    ),
    "a permission without a name": (
        "name",
        lambda: ConnectPermission(name="", label="A", purpose="B"),
    ),
    "a link that runs a script": ("url", lambda: ConnectLink(label="A", url="javascript:alert(1)")),
    "a link with a space": ("url", lambda: ConnectLink(label="A", url="https://a.example/ b")),
    "a form without a title": ("title", lambda: ConnectForm(title="", ways=[WAY])),
    "a form without a way": ("ways", lambda: ConnectForm(title="A", ways=[])),
    "permissions that are names": (
        "permissions",
        lambda: ConnectForm(title="A", ways=[WAY], permissions=any_(["read"])),
    ),
    "links to one page": ("links", lambda: ConnectForm(title="A", ways=[WAY], links=[LINK] * 2)),
}


def any_(value: object) -> Any:
    return value


@pytest.mark.parametrize(("path", "make"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_named(path: str, make: Callable[[], object]) -> None:
    with pytest.raises(ValidationFailed) as caught:
        make()
    assert [issue["path"] for issue in caught.value.issues] == [path]


def test_what_is_right_is_taken() -> None:
    form = ConnectForm(title="Acme", ways=[WAY], permissions=[READ], links=[LINK])
    assert form.credential == "credential"
    assert form.permissions[0].bases == ("invoiced", "cash", "net", "accrual")
    choice = ConnectField(name="region", label="Region", kind="choice", options=[("eu", "Europe")])
    assert choice.required
