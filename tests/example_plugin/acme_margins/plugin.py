"""The hooks: what Acme brings, made from its settings."""

from dataclasses import dataclass, field
from pathlib import Path

from acme_margins.access import AcmePlans, AcmeTokens, AcmeWebhook
from acme_margins.money import AcmeBilling, AcmeExport, AcmeWarehouse
from nullspend_margins import PluginContext, hookimpl


@dataclass(frozen=True, kw_only=True)
class AcmeSettings:
    """``[plugins.acme]``"""

    token: str = field(repr=False)
    folder: Path = Path("acme")
    enterprise_orgs: tuple[str, ...] = ()
    page_size: int = field(default=100, metadata={"unit": "invoices", "at_least": 1})
    webhook: str = ""


@hookimpl
def register_authenticators(context: PluginContext) -> list[AcmeTokens]:
    return [AcmeTokens(context.settings(AcmeSettings).token)]


@hookimpl
def register_plan_checkers(context: PluginContext) -> list[AcmePlans]:
    return [AcmePlans(context.settings(AcmeSettings).enterprise_orgs)]


@hookimpl
def register_cost_sources(context: PluginContext) -> list[AcmeExport | AcmeWarehouse]:
    folder = context.settings(AcmeSettings).folder
    return [AcmeExport(folder / "export.jsonl"), AcmeWarehouse(folder / "warehouse.json")]


@hookimpl
def register_revenue_providers(context: PluginContext) -> list[AcmeBilling]:
    settings = context.settings(AcmeSettings)
    return [AcmeBilling(settings.folder / "invoices.json", settings.page_size)]


@hookimpl
def register_notifiers(context: PluginContext) -> list[AcmeWebhook]:
    url = context.settings(AcmeSettings).webhook
    return [AcmeWebhook(url, context)] if url else []


@hookimpl
def register_templates() -> list[Path]:
    return [Path(__file__).parent / "pages"]
