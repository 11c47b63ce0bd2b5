"""What the product does. Services decide what one transaction is; they know no SQL, no HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from nullspend_margins.config import Config
from nullspend_margins.protocols import Clock
from nullspend_margins.services.access import AccessService
from nullspend_margins.services.alerts import AlertService
from nullspend_margins.services.connections import ConnectionService
from nullspend_margins.services.explanation import ExplanationService
from nullspend_margins.services.ingest import IngestService
from nullspend_margins.services.keys import KeyService
from nullspend_margins.services.mappings import MappingService
from nullspend_margins.services.margins import MarginsService
from nullspend_margins.services.sync import SyncService


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything an endpoint or a command may call."""

    config: Config
    clock: Clock
    access: AccessService
    margins: MarginsService
    explanations: ExplanationService
    mappings: MappingService
    connections: ConnectionService
    sync: SyncService
    ingest: IngestService
    keys: KeyService
    alerts: AlertService
