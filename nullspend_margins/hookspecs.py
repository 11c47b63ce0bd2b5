"""The hooks: where a plugin hands over what it provides.

Each hook is an ordinary function, called once when the app starts, and returns a list (an empty
one for nothing). What is in the list does its work in ``async`` methods (``protocols``). A hook
that is ``async def``, returns something else or hands over an object that misses a method stops
the start with an error that names the plugin, the hook and the distribution.

::

    from nullspend_margins import hookimpl

    @hookimpl
    def register_authenticators(context):
        return [MyAuthenticator(context.settings(MySettings))]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeVar

import pluggy

from nullspend_margins.config import Environment, parse_section
from nullspend_margins.outbound.contract import Outbound
from nullspend_margins.protocols import (
    Authenticator,
    Clock,
    CostSource,
    Notifier,
    PlanChecker,
    RevenueProvider,
    SystemClock,
)

if TYPE_CHECKING:
    import httpx

PROJECT = "nullspend_margins"
"""The name of the hook markers and of the entry-point group."""

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])


class _Marker(Protocol):
    """A decorator that leaves what it marks as it is."""

    def __call__(self, function: F) -> F: ...


_hookspec: _Marker = pluggy.HookspecMarker(PROJECT)

hookimpl: _Marker = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's function or method as the implementation of the hook it is named after."""


class PluginContext:
    """What a plugin gets at start. Keep it: ``http`` and ``outbound`` are meant for later.

    ``name`` is the plugin's name, ``table`` its own TOML table ``[plugins.NAME]`` with ``env:``
    and ``file:`` already looked up, ``clock`` the app's clock and ``environment`` either
    ``development`` or ``production``. ``path`` is the file that the table came from, which the
    problems that ``settings`` finds name. In a plugin's own tests every argument but ``name`` may
    be left out.
    """

    __slots__ = ("_http", "_outbound", "_path", "clock", "environment", "name", "table")

    def __init__(
        self,
        *,
        name: str,
        table: Mapping[str, object] = MappingProxyType({}),
        clock: Clock | None = None,
        environment: Environment = "development",
        http: Callable[[], httpx.AsyncClient] | None = None,
        outbound: Outbound | None = None,
        path: Path | None = None,
    ) -> None:
        self.name: str = name
        self.table: Mapping[str, object] = MappingProxyType(dict(table))
        self.clock: Clock = clock if clock is not None else SystemClock()
        self.environment = environment
        self._http = http
        self._outbound = outbound
        self._path = path

    @property
    def http(self) -> httpx.AsyncClient:
        """The app's HTTP client, shared by all plugins; never close it.

        Belongs to the running event loop: take it inside an ``async`` method, each time anew,
        and don't keep it. Raises ``RuntimeError`` where no app is running.
        """
        if self._http is None:
            raise RuntimeError(
                f"plugin {self.name}: there is no HTTP client here; a test gives one with "
                "PluginContext(name=..., http=lambda: client)"
            )
        return self._http()

    @property
    def outbound(self) -> Outbound:
        """For requests to URLs that people configured: it reaches no internal address.

        Belongs to no event loop and may be kept. Raises ``RuntimeError`` where no app is running.
        """
        if self._outbound is None:
            raise RuntimeError(
                f"plugin {self.name}: there is no outbound client here; a test gives one with "
                "PluginContext(name=..., outbound=client)"
            )
        return self._outbound

    def settings(self, cls: type[T]) -> T:
        """The plugin's table read into the dataclass ``cls``, checked and with its defaults.

        Fields may be ``str``, ``int``, ``Decimal``, ``float``, ``bool``, ``Path``, ``Secret``,
        ``Literal``, ``T | None``, ``tuple[T, ...]``, ``Mapping[str, T]`` and dataclasses of these;
        metadata ``at_least``, ``at_most`` and ``check`` are honoured, and so is a ``ValueError``
        from ``__post_init__``. Raises ``ConfigurationError`` with every problem and its key, and
        ``TypeError`` when ``cls`` is none of that: then nobody could configure it.
        """
        return parse_section(cls, self.table, f"plugins.{self.name}", path=self._path)

    def __repr__(self) -> str:
        return f"PluginContext(name={self.name!r}, environment={self.environment!r})"


@_hookspec
def register_authenticators(context: PluginContext) -> list[Authenticator]:
    """Who is asking? Objects with ``name``, optionally ``bearer``, and ``authenticate(scope)``.

    They are asked in turn, for every request, until one answers: ``None`` means "not mine",
    ``AuthenticationRequired`` means "mine, and refused". Those with ``bearer = True`` alone are
    asked about requests with ``Authorization: Bearer``. The built-in ``sessions`` plugin (a
    signed cookie) comes last.
    """
    raise NotImplementedError


@_hookspec
def register_plan_checkers(context: PluginContext) -> list[PlanChecker]:
    """What does an org pay for? Objects with ``name`` and ``plan(org_id)``.

    They are asked in turn until one answers ``free``, ``pro`` or ``enterprise``; ``None`` means
    "not mine". The built-in ``plans`` plugin (``[plans.orgs]``) answers for every org, and comes
    last.
    """
    raise NotImplementedError


@_hookspec
def register_cost_sources(context: PluginContext) -> list[CostSource]:
    """Where do costs come from? Objects with ``name`` and one of two shapes.

    *Pulled*: ``pull(cursor)`` yields batches, which are stored; for what can be read bit by bit.
    *Aggregating*: ``month_costs``, ``model_costs`` and ``tag_costs`` add up elsewhere, at every
    read. The costs of all sources are summed; the built-in ``local`` plugin is the store behind
    ingest and pulled sources.
    """
    raise NotImplementedError


@_hookspec
def register_revenue_providers(context: PluginContext) -> list[RevenueProvider]:
    """Who knows what customers paid? Objects with ``name`` and the provider's four methods.

    ``parse_credential``, ``check_credential``, ``has_customer`` and ``fetch_revenue``. An org
    connects to a provider at ``/api/connections/NAME``; ``stripe`` comes with the product.
    """
    raise NotImplementedError


@_hookspec
def register_notifiers(context: PluginContext) -> list[Notifier]:
    """Who should hear about alerts? Objects with ``name`` and ``notify(alert)``.

    Every notifier gets every alert of its orgs, at least once and independently of the others;
    raising means "not delivered, try again later". The built-in ``log`` plugin writes a line to
    the log.
    """
    raise NotImplementedError


@_hookspec
def register_templates(context: PluginContext) -> list[Path]:
    """How do the pages look? Folders, by absolute paths, whose templates take the place of ours.

    The folder of the plugin that is asked first wins. ``{% extends "default/base.html" %}``
    reaches the original. Names and syntax are checked at start.
    """
    raise NotImplementedError


HOOKS: Mapping[str, str] = MappingProxyType(
    {
        "register_authenticators": "authenticator",
        "register_plan_checkers": "plan checker",
        "register_cost_sources": "cost source",
        "register_revenue_providers": "revenue provider",
        "register_notifiers": "notifier",
        "register_templates": "template folder",
    }
)
"""Each hook and what it registers, in the words of messages."""
