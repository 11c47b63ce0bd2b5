"""Entry point: the proxy's keys as sessions, and its tables as a cost source.

Importing this imports nothing of LiteLLM, nor a database driver; the rest of the plugin is loaded
where it is configured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nullspend_margins import Authenticator, CostSource, Margins, PluginContext, hookimpl

if TYPE_CHECKING:
    from nullspend_margins_litellm.settings import LiteLLMSettings

NAME = "litellm"


def settings_of(margins: Margins) -> LiteLLMSettings:
    """What ``[plugins.litellm]`` of a configured product says."""
    table = margins.config.plugins.tables.get(NAME, {})
    return _settings(PluginContext(name=NAME, table=table))


@hookimpl
def register_authenticators(context: PluginContext) -> list[Authenticator]:
    """None without ``[plugins.litellm]``; signs nobody in where no proxy runs."""
    if not context.table:
        return []
    from nullspend_margins_litellm.authenticator import LiteLLMAuthenticator

    return [LiteLLMAuthenticator(_settings(context))]


@hookimpl
def register_cost_sources(context: PluginContext) -> list[CostSource]:
    """None without ``database_url``."""
    if not context.table:
        return []
    from nullspend_margins_litellm.source import LiteLLMTables

    settings = _settings(context)
    return (
        [LiteLLMTables(settings, clock=context.clock)] if settings.database_url is not None else []
    )


def _settings(context: PluginContext) -> LiteLLMSettings:
    from nullspend_margins_litellm.settings import LiteLLMSettings

    return context.settings(LiteLLMSettings)
