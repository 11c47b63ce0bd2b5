"""The configuration: one frozen dataclass a TOML table, each field with its help and unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from nullspend_margins.config.cost_sources import CostSettings
from nullspend_margins.config.dashboard import DashboardSettings
from nullspend_margins.config.metering import MeteringSettings
from nullspend_margins.config.revenue import RevenueSettings
from nullspend_margins.config.secret import Secret
from nullspend_margins.config.sections import setting
from nullspend_margins.config.values import cookie_problem, key_bytes, prefix_problem, url_problem
from nullspend_margins.domain.health import HealthThresholds
from nullspend_margins.outbound.addresses import networks_problem

Environment = Literal["development", "production"]
PlanName = Literal["free", "pro", "enterprise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """``[server]``"""

    environment: Environment = setting(
        "development",
        help="`production` refuses to start without secrets and takes no Stripe test secret keys.",
    )
    prefix: str = setting(
        "",
        help="A path in front of every route, for example `/billing`; empty for none.",
        check=prefix_problem,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """``[database]``"""

    url: str = setting(
        "sqlite:///margins.db",
        help="`sqlite:///FILE` (relative to the configuration file's folder) or "
        "`postgresql://user@host/name`.",
        hidden=True,
    )
    pool_size: int = setting(
        8, help="PostgreSQL connections kept by one process.", unit="connections", at_least=1
    )
    busy_timeout_seconds: int = setting(
        30,
        help="How long to wait for a lock, a free connection, or PostgreSQL's answer to a page.",
        unit="seconds",
        at_least=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """``[session]``: the default sign-in, a signed cookie."""

    secret_keys: tuple[Secret, ...] = setting(
        (), help="Sign the session cookie: the first signs, all verify. 32 characters or more."
    )
    cookie_name: str = setting(
        "nullspend_session", help="The session cookie's name.", check=cookie_problem
    )
    max_age_seconds: int = setting(
        43_200, help="How long a session lasts.", unit="seconds", at_least=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionSettings:
    """``[encryption]``: of the providers' credentials in the database."""

    keys: tuple[Secret, ...] = setting(
        (), help="Base64 of 32 random bytes each: the first encrypts, all decrypt."
    )

    @property
    def key_bytes(self) -> tuple[bytes, ...]:
        """The keys as 32 bytes each, in their order."""
        return tuple(key_bytes(key.reveal()) for key in self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSettings:
    """``[cron]``: what the timer calls."""

    secret: Secret | None = setting(
        None, help="What the cron route wants as its Bearer token. 16 characters or more."
    )
    time_budget_seconds: int = setting(
        240,
        help="A cron call ends after this long; a sync it has to stop is tried again in its turn.",
        unit="seconds",
        at_least=1,
    )
    concurrency: int = setting(
        4, help="Syncs that one cron call runs at a time.", unit="syncs", at_least=1, at_most=64
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """``[plans]``"""

    required: PlanName = setting("pro", help="The least plan that may see margins.")
    upgrade_url: str = setting("", help="Where an org on a lower plan is sent.", check=url_problem)
    orgs: Mapping[str, PlanName] = setting(
        help="The default plan checker's table: org to plan. Orgs not listed are `free`.",
        factory=lambda: MappingProxyType({}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """``[health]``: the least margin of each tier; below ``at_risk`` is critical."""

    healthy: Decimal = setting(
        Decimal(50), help="The least margin that is healthy.", unit="percent", at_most=100
    )
    moderate: Decimal = setting(
        Decimal(20), help="The least margin that is moderate.", unit="percent", at_most=100
    )
    at_risk: Decimal = setting(
        Decimal(0),
        help="The least margin that is at risk, not critical.",
        unit="percent",
        at_most=100,
    )

    def __post_init__(self) -> None:
        if not self.healthy >= self.moderate >= self.at_risk:
            raise ValueError(
                "healthy must be at least moderate, and moderate at least at_risk; these are "
                f"{self.healthy}, {self.moderate} and {self.at_risk}"
            )

    @property
    def thresholds(self) -> HealthThresholds:
        """The same, exact."""
        return HealthThresholds(
            healthy=Fraction(self.healthy),
            moderate=Fraction(self.moderate),
            at_risk=Fraction(self.at_risk),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """``[sync]``"""

    lease_seconds: int = setting(
        30,
        help="After a crash, how long until another process may sync that org.",
        unit="seconds",
        at_least=5,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """``[ingest]``"""

    dedupe_days: int | None = setting(
        None,
        help="How long single cost events are kept to recognise duplicates; older ones are then "
        "refused. Not set: for ever.",
        unit="days",
        at_least=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSettings:
    """``[recording]``: the way of recorded cost events into the database."""

    folder: Path | None = setting(
        None,
        help="Where the journal is, on a local disk; one folder for each database. Not set: "
        "`NAME.journal` beside the SQLite file, else beside the configuration file.",
    )
    queue_events: int = setting(
        10_000,
        help="Cost events that a process keeps in memory; further ones wait in the journal alone.",
        unit="events",
        at_least=1,
    )
    max_megabytes: int = setting(
        1024,
        help="How large the journal may grow while the database is away.",
        unit="megabytes",
        at_least=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """``[limits]``: per org and process; 0 is no limit."""

    requests_per_minute: int = setting(
        0, help="Requests of people in one org.", unit="requests per minute", at_least=0
    )
    events_per_minute: int = setting(
        0, help="Cost events of one org.", unit="events per minute", at_least=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSettings:
    """``[outbound]``: requests to URLs that people configured, such as webhooks."""

    allow_networks: tuple[str, ...] | None = setting(
        None,
        help="Networks that outbound requests may reach besides public addresses, for example "
        '`["10.1.0.0/16"]`. Not set: none in production; loopback and private ones in '
        "development.",
        check=networks_problem,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """``[alerts]``: how long and how often their delivery is tried."""

    attempts: int = setting(
        10,
        help="How often a notifier is tried before an alert is given up; 10 take about three days.",
        unit="attempts",
        at_least=1,
        at_most=1000,
    )
    poll_seconds: int = setting(
        30,
        help="How often a running process looks for alerts to deliver; 0 leaves them to the timer.",
        unit="seconds",
        at_least=0,
        at_most=86_400,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings:
    """``[plugins]``; ``[plugins.NAME]`` is the plugin's own table."""

    order: tuple[str, ...] = setting(
        (), help="Plugins to ask first, in this order; the others follow in theirs."
    )
    disabled: tuple[str, ...] = setting((), help="Plugins not to load.")
    tables: Mapping[str, Mapping[str, object]] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything configurable. ``path`` is the file it came from, if any."""

    server: ServerSettings = field(default_factory=ServerSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    session: SessionSettings = field(default_factory=SessionSettings)
    encryption: EncryptionSettings = field(default_factory=EncryptionSettings)
    cron: CronSettings = field(default_factory=CronSettings)
    plans: PlanSettings = field(default_factory=PlanSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    revenue: RevenueSettings = field(default_factory=RevenueSettings)
    sync: SyncSettings = field(default_factory=SyncSettings)
    ingest: IngestSettings = field(default_factory=IngestSettings)
    recording: RecordingSettings = field(default_factory=RecordingSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    metering: MeteringSettings = field(default_factory=MeteringSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    outbound: OutboundSettings = field(default_factory=OutboundSettings)
    dashboard: DashboardSettings = field(default_factory=DashboardSettings)
    plugins: PluginSettings = field(default_factory=PluginSettings)
    path: Path | None = None

    @property
    def is_production(self) -> bool:
        """``[server] environment`` is ``production``."""
        return self.server.environment == "production"

    def locate(self, key: str) -> str:
        """``key`` with the file it stands in, for the start of a message."""
        return f"{self.path}: {key}" if self.path is not None else key
