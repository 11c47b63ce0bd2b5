"""What a line of the route table says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from nullspend_margins.domain.access import Role
from nullspend_margins.web.answers import JSON
from nullspend_margins.web.call import CronCall, Incoming, IngestCall, OrgCall


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the ``query``, ``header`` or ``path``; ``kind`` is its type on the wire."""

    name: str
    where: str
    kind: Any
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer and the types it may have on the wire (none: not JSON).

    ``wrapped``: in ``{"data": ...}``, as all but a few are.
    """

    status: int
    kinds: tuple[Any, ...]
    description: str
    media_type: str = JSON
    wrapped: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method and a path. ``{name}`` is one segment of the path, ``{name:path}`` all the rest.

    ``fixed`` holds path parameters that the path implies, ``request`` the body's type. ``errors``
    are the codes of the endpoint's own doing; others follow from the kind of route.
    """

    method: str
    path: str
    summary: str
    replies: tuple[Reply, ...]
    fixed: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    request: Any = None
    errors: tuple[str, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Only reads, so that HEAD may do the same."""
        return self.method == "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRoute(Route):
    """Open to everybody."""

    endpoint: Callable[[Incoming], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRoute(Route):
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
        return self.method == "GET" and self.cron is None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRoute(Route):
    """For holders of a cost-event key. Neither plan nor role matters."""

    endpoint: Callable[[IngestCall], Awaitable[Response]]
