"""What belongs to one event loop: the database's connections, the services, alerts."""

from __future__ import annotations

from dataclasses import dataclass

from nullspend_margins.config import Config
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import Clock
from nullspend_margins.recording import Recorder
from nullspend_margins.services import Services
from nullspend_margins.services.access import AccessService
from nullspend_margins.services.alert_loop import AlertLoop
from nullspend_margins.services.alerts import AlertService
from nullspend_margins.services.connections import ConnectionService
from nullspend_margins.services.cost_puller import CostPuller
from nullspend_margins.services.cost_reader import CostReader
from nullspend_margins.services.coverage import CoverageReader
from nullspend_margins.services.explanation import ExplanationService
from nullspend_margins.services.ingest import IngestService
from nullspend_margins.services.keys import KeyService
from nullspend_margins.services.leasing import LeaseKeeper
from nullspend_margins.services.mappings import MappingService
from nullspend_margins.services.margins import MarginsService
from nullspend_margins.services.staleness import StalenessWatch
from nullspend_margins.services.sync import SyncService
from nullspend_margins.services.sync_run import SyncTools
from nullspend_margins.services.vault import Vault
from nullspend_margins.storage.database import Database


@dataclass(frozen=True, slots=True)
class Runtime:
    """A started product. Close it on the loop it was started on."""

    database: Database
    services: Services
    alert_loop: AlertLoop

    @classmethod
    async def start(
        cls, config: Config, registry: Registry, clock: Clock, recorder: Recorder
    ) -> Runtime:
        """Open the database (SQLite is migrated, PostgreSQL checked), build the services, and
        deliver alerts from now on.

        Raises ``ConfigurationError`` when the database's schema is not the current one, and
        ``ServiceUnavailable`` when it does not answer.
        """
        database = Database(
            config.database.url,
            busy_timeout_seconds=config.database.busy_timeout_seconds,
            pool_size=config.database.pool_size,
        )
        try:
            await database.start()
        except BaseException:
            await database.close()
            raise
        services = build_services(config, registry, clock, database, recorder)
        alert_loop = AlertLoop(services.alerts, config.alerts.poll_seconds)
        alert_loop.start()
        return cls(database, services, alert_loop)

    async def close(self) -> None:
        """Stop alerts and syncs, write what ingest holds, let go of the database."""
        await self.alert_loop.close()
        await self.services.sync.close()
        await self.services.ingest.close()
        await self.database.close()


def build_services(
    config: Config, registry: Registry, clock: Clock, database: Database, recorder: Recorder
) -> Services:
    """The services over one database."""
    vault = Vault(config.encryption.key_bytes)
    costs = CostReader(registry)
    access = AccessService(registry, config)
    keeper = LeaseKeeper(database, clock, config.sync.lease_seconds)
    alerts = AlertService(database, registry, costs, clock, config)
    tools = SyncTools(
        database=database,
        vault=vault,
        clock=clock,
        keeper=keeper,
        costs=costs,
        alerts=alerts,
        conversion=config.revenue.conversion,
    )
    puller = CostPuller(database, registry, keeper, clock, config.ingest.dedupe_days)
    watch = StalenessWatch(database, costs, alerts, access, clock, config)
    return Services(
        config=config,
        clock=clock,
        access=access,
        margins=MarginsService(
            database, costs, CoverageReader(registry, costs, config), clock, config
        ),
        explanations=ExplanationService(database, costs, config),
        mappings=MappingService(database, clock),
        connections=ConnectionService(database, registry, vault, clock),
        sync=SyncService(tools, registry, access, puller, watch, config, recorder),
        ingest=IngestService(database, clock),
        keys=KeyService(database, clock),
        alerts=alerts,
    )
