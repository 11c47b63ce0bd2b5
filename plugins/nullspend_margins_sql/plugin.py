"""Entry point: a cost source for each table that ``[plugins.sql.sources]`` names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nullspend_margins import Clock, ConfigurationError, CostSource, PluginContext, hookimpl

if TYPE_CHECKING:
    from sqlalchemy import URL

    from nullspend_margins_sql.settings import SourceSettings


@hookimpl
def register_cost_sources(context: PluginContext) -> list[CostSource]:
    """Nothing configured, nothing loaded. A URL that can't be used stops the start.

    No database is asked yet.
    """
    if not context.table:
        return []
    from nullspend_margins_sql.settings import SqlSettings

    sources = context.settings(SqlSettings).sources
    urls = _urls(context.name, sources)
    return [_source(name, each, urls[name], context.clock) for name, each in sources.items()]


def _urls(plugin: str, sources: Mapping[str, SourceSettings]) -> Mapping[str, URL]:
    from nullspend_margins_sql.urls import engine_url

    found: dict[str, URL] = {}
    problems = []
    for name, each in sources.items():
        try:
            found[name] = engine_url(each.url.reveal(), aggregates=each.mode == "aggregate")
        except ValueError as problem:
            problems.append(f"plugins.{plugin}.sources.{name}.url: {problem}")
    if problems:
        raise ConfigurationError("\n".join(problems))
    return found


def _source(name: str, settings: SourceSettings, url: URL, clock: Clock) -> CostSource:
    # SQLAlchemy is loaded only where there is something to ask.
    from nullspend_margins_sql.aggregated import AggregatedTable
    from nullspend_margins_sql.pulled import PulledTable

    if settings.mode == "aggregate":
        return AggregatedTable(f"sql-{name}", settings, url)
    return PulledTable(f"sql-{name}", settings, url, clock)
