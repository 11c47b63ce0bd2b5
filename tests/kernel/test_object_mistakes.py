"""Objects that do not keep their protocol stop the start; the message guesses what was meant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from nullspend_margins import Authenticator

from .support import AddsUp, Earns, Pulls, Registers, Tells, Who, load, module, refusal


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "def authenticate(self, scope): ...",
            "Thing.authenticate is a plain function; write async def authenticate(self, scope)",
        ),
        (
            "async def authenticate(self): ...",
            "Thing.authenticate takes (); it is called with (scope)",
        ),
        (
            "async def authenticate(self, scope): yield 1",
            (
                "Thing.authenticate has a yield, so it can't be awaited; return the result of "
                "authenticate"
            ),
        ),
        (
            "async def authentcate(self, scope): ...",
            (
                "Thing has no method authenticate (it has authentcate); "
                "write async def authenticate(self, scope)"
            ),
        ),
        (
            "async def notify(self, alert): ...",
            (
                "Thing is no authenticator. It looks like a notifier: return it from "
                "register_notifiers"
            ),
        ),
    ],
)
def test_an_objects_methods_are_checked(source: str, message: str) -> None:
    thing = module("m", f"class Thing:\n    name = 'thing'\n    {source}").Thing()
    assert refusal(Registers("register_authenticators", [thing])) == (
        f"plugin acme (given by the host), register_authenticators: {message}"
    )


def test_a_bare_objects_methods_are_checked_too() -> None:
    class Sync:
        name = "sync"

        def authenticate(self, scope: Any) -> None: ...

    assert refusal(Sync()) == (
        "plugin sync (given by the host): Sync.authenticate is a plain function; "
        "write async def authenticate(self, scope)"
    )


@pytest.mark.parametrize(
    ("left_out", "kind", "call"),
    [
        ("has_customer", Earns, "has_customer(self, secret, customer_id)"),
        ("tag_costs", AddsUp, "tag_costs(self, org_id, since)"),
    ],
)
def test_a_bare_object_that_lacks_a_method_is_recognised_by_the_others(
    left_out: str, kind: type, call: str
) -> None:
    methods = {name: each for name, each in vars(kind).items() if name[0] != "_"}
    del methods[left_out]
    thing = type("Nearly", (), methods)()
    assert refusal(thing).endswith(
        f"given by the host): Nearly has no method {left_out}; write async def {call}"
    )


def test_the_protocols_own_empty_method_is_no_implementation() -> None:
    class Inherits(Authenticator):
        name = "inherits"

        async def authentcate(self, scope: Any) -> None: ...

    assert "has no method authenticate (it has authentcate)" in refusal(
        Registers("register_authenticators", [Inherits()])
    )


class Nameless:
    async def notify(self, alert: object) -> None: ...


@pytest.mark.parametrize("name", ["", "a b", "a/b", 3, "x" * 65])
def test_a_name_is_a_short_word(name: object) -> None:
    thing = Tells()
    thing.name = name  # type: ignore[assignment]
    message = refusal(Registers("register_notifiers", [thing]))
    assert f"Tells has the name {name!r}; it must be a string of 1 to 64 letters" in message


def test_an_object_without_a_name_is_told_how_to_get_one() -> None:
    message = refusal(Registers("register_notifiers", [Nameless()]))
    assert 'Nameless has no name; every notifier needs one, for example name = "acme"' in message


def test_other_properties_of_an_object_are_left_alone() -> None:
    class Unready:
        name = "unready"

        async def notfy(self, alert: object) -> None: ...

        @property
        def client(self) -> object:
            raise RuntimeError("not connected yet")

    message = refusal(Registers("register_notifiers", [Unready()]))
    assert "Unready has no method notify (it has notfy)" in message


def test_a_property_that_fails_names_plugin_and_hook() -> None:
    class Unready(Tells):
        @property
        def orgs(self) -> object:
            raise RuntimeError("not connected yet")

    assert refusal(Registers("register_notifiers", [Unready()])) == (
        "plugin acme (given by the host), register_notifiers: Unready cannot be looked at: "
        "RuntimeError: not connected yet"
    )


def test_bearer_is_a_boolean() -> None:
    thing = Who()
    thing.bearer = "yes"  # type: ignore[attr-defined]
    assert "Who.bearer must be True or False, not 'yes'" in refusal(thing)


@pytest.mark.parametrize(
    ("orgs", "message"),
    [
        ("org_1", "must be a collection of org ids, not a string; write {'org_1'}"),
        (7, "must be a collection of org ids, or None for every org, not 7"),
        (iter(["a"]), "must be a collection of org ids, or None for every org, not <list_iter"),
        (["org_1", 7], "holds 7; org ids are strings"),
    ],
    ids=["a string", "a number", "an iterator", "a number inside"],
)
def test_the_orgs_of_a_notifier_are_a_collection_of_strings(orgs: object, message: str) -> None:
    thing = Tells()
    thing.orgs = orgs  # type: ignore[attr-defined]
    expected = f"plugin acme (given by the host), register_notifiers: Tells.orgs {message}"
    assert refusal(Registers("register_notifiers", [thing])).startswith(expected)


@pytest.mark.parametrize("orgs", [None, (), ["org_1"], {"org_1"}, {"org_1": "x"}.keys()])
def test_any_collection_of_org_ids_will_do(orgs: object) -> None:
    thing = Tells()
    thing.orgs = orgs  # type: ignore[attr-defined]
    assert thing in load(thing).notifiers


def test_revenue_must_be_iterable() -> None:
    class Awaits(Earns):
        async def fetch_revenue(self, secret: str, window: object) -> Any:
            return []

    class Yields(Earns):
        def fetch_revenue(self, secret: str, window: object) -> Any:
            yield []

    assert "Awaits.fetch_revenue is async def without yield; yield each page" in refusal(Awaits())
    assert "Yields.fetch_revenue is a plain generator; write async def" in refusal(Yields())


def test_a_provider_misses_nothing() -> None:
    class Partly:
        name = "partly"

        async def parse_credential(self, body: object) -> None: ...

        async def fetch_revenue(self, secret: str, window: object) -> AsyncIterator[object]:
            yield []

    assert refusal(Registers("register_revenue_providers", [Partly()])).splitlines() == [
        f"plugin acme (given by the host), register_revenue_providers: Partly has no method {each}"
        for each in (
            "check_credential; write async def check_credential(self, secret)",
            "has_customer; write async def has_customer(self, secret, customer_id)",
        )
    ]


def test_a_cost_source_has_one_of_two_shapes() -> None:
    class Both(AddsUp, Pulls):
        name = "both"

    class Part:
        name = "part"

        async def month_costs(self, org_id: str, first: object, last: object) -> None: ...

    def said(thing: object) -> str:
        return refusal(Registers("register_cost_sources", [thing]))

    assert "its costs would count twice" in said(Both())
    assert "Part has no method model_costs; write async def model_costs(" in said(Part())
    assert "Tells is no cost source: write async def pull(self, cursor), or month_costs, " in said(
        Tells()
    )
    assert said(Tells()).endswith("It looks like a notifier: return it from register_notifiers")


def test_a_source_like_the_products_own_store_would_never_be_asked() -> None:
    class Acme:
        name = "acme"

        def month_costs_in(self, tx: object, org_id: str, months: object) -> list[object]:
            return []

    message = refusal(Registers("register_cost_sources", [Acme()]))
    assert "Acme is no cost source: write async def pull(self, cursor), or month_costs" in message


@pytest.mark.parametrize("name", ["api", "host"])
def test_a_cost_source_may_not_take_the_name_of_events_sent_in(name: str) -> None:
    thing = Pulls()
    thing.name = name
    assert f"has the name '{name}', which is kept for events that are sent in" in refusal(thing)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "def find_gaps(self, secret): return []",
            "Bills.find_gaps is a plain function; write async def find_gaps(self, secret)",
        ),
        (
            "async def find_gaps(self): return []",
            "Bills.find_gaps takes (); it is called with (secret)",
        ),
        (
            "async def find_gaps(self, secret): yield 1",
            "Bills.find_gaps has a yield, so it can't be awaited; return the result of find_gaps",
        ),
        (
            "find_gaps = ['refunds']",
            "Bills.find_gaps is a list; write async def find_gaps(self, secret)",
        ),
        ("tells_all_services = 'no'", "Bills.tells_all_services must be True or False, not 'no'"),
    ],
)
def test_what_a_provider_may_leave_out_is_checked_where_it_is_there(
    source: str, message: str
) -> None:
    text = f"class Bills(Earns):\n    {source}"
    bills = module("m", f"from tests.kernel.support import Earns\n{text}").Bills()
    assert refusal(Registers("register_revenue_providers", [bills])) == (
        f"plugin acme (given by the host), register_revenue_providers: {message}"
    )


def test_what_a_provider_may_leave_out_may_be_none() -> None:
    class Bills(Earns):
        find_gaps = None

    assert list(load(Bills(), disabled=["csv", "stripe"]).revenue_providers) == ["earns"]
