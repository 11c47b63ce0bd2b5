"""Configuration: TOML to frozen dataclasses. The only user of tomli."""

from nullspend_margins.config.dashboard import THEME_VARIABLES, DashboardSettings
from nullspend_margins.config.loader import (
    config_from_mapping,
    finish_config,
    load_config,
    load_plugin_tables,
)
from nullspend_margins.config.metering import MeteringSettings, ModelPrice
from nullspend_margins.config.model import (
    AlertSettings,
    Config,
    CronSettings,
    DatabaseSettings,
    EncryptionSettings,
    Environment,
    HealthSettings,
    IngestSettings,
    LimitSettings,
    OutboundSettings,
    PlanName,
    PlanSettings,
    PluginSettings,
    ServerSettings,
    SessionSettings,
    SyncSettings,
)
from nullspend_margins.config.reference_table import ReferenceRow, reference_rows
from nullspend_margins.config.secret import Secret
from nullspend_margins.config.sections import parse_section, setting

__all__ = [
    "THEME_VARIABLES",
    "AlertSettings",
    "Config",
    "CronSettings",
    "DashboardSettings",
    "DatabaseSettings",
    "EncryptionSettings",
    "Environment",
    "HealthSettings",
    "IngestSettings",
    "LimitSettings",
    "MeteringSettings",
    "ModelPrice",
    "OutboundSettings",
    "PlanName",
    "PlanSettings",
    "PluginSettings",
    "ReferenceRow",
    "Secret",
    "ServerSettings",
    "SessionSettings",
    "SyncSettings",
    "config_from_mapping",
    "finish_config",
    "load_config",
    "load_plugin_tables",
    "parse_section",
    "reference_rows",
    "setting",
]
