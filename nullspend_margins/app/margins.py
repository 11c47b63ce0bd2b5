"""``Margins``: the object a host makes, mounts and (if it likes) gives its lifespan to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from nullspend_margins.app.asgi import SubApplication
from nullspend_margins.builtin import builtin_plugins
from nullspend_margins.config import Config, config_from_mapping, finish_config, load_config
from nullspend_margins.dashboard import dashboard_routes, template_problems
from nullspend_margins.domain.cost import CostEvent, dedupe_problem
from nullspend_margins.errors import ConfigurationError, ServiceUnavailable, ValidationFailed
from nullspend_margins.metering import CALL_KIND, CallReader
from nullspend_margins.outbound.client import OutboundClient
from nullspend_margins.outbound.target import rules_for
from nullspend_margins.plugins import Registry, load_plugins
from nullspend_margins.protocols import Clock, SystemClock
from nullspend_margins.recording import EVENT, Bounds, Recorder, RecordingCounters, encode_event
from nullspend_margins.web import WebApp

if TYPE_CHECKING:
    import httpx

    from nullspend_margins.app.runtime import Runtime
    from nullspend_margins.services import Services

_HTTP_TIMEOUT_SECONDS = 8.0

_log = logging.getLogger("nullspend_margins")


class Margins:
    """The product, configured. Cheap to make: the database is opened at the first use.

    ``config`` is a ``Config`` or a mapping shaped like the TOML file. ``plugins`` are modules or
    objects asked before the installed ones. Raises ``ConfigurationError`` and ``PluginError``
    naming what is wrong.
    """

    def __init__(
        self,
        config: Config | Mapping[str, object],
        *,
        plugins: Sequence[object] = (),
        clock: Clock | None = None,
    ) -> None:
        self.config: Config = (
            finish_config(config) if isinstance(config, Config) else config_from_mapping(config)
        )
        self._clock = clock or SystemClock()
        self._http_clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}
        self._runtimes: dict[asyncio.AbstractEventLoop, asyncio.Task[Runtime]] = {}
        self.registry: Registry = load_plugins(
            self.config,
            extra=plugins,
            builtins=builtin_plugins(self.config),
            clock=self._clock,
            http=self._http_client,
            outbound=OutboundClient(
                rules_for(
                    production=self.config.is_production,
                    allow_networks=self.config.outbound.allow_networks,
                )
            ),
            check_templates=template_problems,
        )
        self.recorder: Recorder = Recorder(
            _bounds(self.config),
            self._submit,
            check=self._age_problem,
            leave=self._close_runtime,
        )
        self.recorder.register(CALL_KIND, CallReader(self.config.metering).read)
        self.web: WebApp = WebApp(
            self.config,
            self.services,
            pages=dashboard_routes(self.config, self.registry, self._clock),
        )
        self.app: SubApplication = SubApplication(self.web, self)

    @classmethod
    def from_toml(
        cls,
        path: str | PathLike[str],
        *,
        plugins: Sequence[object] = (),
        clock: Clock | None = None,
    ) -> Margins:
        """Read the configuration file at ``path``."""
        return cls(load_config(path), plugins=plugins, clock=clock)

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:  # noqa: ARG002 - see below
        """Start before the host serves, close after. Optional: else the first request starts.

        ``app`` is ignored; it is there so that ``lifespan=margins.lifespan`` fits.
        """
        await self.start()
        try:
            yield
        finally:
            await self.close()

    async def start(self) -> None:
        """Open the database now. Raises ``ConfigurationError`` and ``ServiceUnavailable``."""
        await self._runtime()

    async def close(self) -> None:
        """Stop what runs and let go of the database. The next use starts again.

        Recorded events are written first, for a few seconds at most; the rest is in the journal.
        """
        await self.recorder.close()
        await self._close_runtime()

    async def _close_runtime(self) -> None:
        loop = asyncio.get_running_loop()
        task = self._runtimes.pop(loop, None)
        client = self._http_clients.pop(loop, None)
        if task is not None:
            await asyncio.wait([task])
            if not task.cancelled() and task.exception() is None:  # else nothing is open
                await task.result().close()
        if client is not None:
            await client.aclose()

    async def services(self) -> Services:
        """The services on this event loop, started if need be.

        Raises ``ServiceUnavailable`` when they cannot start; the log says why.
        """
        try:
            return (await self._runtime()).services
        except ConfigurationError as problem:
            _log.error("cannot start: %s", problem.message)
            raise ServiceUnavailable(
                "Margins cannot start on this server; its log says why."
            ) from problem

    async def ingest(
        self, org_id: str, events: Sequence[CostEvent], *, source: str = "host"
    ) -> int:
        """Store a host's own cost events, exactly once by (org, source, event id).

        Returns how many were new. Raises ``ValidationFailed``, also for an event that is older than
        ``[ingest] dedupe_days``, and ``ServiceUnavailable``; none is stored then.
        """
        problems = enumerate(map(self._age_problem, events))
        too_old = [(f"events[{at}].occurred_at", problem) for at, problem in problems if problem]
        if too_old:
            raise ValidationFailed.of(*too_old)
        stored = await (await self.services()).ingest.submit(org_id, source, events)
        return sum(event.inserted for event in stored)

    def record(self, org_id: str, events: Sequence[CostEvent], *, source: str = "host") -> int:
        """Take a host's own cost events without waiting for the database, from any thread.

        They are in the journal when this returns, and stored within a second, exactly once by
        (org, source, event id). Returns how many were taken: all, while the disk lasts.
        """
        lines = [encode_event(org_id, source, event) for event in events]
        return sum(self.recorder.append(EVENT, line) for line in lines)

    @property
    def recording(self) -> RecordingCounters:
        """What became of the events that this process recorded."""
        return self.recorder.counters

    async def _submit(self, org_id: str, source: str, events: Sequence[CostEvent]) -> None:
        await (await self.services()).ingest.submit(org_id, source, events)

    def _age_problem(self, event: CostEvent) -> str | None:
        return dedupe_problem(event.occurred_at, self._clock.now(), self.config.ingest.dedupe_days)

    async def _runtime(self) -> Runtime:
        """One start for each event loop, however many requests come first."""
        loop = asyncio.get_running_loop()
        task = self._runtimes.get(loop)
        if task is not None and task.done():
            if not task.cancelled() and task.exception() is None:
                return task.result()  # nothing to wait for, as nearly every request finds
            task = None  # the last attempt failed: the database may be back now
        if task is None:
            self._forget_closed_loops()
            task = loop.create_task(self._start_runtime(), name="margins-start")
            self._runtimes[loop] = task
        return await asyncio.shield(task)

    async def _start_runtime(self) -> Runtime:
        # Loaded with the first use, in a thread: importing SQL takes a host a quarter of a second.
        module = await asyncio.to_thread(import_module, "nullspend_margins.app.runtime")
        runtime: Runtime = await module.Runtime.start(
            self.config, self.registry, self._clock, self.recorder
        )
        self.recorder.start()
        return runtime

    def _forget_closed_loops(self) -> None:
        """A host (a test client, say) may end a loop without closing what was started on it."""
        for loop in tuple(self._runtimes):  # another thread's loop may come in meanwhile
            if not loop.is_closed() or (task := self._runtimes.pop(loop, None)) is None:
                continue
            self._http_clients.pop(loop, None)
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().database.abandon()

    def _http_client(self) -> httpx.AsyncClient:
        """The client plugins share on the running loop. Redirects are not followed."""
        loop = asyncio.get_running_loop()
        client = self._http_clients.get(loop)
        if client is None:
            import httpx  # with the first request to a provider: it takes long

            client = self._http_clients[loop] = httpx.AsyncClient(timeout=_HTTP_TIMEOUT_SECONDS)
        return client


def _bounds(config: Config) -> Bounds:
    settings = config.recording
    return Bounds(
        folder=settings.folder or Path("margins.journal"),  # a finished Config always has one
        queue_events=settings.queue_events,
        max_bytes=settings.max_megabytes * 10**6,
    )
