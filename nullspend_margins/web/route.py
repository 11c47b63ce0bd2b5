"""What a line of the route table says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

from nullspend_margins.domain.access import Role
from nullspend_margins.web.answers import JSON
from nullspend_margins.web.call import CronCall, Incoming, IngestCall, OrgCall

if TYPE_CHECKING:
    from nullspend_margins.services import Services
    from nullspend_margins.web.guard import Guard

    StartServices = Callable[[], Awaitable[Services]]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter in the ``query``, ``header`` or ``path``; ``kind`` is its type on the wire."""

    name: str
    where: str
    kind: Any
    description: str
    example: str
    required: bool = False


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header of an answer; ``required`` when the answer never lacks it."""

    description: str
    kind: Any
    example: object
    required: bool = False


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked next, of the operation ``to``, with values from a request or its answer.

    ``parameters`` (``path.name``, ``query.name``, ``header.name``) and ``body`` hold OpenAPI's
    runtime expressions.
    """

    name: str
    to: str
    description: str
    parameters: Mapping[str, str] = {}
    body: object = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A good answer: the types it may have on the wire (none: not JSON), and what may follow.

    ``examples`` are whole answers by name.
    """

    status: int
    description: str
    examples: Mapping[str, object]
    kinds: tuple[Any, ...] = ()
    media_type: str = JSON
    headers: Mapping[str, Header] = {}
    links: tuple[Link, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """What every line says: a method and a path."""

    method: str
    path: str

    @property
    def is_safe(self) -> bool:
        """Only reads, so that HEAD may do the same."""
        return self.method == "GET"


class Route(Line, frozen=True, kw_only=True):
    """A line of the API. ``{name}`` is one segment of the path, ``{name:path}`` all the rest, or
    all the rest but one segment that is written behind it.

    ``operation_id`` is its name in generated clients, ``tag`` the group it is shown in. ``fixed``
    holds path parameters that the path implies, ``request`` the body's type, ``request_examples``
    whole bodies by name. ``errors`` are the codes of the endpoint's own doing; others follow from
    the kind of route.
    """

    operation_id: str
    tag: str
    summary: str
    description: str
    replies: tuple[Reply, ...]
    fixed: Mapping[str, str] = {}
    parameters: tuple[Parameter, ...] = ()
    request: Any = None
    request_examples: Mapping[str, object] = {}
    errors: tuple[str, ...] = ()

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it."""
        return self.path.replace(":path}", "}")


class PublicRoute(Route, frozen=True, kw_only=True):
    """Open to everybody."""

    endpoint: Callable[[Incoming], Awaitable[Response]]


class SessionRoute(Route, frozen=True, kw_only=True):
    """For people of an org who have the role and, where gated, the plan.

    ``cron``, where there is one, serves requests that carry the cron secret.
    """

    endpoint: Callable[[OrgCall], Awaitable[Response]]
    role: Role
    plan_gated: bool = True
    cron: Callable[[CronCall], Awaitable[Response]] | None = None

    @property
    def is_safe(self) -> bool:
        """What the cron job sets off is no mere read, even by GET."""
        return super().is_safe and self.cron is None


class IngestRoute(Route, frozen=True, kw_only=True):
    """For holders of a cost-event key. Neither plan nor role matters."""

    endpoint: Callable[[IngestCall], Awaitable[Response]]


class PageRoute(Line, frozen=True, kw_only=True):
    """A page for people. It is no part of the API, and answers everything by itself.

    ``endpoint`` is given the request, what starts the services (it may raise) and the guard. One
    that ``is_for_lost`` is for browsers at an address below the mount that no other route is for:
    as a middleware, the app leaves those to the host.
    """

    endpoint: Callable[[Incoming, StartServices, Guard], Awaitable[Response]]
    is_for_lost: bool = False
