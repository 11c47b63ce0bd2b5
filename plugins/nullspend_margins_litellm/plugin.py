"""Entry point: the proxy's keys as sessions, and its tables as a cost source.

Importing this imports nothing of LiteLLM, nor a database driver.
"""

from __future__ import annotations

from nullspend_margins import Authenticator, CostSource, Margins, PluginContext, hookimpl
from nullspend_margins_litellm.authenticator import LiteLLMAuthenticator
from nullspend_margins_litellm.settings import LiteLLMSettings
from nullspend_margins_litellm.source import LiteLLMTables

NAME = "litellm"


def settings_of(margins: Margins) -> LiteLLMSettings:
    """What ``[plugins.litellm]`` of a configured product says."""
    table = margins.config.plugins.tables.get(NAME, {})
    return PluginContext(name=NAME, table=table).settings(LiteLLMSettings)


@hookimpl
def register_authenticators(context: PluginContext) -> list[Authenticator]:
    """None without ``[plugins.litellm]``; signs nobody in where no proxy runs."""
    return [LiteLLMAuthenticator(context.settings(LiteLLMSettings))] if context.table else []


@hookimpl
def register_cost_sources(context: PluginContext) -> list[CostSource]:
    """None without ``database_url``."""
    settings = context.settings(LiteLLMSettings)
    return (
        [LiteLLMTables(settings, clock=context.clock)] if settings.database_url is not None else []
    )
