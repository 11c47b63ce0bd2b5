"""The built-in plugins: ``sessions``, ``plans``, ``local`` and ``log``."""

from __future__ import annotations

from nullspend_margins.builtin.local_costs import LocalCostStore
from nullspend_margins.builtin.log_notifier import LogNotifier
from nullspend_margins.builtin.plans import TomlPlanChecker
from nullspend_margins.builtin.sessions import SignedSessionAuthenticator
from nullspend_margins.config import Config
from nullspend_margins.hookspecs import PluginContext, hookimpl
from nullspend_margins.protocols import Authenticator, CostSource, Notifier, PlanChecker


class SessionsPlugin:
    """Signed session cookies (``[session]``)."""

    def __init__(self, config: Config) -> None:
        self._settings = config.session

    @hookimpl
    def register_authenticators(self, context: PluginContext) -> list[Authenticator]:
        """One, for the cookie."""
        return [SignedSessionAuthenticator(self._settings, clock=context.clock)]


class PlansPlugin:
    """Plans from the configuration (``[plans.orgs]``)."""

    def __init__(self, config: Config) -> None:
        self._orgs = config.plans.orgs

    @hookimpl
    def register_plan_checkers(self) -> list[PlanChecker]:
        """One, that answers for every org."""
        return [TomlPlanChecker(self._orgs)]


class LocalPlugin:
    """The product's own store of costs."""

    @hookimpl
    def register_cost_sources(self) -> list[CostSource]:
        """One, over the product's own database."""
        return [LocalCostStore()]


class LogPlugin:
    """Alerts as lines in the log."""

    @hookimpl
    def register_notifiers(self) -> list[Notifier]:
        """One, that cannot fail."""
        return [LogNotifier()]


def builtin_plugins(config: Config) -> list[tuple[str, object]]:
    """The built-in plugins by name, in the order of asking."""
    return [
        ("sessions", SessionsPlugin(config)),
        ("plans", PlansPlugin(config)),
        ("local", LocalPlugin()),
        ("log", LogPlugin()),
    ]
