"""The routes of a connection: once for any provider, once for Stripe by its own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta
from msgspec.structs import replace

from nullspend_margins.domain.access import Role
from nullspend_margins.web.endpoints import connections
from nullspend_margins.web.route import Link, Parameter, Reply, Route, SessionRoute
from nullspend_margins.web.wire import examples
from nullspend_margins.web.wire.base import DeletedAnswer
from nullspend_margins.web.wire.connections import (
    ConnectionAnswer,
    ConnectionStatusAnswer,
    Credential,
    CronAnswer,
    NewConnectionAnswer,
    ProviderName,
    StripeKey,
    SyncAnswer,
)

ConnectionInclude = Annotated[
    Literal["permissions"],
    Meta(title="ConnectionInclude", description="What may come with a connection."),
]

_PROVIDER = Parameter(
    "provider", "path", ProviderName, "The revenue provider's name.", "stripe", required=True
)
_INCLUDE = Parameter(
    "include",
    "query",
    ConnectionInclude,
    "`permissions`: what the credential may read, and which bases of revenue are exact with that.",
    "permissions",
)
_ASKING_ERRORS = ("stripe_validation_failed", "conflict", "provider_unavailable")
_SYNC_ERRORS = (
    "not_found",
    "conflict",
    "sync_in_progress",
    "connection_revoked",
    "permission_missing",
    "provider_unavailable",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """What is particular to the routes of one kind of connection.

    ``subject`` is in their operation ids, ``who`` in their summaries.
    """

    tag: str
    base: str
    disconnect: str
    sync: str
    subject: str
    who: str
    body: Any
    cron_scope: str
    fixed: Mapping[str, str]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return () if self.fixed else (_PROVIDER,)

    @property
    def including(self) -> tuple[Parameter, ...]:
        """The parameters of routes that may tell of permissions."""
        return (*self.parameters, _INCLUDE)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The error of a provider that is not installed."""
        return () if self.fixed else ("not_found",)

    @property
    def request_examples(self) -> Mapping[str, object]:
        return {"stripe": examples.KEY}

    def link(self, name: str, to: str, description: str, body: object = None) -> Link:
        """A link to an operation of the same provider."""
        parameters = {} if self.fixed else {"path.provider": "$request.path.provider"}
        return Link(name=name, to=to, description=description, parameters=parameters, body=body)


_STRIPE = _Family(
    tag="stripe",
    base="/api/stripe/connect",
    disconnect="/api/stripe/disconnect",
    sync="/api/stripe/revenue-sync",
    subject="Stripe",
    who="Stripe",
    body=StripeKey,
    cron_scope="of every org and provider",
    fixed={"provider": "stripe"},
)
_ANY = _Family(
    tag="connections",
    base="/api/connections/{provider}",
    disconnect="/api/connections/{provider}",
    sync="/api/connections/{provider}/sync",
    subject="Provider",
    who="a revenue provider",
    body=Credential,
    cron_scope="of every org, with this provider",
    fixed={},
)


def _routes(family: _Family) -> tuple[Route, ...]:
    sync = _sync(family)
    return (_status(family), *_credential_routes(family), _disconnect(family), *sync)


def _status(family: _Family) -> SessionRoute:
    return SessionRoute(
        method="GET",
        path=family.base,
        operation_id=f"get{family.subject}Connection",
        tag=family.tag,
        summary=f"The connection to {family.who}",
        description="Whether the org is connected, and how its last sync went.",
        endpoint=connections.status,
        role=Role.VIEWER,
        fixed=family.fixed,
        parameters=family.including,
        replies=(
            Reply(
                status=200,
                kinds=(ConnectionStatusAnswer,),
                description="The connection, or null.",
                examples={
                    "connected": examples.CONNECTED,
                    "permissions": examples.CONNECTED_PERMITTED,
                    "notConnected": examples.NOT_CONNECTED,
                },
            ),
        ),
        errors=("validation_error", *family.unknown),
    )


def _credential_routes(family: _Family) -> tuple[SessionRoute, SessionRoute]:
    """The two that take a credential: for a new connection, and for the one there is."""
    connect = SessionRoute(
        method="POST",
        path=family.base,
        operation_id=f"connect{family.subject}",
        tag=family.tag,
        summary=f"Connect {family.who}",
        description="Checks the credential with the provider and stores it encrypted.",
        endpoint=connections.connect,
        role=Role.ADMIN,
        fixed=family.fixed,
        parameters=family.including,
        request=family.body,
        request_examples=family.request_examples,
        replies=(_connected(family),),
        errors=(*_ASKING_ERRORS, *family.unknown),
    )
    replacement = replace(
        connect,
        method="PUT",
        operation_id=f"replace{family.subject}Credential",
        summary=f"Replace the credential of the connection to {family.who}",
        description="Nothing stored is lost. The new credential must be of the same account.",
        endpoint=connections.replace,
        replies=(
            Reply(
                status=200,
                kinds=(ConnectionAnswer,),
                description="Replaced; nothing stored is lost.",
                examples={
                    "replaced": examples.CONNECTION,
                    "permissions": examples.CONNECTION_PERMITTED,
                },
                links=(family.link("sync", f"sync{family.subject}", "Sync with it."),),
            ),
        ),
        errors=(*_ASKING_ERRORS, "not_found"),
    )
    return connect, replacement


def _connected(family: _Family) -> Reply:
    subject = family.subject
    return Reply(
        status=201,
        kinds=(NewConnectionAnswer,),
        description="Connected.",
        examples={
            "connected": examples.NEW_CONNECTION,
            "permissions": examples.NEW_CONNECTION_PERMITTED,
        },
        links=(
            family.link("status", f"get{subject}Connection", "Look at the connection."),
            family.link("sync", f"sync{subject}", "Sync the first revenue."),
            family.link(
                "replace", f"replace{subject}Credential", "Store it anew.", "$request.body"
            ),
            family.link("disconnect", f"disconnect{subject}", "Disconnect it again."),
        ),
    )


def _disconnect(family: _Family) -> SessionRoute:
    return SessionRoute(
        method="DELETE",
        path=family.disconnect,
        operation_id=f"disconnect{family.subject}",
        tag=family.tag,
        summary=f"Disconnect {family.who}",
        description="Removes the connection and that provider's revenue, mappings, rejected"
        " matches and alerts of this org. Costs stay.",
        endpoint=connections.disconnect,
        role=Role.ADMIN,
        fixed=family.fixed,
        parameters=family.parameters,
        replies=(
            Reply(
                status=200,
                kinds=(DeletedAnswer,),
                description="Connection, revenue and mappings are gone.",
                examples={"deleted": examples.DELETED},
                links=(
                    family.link(
                        "status", f"get{family.subject}Connection", "There is none any more."
                    ),
                ),
            ),
        ),
        errors=("not_found",),
    )


def _sync(family: _Family) -> tuple[SessionRoute, SessionRoute]:
    by_post = SessionRoute(
        method="POST",
        path=family.sync,
        operation_id=f"sync{family.subject}",
        tag=family.tag,
        summary="Sync revenue: this org's, or all that is due with the cron secret",
        description="With a session: syncs this org now, and answers when it is done. With the"
        f" cron secret: syncs what is due {family.cron_scope}. It goes on when the caller goes"
        " away.",
        endpoint=connections.sync,
        cron=connections.sync_every_provider if family.fixed else connections.sync_provider,
        role=Role.MEMBER,
        fixed=family.fixed,
        parameters=family.parameters,
        replies=(_synced(),),
        errors=_SYNC_ERRORS,
    )
    by_get = replace(by_post, method="GET", operation_id=f"{by_post.operation_id}ByGet")
    return by_get, by_post


def _synced() -> Reply:
    return Reply(
        status=200,
        kinds=(SyncAnswer, CronAnswer),
        description="What the sync did; for the cron job, counts alone.",
        examples={"manual": examples.SYNCED, "cron": examples.CRON},
        links=(
            Link(name="table", to="getMarginTable", description="The table it made."),
            Link(name="unmatched", to="getUnmatched", description="What it could not match."),
        ),
    )


CONNECTION_ROUTES: tuple[Route, ...] = (*_routes(_STRIPE), *_routes(_ANY))
