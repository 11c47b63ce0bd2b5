"""What the start found, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from nullspend_margins.protocols import (
    Authenticator,
    CostSource,
    Notifier,
    PlanChecker,
    RevenueProvider,
)

Origin = Literal["host", "installed", "builtin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPlugin:
    """One plugin that is in use.

    ``distribution`` and ``version`` are of what it was installed with, ``None`` for one that the
    host gave. ``provides`` names each object it registered by kind and name, for example
    ``revenue provider stripe``.
    """

    name: str
    origin: Origin
    distribution: str | None
    version: str | None
    provides: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Every object that plugins registered, in the order of asking."""

    authenticators: tuple[Authenticator, ...] = ()
    plan_checkers: tuple[PlanChecker, ...] = ()
    cost_sources: tuple[CostSource, ...] = ()
    revenue_providers: Mapping[str, RevenueProvider] = field(
        default_factory=lambda: MappingProxyType({})
    )
    notifiers: tuple[Notifier, ...] = ()
    template_folders: tuple[Path, ...] = ()
    loaded: tuple[LoadedPlugin, ...] = ()
