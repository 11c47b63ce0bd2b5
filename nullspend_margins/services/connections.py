"""Connections to revenue providers: connect, replace the key, look, disconnect."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from nullspend_margins.domain.connect_form import ConnectForm, title_of
from nullspend_margins.errors import Conflict, CredentialRefused, NotFound, PermissionMissing
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import Clock, Credential, RevenueProvider
from nullspend_margins.services.connection_states import ConnectionState, connection_states
from nullspend_margins.services.gaps import gaps_of
from nullspend_margins.services.vault import Vault
from nullspend_margins.storage import (
    alerts,
    connections,
    holdings,
    mappings,
    revenue,
    revisions,
    syncs,
)
from nullspend_margins.storage.connections import StoredConnection
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.holdings import Holdings


class ConnectionService:
    """One connection for each org and provider. The provider is never asked in a transaction."""

    def __init__(self, database: Database, registry: Registry, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._providers = registry.revenue_providers
        self._vault = vault
        self._clock = clock

    async def status(self, org_id: str, provider: str) -> StoredConnection | None:
        """The connection, or ``None``. Raises ``NotFound`` for an unknown provider."""
        installed_provider(provider, self._providers)
        return await self._database.read(lambda tx: connections.get(tx, org_id, provider))

    async def states(self, org_id: str) -> dict[str, ConnectionState]:
        """Every connection with its newest sync, by provider; also where the plugin is gone."""
        now = self._clock.now()
        return await self._database.read(lambda tx: connection_states(tx, org_id, now))

    def title(self, provider: str) -> str:
        """What people call a provider, installed or not."""
        return title_of(self._providers.get(provider), provider)

    def connect_form(self, provider: str) -> ConnectForm | None:
        """What a person is asked for, if the provider tells; ``None`` if not, or if it is gone."""
        found = getattr(self._providers.get(provider), "connect_form", None)
        return found if isinstance(found, ConnectForm) else None

    async def connect(
        self, org_id: str, provider: str, body: Mapping[str, object], *, find_gaps: bool = False
    ) -> StoredConnection:
        """Check a credential with the provider and store it, encrypted.

        ``find_gaps``: with what it may not read, if the provider tells.

        Raises ``ValidationFailed`` (its form), ``Conflict`` (already connected; checked before the
        provider is asked and again by the database), ``CredentialRefused`` and
        ``ProviderUnavailable``; nothing is stored then.
        """
        source = installed_provider(provider, self._providers)
        credential = await _credential(source, body)
        if await self.status(org_id, provider) is not None:
            raise connections.already_connected()
        await _check(source, credential.secret)
        gaps = await gaps_of(source, credential.secret) if find_gaps else None
        connection = StoredConnection(
            id=str(uuid.uuid4()),
            org_id=org_id,
            provider=provider,
            key_prefix=credential.label,
            ciphertext=self._vault.seal(org_id, provider, credential.secret),
            status="active",
            last_sync_at=None,
            last_attempt_at=None,
            last_error=None,
            skipped_currencies=None,
            created_at=self._clock.now(),
            gaps=gaps,
        )

        def store(tx: Transaction) -> None:
            connections.insert(tx, connection)
            revisions.advance(tx, org_id)

        await self._database.write(store)
        return connection

    async def replace(
        self, org_id: str, provider: str, body: Mapping[str, object], *, find_gaps: bool = False
    ) -> StoredConnection:
        """Give a connection a new credential of the same account; nothing stored is lost.

        ``find_gaps``: with what it may not read, if the provider tells.

        Raises as ``connect`` does, ``NotFound`` without a connection, and ``Conflict`` when the
        new credential does not see a customer that is already stored, or when the account may
        have become another one meanwhile.
        """
        source = installed_provider(provider, self._providers)
        credential = await _credential(source, body)
        title = self.title(provider)
        before = await self._database.read(lambda tx: connected(tx, org_id, provider, title=title))
        await _check(source, credential.secret)
        known = await self._database.read(lambda tx: revenue.any_customer(tx, org_id, provider))
        if known is not None and not await _sees(source, credential.secret, known):
            raise _of_another_account(title)
        gaps = await gaps_of(source, credential.secret) if find_gaps else None
        ciphertext = self._vault.seal(org_id, provider, credential.secret)

        def store(tx: Transaction) -> StoredConnection:
            connections.replace_credential(
                tx, org_id, provider, key_prefix=credential.label, ciphertext=ciphertext
            )
            if gaps is not None:
                connections.store_gaps(tx, org_id, provider, gaps)
            current = connected(tx, org_id, provider, title=title)
            has_synced = known is None and revenue.any_customer(tx, org_id, provider) is not None
            if current.id != before.id or has_synced:
                # Connected anew, or synced for the first time: not the account that was asked.
                raise Conflict(f"The connection to {title} was changed meanwhile; try again.")
            revisions.advance(tx, org_id)
            return current

        return await self._database.write(store)

    async def holdings(self, org_id: str, provider: str) -> Holdings:
        """What disconnecting deletes, counted. Raises ``NotFound`` without a connection."""

        def count(tx: Transaction) -> Holdings:
            connected(tx, org_id, provider, title=self.title(provider))
            return holdings.of_provider(tx, org_id, provider)

        return await self._database.read(count)

    async def disconnect(self, org_id: str, provider: str) -> None:
        """Remove the connection and that provider's revenue, mappings and alerts of the org.

        Costs stay, and so does everything of other orgs and providers. Raises ``NotFound``.
        """

        def remove(tx: Transaction) -> None:
            if not connections.delete(tx, org_id, provider):
                # Only now: a connection outlives the plugin it was made with.
                installed_provider(provider, self._providers)
                raise not_connected(self.title(provider))
            revenue.delete_provider(tx, org_id, provider)
            mappings.delete_provider(tx, org_id, provider)
            alerts.delete_provider(tx, org_id, provider)
            syncs.delete_provider(tx, org_id, provider)
            revisions.advance(tx, org_id)

        await self._database.write(remove)


def installed_provider(name: str, providers: Mapping[str, RevenueProvider]) -> RevenueProvider:
    """The revenue provider ``name``. Raises ``NotFound`` when there is none."""
    source = providers.get(name)
    if source is None:
        raise unknown_provider(name, providers)
    return source


def unknown_provider(name: str, known: Mapping[str, object]) -> NotFound:
    """No such revenue provider is installed."""
    installed = ", ".join(sorted(known)) or "none"
    return NotFound(f"There is no revenue provider {name[:64]!r}; installed: {installed}.")


def connected(
    tx: Transaction, org_id: str, provider: str, *, title: str, for_update: bool = False
) -> StoredConnection:
    """The org's connection to the provider that people call ``title``, or ``NotFound``."""
    found = connections.get(tx, org_id, provider, for_update=for_update)
    if found is None:
        raise not_connected(title)
    return found


def not_connected(title: str) -> NotFound:
    """The org has no connection to the provider that people call ``title``."""
    return NotFound(f"This org is not connected to {title}; connect it first.")


async def _credential(source: RevenueProvider, body: Mapping[str, object]) -> Credential:
    credential = await source.parse_credential(body)
    if not isinstance(credential, Credential):
        raise TypeError(
            f"revenue provider {source.name!r} parsed a {type(credential).__name__}, "
            "not a Credential"
        )
    return credential


async def _check(source: RevenueProvider, secret: str) -> None:
    """A credential that may not read what a sync reads is of no use: refused like a wrong one."""
    try:
        await source.check_credential(secret)
    except PermissionMissing as problem:
        raise _refused(problem) from problem


async def _sees(source: RevenueProvider, secret: str, customer_id: str) -> bool:
    try:
        return await source.has_customer(secret, customer_id)
    except PermissionMissing as problem:
        raise _refused(problem) from problem


def _of_another_account(title: str) -> Conflict:
    return Conflict(
        f"This credential belongs to another account of {title}: it does not see the customers "
        "that are already stored. Disconnect first to change the account."
    )


def _refused(problem: PermissionMissing) -> CredentialRefused:
    return CredentialRefused(problem.message, details=problem.details)
