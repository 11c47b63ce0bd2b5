"""Does an object keep the protocol it was registered for? If not: what was probably meant."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from nullspend_margins import protocols
from nullspend_margins.config.nearest import nearest
from nullspend_margins.domain.connect_form import ConnectForm
from nullspend_margins.hookspecs import HOOKS
from nullspend_margins.plugins.signatures import argument_problem

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PUSHED_SOURCES = ("api", "host")
"""The sources of events that come in by HTTP and from the host's own code."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method a protocol asks for; ``streams`` when it is iterated, not awaited."""

    name: str
    arguments: tuple[str, ...]
    streams: bool = False

    @property
    def example(self) -> str:
        """The signature to write."""
        return f"async def {self.name}({', '.join(('self', *self.arguments))})"


PULLED = (Method("pull", ("cursor",), streams=True),)
AGGREGATING = (
    Method("month_costs", ("org_id", "first", "last")),
    Method("model_costs", ("org_id", "tag_value", "period")),
    Method("tag_costs", ("org_id", "since")),
)
METHODS: Mapping[str, tuple[Method, ...]] = {
    "authenticator": (Method("authenticate", ("scope",)),),
    "plan checker": (Method("plan", ("org_id",)),),
    "revenue provider": (
        Method("parse_credential", ("body",)),
        Method("check_credential", ("secret",)),
        Method("has_customer", ("secret", "customer_id")),
        Method("fetch_revenue", ("secret", "window"), streams=True),
    ),
    "notifier": (Method("notify", ("alert",)),),
}
"""What each kind must have. Cost sources have two shapes instead."""
_FIND_GAPS = Method("find_gaps", ("secret",))
_KNOWN = frozenset(
    each.name for methods in (*METHODS.values(), PULLED, AGGREGATING) for each in methods
)


def kinds_of(thing: object) -> list[str]:
    """The kinds whose methods ``thing`` has, however they are written."""
    found = [
        kind
        for kind, methods in METHODS.items()
        if all(_implements(thing, method.name) for method in methods)
    ]
    shapes = (PULLED, AGGREGATING)
    if any(all(_implements(thing, each.name) for each in shape) for shape in shapes):
        found.append("cost source")
    return found


def begun_kind(thing: object) -> str | None:
    """The kind of which ``thing`` has some of the methods, and lacks others."""
    shapes = [*METHODS.items(), ("cost source", AGGREGATING)]
    for kind, methods in shapes:
        if any(_implements(thing, each.name) for each in methods):
            return kind
    return None


def nearest_method(thing: object) -> str | None:
    """A guess at a misspelt method or hook: ``it has notfy; did you mean notify?``"""
    known = (*_KNOWN, *HOOKS)
    for name in _own_methods(thing):
        guess = nearest(name, known)
        if guess is not None and name not in known:
            return f"it has {name}; did you mean {guess}?"
    return None


def problems_of(kind: str, thing: object) -> list[str]:
    """Everything about ``thing`` that keeps it from being a ``kind``; empty when it is one."""
    mistaken = _mistaken_for_an_object(kind, thing)
    if mistaken is not None:
        return [mistaken]
    title = _title(thing)
    name_problem = _name_problem(kind, thing)
    found = [f"{title} {name_problem}"] if name_problem else []
    bearer = getattr(thing, "bearer", False)
    if kind == "authenticator" and not isinstance(bearer, bool):
        found.append(f"{title}.bearer must be True or False, not {bearer!r}")
    orgs = getattr(thing, "orgs", None)
    orgs_problem = _orgs_problem(orgs) if kind == "notifier" and orgs is not None else None
    found += [f"{title}.orgs {orgs_problem}"] if orgs_problem else []
    if kind == "revenue provider":
        found += [f"{title}.{each}" for each in _optional_problems(thing)]
    if kind == "cost source":
        return found + _cost_source_problems(thing, title)
    return found + _method_problems(kind, METHODS[kind], thing, title)


def article(kind: str) -> str:
    """``a notifier``, ``an authenticator``."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _mistaken_for_an_object(kind: str, thing: object) -> str | None:
    """A class, a coroutine, nothing at all: what was left out on the way to the object."""
    if thing is None:
        return f"None is no {kind}; is a `return` missing where it is made?"
    if inspect.isclass(thing):
        return f"{thing.__name__} is a class; make an instance of it: {thing.__name__}()"
    if inspect.iscoroutine(thing):
        thing.close()  # else Python warns that nobody awaited it
        return f"{thing.__name__}() is still to be awaited; a hook can't: make it a plain def"
    if inspect.isroutine(thing):
        name = thing.__name__
        wanted = f"CallableAuthenticator({name})" if kind == "authenticator" else "an object"
        return f"{name} is a function; return {wanted} in its place"
    return None


def _title(thing: object) -> str:
    return type(thing).__name__


def _name_problem(kind: str, thing: object) -> str | None:
    try:
        name = thing.name  # type: ignore[attr-defined]  # may be missing: see below
    except AttributeError:
        return f'has no name; every {kind} needs one, for example name = "acme"'
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return (
            f"has the name {name!r}; it must be a string of 1 to 64 letters, digits, dots, - and _"
        )
    if kind == "cost source" and name in _PUSHED_SOURCES:
        return f"has the name {name!r}, which is kept for events that are sent in"
    return None


def _orgs_problem(orgs: object) -> str | None:
    if isinstance(orgs, str):  # it would be taken for the collection of its letters
        return f"must be a collection of org ids, not a string; write {{{orgs!r}}}"
    if not isinstance(orgs, Collection):
        return f"must be a collection of org ids, or None for every org, not {orgs!r}"
    wrong = [each for each in orgs if not isinstance(each, str)]
    return f"holds {wrong[0]!r}; org ids are strings" if wrong else None


def _optional_problems(thing: object) -> list[str]:
    """Of what a revenue provider may have, each with its name in front."""
    found = []
    if problem := _form_of_connecting_problem(thing):
        found.append(f"connect_form {problem}")
    tells_all = getattr(thing, "tells_all_services", False)
    if not isinstance(tells_all, bool):
        found.append(f"tells_all_services must be True or False, not {tells_all!r}")
    find_gaps = getattr(thing, _FIND_GAPS.name, None)
    if find_gaps is not None and not callable(find_gaps):
        found.append(f"find_gaps is a {type(find_gaps).__name__}; write {_FIND_GAPS.example}")
    elif find_gaps is not None and (problem := _form_problem(_FIND_GAPS, find_gaps)):
        found.append(f"find_gaps {problem}")
    return found


def _form_of_connecting_problem(thing: object) -> str | None:
    form: object = getattr(thing, "connect_form", None)
    if form is None or isinstance(form, ConnectForm):
        return None
    if callable(form):
        return "is a method; give the ConnectForm itself: an attribute, or a property"
    return f"must be a ConnectForm, not {type(form).__name__}"


def _cost_source_problems(thing: object, title: str) -> list[str]:
    pulled = _implements(thing, "pull")
    adds_up = any(_implements(thing, method.name) for method in AGGREGATING)
    if pulled and adds_up:
        wrong = "implements pull and month_costs: its costs would count twice. Keep one of them"
        return [f"{title} {wrong}"]
    if not (pulled or adds_up):
        shapes = f"write {PULLED[0].example}, or month_costs, model_costs and tag_costs"
        return [f"{title} is no cost source: {shapes}{_other_kind('cost source', thing)}"]
    return _method_problems("cost source", PULLED if pulled else AGGREGATING, thing, title)


def _method_problems(kind: str, methods: Sequence[Method], thing: object, title: str) -> list[str]:
    missing = [method for method in methods if not _implements(thing, method.name)]
    if len(missing) == len(methods) and _other_kind(kind, thing):
        return [f"{title} is no {kind}{_other_kind(kind, thing)}"]
    found = [
        f"{title} has no method {method.name}{_misspelt(method, thing)}; write {method.example}"
        for method in missing
    ]
    for method in methods:
        if method not in missing:
            wrong = _form_problem(method, getattr(thing, method.name))
            found += [f"{title}.{method.name} {wrong}"] if wrong else []
    return found


def _form_problem(method: Method, function: Callable[..., object]) -> str | None:
    """Called rightly, but not awaitable (or not iterable), or with other arguments."""
    plain = inspect.unwrap(function)
    if method.streams:
        wrong = _stream_problem(plain)
    elif inspect.isasyncgenfunction(plain):
        wrong = f"has a yield, so it can't be awaited; return the result of {method.name}"
    elif not inspect.iscoroutinefunction(plain):
        wrong = f"is a plain function; write {method.example}"
    else:
        wrong = None
    return wrong or argument_problem(function, method.arguments)


def _stream_problem(function: object) -> str | None:
    if inspect.iscoroutinefunction(function):
        return "is async def without yield; yield each page from it"
    if inspect.isgeneratorfunction(function):
        return "is a plain generator; write async def, with yield"
    return None


def _implements(thing: object, name: str) -> bool:
    """Has the method, and not only the protocol's own empty one by inheritance."""
    function = getattr(thing, name, None)
    if not callable(function):
        return False
    home = getattr(inspect.unwrap(function), "__module__", None)
    return home != protocols.__name__


def _misspelt(method: Method, thing: object) -> str:
    own = [name for name in _own_methods(thing) if name not in _KNOWN]
    guess = nearest(method.name, own)
    return f" (it has {guess})" if guess is not None else ""


def _other_kind(kind: str, thing: object) -> str:
    """A hint when the object went to the wrong hook."""
    others = [each for each in kinds_of(thing) if each != kind]
    if not others:
        return ""
    hook = next(hook for hook, registered in HOOKS.items() if registered == others[0])
    return f". It looks like {article(others[0])}: return it from {hook}"


def _own_methods(thing: object) -> list[str]:
    """Properties are left alone: reading one may do anything."""
    return [
        name
        for name in dir(thing)
        if not name.startswith("_")
        and inspect.isroutine(inspect.getattr_static(thing, name, None))
        and _implements(thing, name)
    ]
