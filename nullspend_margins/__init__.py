"""NullSpend Margins: which customers of an AI product make money.

This module is the public API and nothing else. Names load on first use, so that importing the
package adds next to nothing to a host's start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nullspend_margins.app import Margins as Margins
    from nullspend_margins.app import MarginsMiddleware as MarginsMiddleware
    from nullspend_margins.app import MeteringMiddleware as MeteringMiddleware
    from nullspend_margins.builtin.host_sessions import (
        CallableAuthenticator as CallableAuthenticator,
    )
    from nullspend_margins.builtin.host_sessions import (
        ScopeSessionAuthenticator as ScopeSessionAuthenticator,
    )
    from nullspend_margins.config import Config as Config
    from nullspend_margins.config import Secret as Secret
    from nullspend_margins.domain.alert import Alert as Alert
    from nullspend_margins.domain.connect_form import ConnectField as ConnectField
    from nullspend_margins.domain.connect_form import ConnectForm as ConnectForm
    from nullspend_margins.domain.connect_form import ConnectLink as ConnectLink
    from nullspend_margins.domain.connect_form import ConnectPermission as ConnectPermission
    from nullspend_margins.domain.connect_form import ConnectWay as ConnectWay
    from nullspend_margins.domain.cost import CostEvent as CostEvent
    from nullspend_margins.domain.cost import CostFact as CostFact
    from nullspend_margins.domain.cost import ModelCost as ModelCost
    from nullspend_margins.domain.cost import MonthCost as MonthCost
    from nullspend_margins.domain.cost import TagCost as TagCost
    from nullspend_margins.domain.currency import minor_digits_of as minor_digits_of
    from nullspend_margins.domain.money import format_dollars as format_dollars
    from nullspend_margins.domain.money import round_half_up as round_half_up
    from nullspend_margins.domain.period import Period as Period
    from nullspend_margins.domain.revenue import RevenueCursor as RevenueCursor
    from nullspend_margins.domain.revenue import RevenueFact as RevenueFact
    from nullspend_margins.domain.revenue import RevenueGap as RevenueGap
    from nullspend_margins.domain.revenue import RevenueItem as RevenueItem
    from nullspend_margins.domain.revenue import RevenueWindow as RevenueWindow
    from nullspend_margins.domain.revenue_part import Basis as Basis
    from nullspend_margins.domain.revenue_part import ExchangeRate as ExchangeRate
    from nullspend_margins.domain.revenue_part import RevenuePart as RevenuePart
    from nullspend_margins.domain.shares import split_amount as split_amount
    from nullspend_margins.errors import AuthenticationRequired as AuthenticationRequired
    from nullspend_margins.errors import ConfigurationError as ConfigurationError
    from nullspend_margins.errors import CredentialRefused as CredentialRefused
    from nullspend_margins.errors import MarginsError as MarginsError
    from nullspend_margins.errors import OutboundRefused as OutboundRefused
    from nullspend_margins.errors import PermissionMissing as PermissionMissing
    from nullspend_margins.errors import PluginError as PluginError
    from nullspend_margins.errors import ProviderUnavailable as ProviderUnavailable
    from nullspend_margins.errors import ServiceUnavailable as ServiceUnavailable
    from nullspend_margins.errors import ValidationFailed as ValidationFailed
    from nullspend_margins.hookspecs import PluginContext as PluginContext
    from nullspend_margins.hookspecs import hookimpl as hookimpl
    from nullspend_margins.metering import Attribution as Attribution
    from nullspend_margins.outbound.contract import Outbound as Outbound
    from nullspend_margins.outbound.contract import OutboundAnswer as OutboundAnswer
    from nullspend_margins.protocols import AggregatingCostSource as AggregatingCostSource
    from nullspend_margins.protocols import Authenticator as Authenticator
    from nullspend_margins.protocols import Clock as Clock
    from nullspend_margins.protocols import CostBatch as CostBatch
    from nullspend_margins.protocols import CostSource as CostSource
    from nullspend_margins.protocols import Credential as Credential
    from nullspend_margins.protocols import Notifier as Notifier
    from nullspend_margins.protocols import PlanChecker as PlanChecker
    from nullspend_margins.protocols import Principal as Principal
    from nullspend_margins.protocols import PulledCostSource as PulledCostSource
    from nullspend_margins.protocols import RevenueProvider as RevenueProvider
    from nullspend_margins.protocols import Scope as Scope
    from nullspend_margins.recording import RecordingCounters as RecordingCounters
    from nullspend_margins.version import __version__ as __version__

_HOMES = {
    "AggregatingCostSource": "protocols",
    "Alert": "domain.alert",
    "Attribution": "metering",
    "AuthenticationRequired": "errors",
    "Authenticator": "protocols",
    "Basis": "domain.revenue_part",
    "CallableAuthenticator": "builtin.host_sessions",
    "Clock": "protocols",
    "Config": "config",
    "ConfigurationError": "errors",
    "ConnectField": "domain.connect_form",
    "ConnectForm": "domain.connect_form",
    "ConnectLink": "domain.connect_form",
    "ConnectPermission": "domain.connect_form",
    "ConnectWay": "domain.connect_form",
    "CostBatch": "protocols",
    "CostEvent": "domain.cost",
    "CostFact": "domain.cost",
    "CostSource": "protocols",
    "Credential": "protocols",
    "CredentialRefused": "errors",
    "ExchangeRate": "domain.revenue_part",
    "Margins": "app",
    "MarginsError": "errors",
    "MarginsMiddleware": "app",
    "MeteringMiddleware": "app",
    "ModelCost": "domain.cost",
    "MonthCost": "domain.cost",
    "Notifier": "protocols",
    "Outbound": "outbound.contract",
    "OutboundAnswer": "outbound.contract",
    "OutboundRefused": "errors",
    "Period": "domain.period",
    "PermissionMissing": "errors",
    "PlanChecker": "protocols",
    "PluginContext": "hookspecs",
    "PluginError": "errors",
    "Principal": "protocols",
    "ProviderUnavailable": "errors",
    "PulledCostSource": "protocols",
    "RecordingCounters": "recording",
    "RevenueCursor": "domain.revenue",
    "RevenueFact": "domain.revenue",
    "RevenueGap": "domain.revenue",
    "RevenueItem": "domain.revenue",
    "RevenuePart": "domain.revenue_part",
    "RevenueProvider": "protocols",
    "RevenueWindow": "domain.revenue",
    "Scope": "protocols",
    "ScopeSessionAuthenticator": "builtin.host_sessions",
    "Secret": "config",
    "ServiceUnavailable": "errors",
    "TagCost": "domain.cost",
    "ValidationFailed": "errors",
    "__version__": "version",
    "format_dollars": "domain.money",
    "hookimpl": "hookspecs",
    "minor_digits_of": "domain.currency",
    "round_half_up": "domain.money",
    "split_amount": "domain.shares",
}

__all__ = [
    "AggregatingCostSource",
    "Alert",
    "Attribution",
    "AuthenticationRequired",
    "Authenticator",
    "Basis",
    "CallableAuthenticator",
    "Clock",
    "Config",
    "ConfigurationError",
    "ConnectField",
    "ConnectForm",
    "ConnectLink",
    "ConnectPermission",
    "ConnectWay",
    "CostBatch",
    "CostEvent",
    "CostFact",
    "CostSource",
    "Credential",
    "CredentialRefused",
    "ExchangeRate",
    "Margins",
    "MarginsError",
    "MarginsMiddleware",
    "MeteringMiddleware",
    "ModelCost",
    "MonthCost",
    "Notifier",
    "Outbound",
    "OutboundAnswer",
    "OutboundRefused",
    "Period",
    "PermissionMissing",
    "PlanChecker",
    "PluginContext",
    "PluginError",
    "Principal",
    "ProviderUnavailable",
    "PulledCostSource",
    "RecordingCounters",
    "RevenueCursor",
    "RevenueFact",
    "RevenueGap",
    "RevenueItem",
    "RevenuePart",
    "RevenueProvider",
    "RevenueWindow",
    "Scope",
    "ScopeSessionAuthenticator",
    "Secret",
    "ServiceUnavailable",
    "TagCost",
    "ValidationFailed",
    "format_dollars",
    "hookimpl",
    "minor_digits_of",
    "round_half_up",
    "split_amount",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
