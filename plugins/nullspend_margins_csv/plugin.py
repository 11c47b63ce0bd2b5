"""Entry point: registers CSV files as a revenue provider.

Importing this costs next to nothing: what reads files loads with the first one.
"""

from __future__ import annotations

from nullspend_margins import PluginContext, RevenueProvider, hookimpl
from nullspend_margins_csv.provider import CsvProvider
from nullspend_margins_csv.settings import CsvSettings


@hookimpl
def register_revenue_providers(context: PluginContext) -> list[RevenueProvider]:
    """The one provider, ``csv``, as ``[plugins.csv]`` configures it."""
    return [CsvProvider(context.settings(CsvSettings), outbound=lambda: context.outbound)]
