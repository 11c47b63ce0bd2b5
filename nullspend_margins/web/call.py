"""What an endpoint is given: the request, and what the checks before it found out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.web import bodies, target
from nullspend_margins.web.limits import RateLimiter

if TYPE_CHECKING:
    from nullspend_margins.services import Services

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request to a route. ``params`` are the path's, percent-decoded once.

    ``document`` gives the OpenAPI document for a mount.
    """

    scope: Scope
    receive: Receive
    params: Mapping[str, str]
    document: Callable[[str], bytes]

    def header(self, name: str) -> str | None:
        """The one value of a header. Raises ``ValidationFailed`` where it has several."""
        values = set(Headers(scope=self.scope).getlist(name))
        if len(values) > 1:
            raise ValidationFailed.of((name, "must be sent once"))
        return values.pop() if values else None

    def query(self, name: str) -> str | None:
        """The last value of a query parameter. Raises ``ValidationFailed`` on bad encoding."""
        return target.query_value(self.scope, name)

    async def body(self, wanted: type[Body]) -> Body:
        """The JSON body, checked to be a ``wanted``; see ``bodies`` for what it raises."""
        return bodies.decode(await bodies.read_body(self.scope, self.receive), wanted)

    async def json_object(self) -> dict[str, object]:
        """The JSON body as a plain object; see ``bodies`` for what it raises."""
        return await self.body(dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class CronCall:
    """A call by the cron job: for every org, so for none in particular."""

    request: Incoming
    services: Services

    @property
    def provider(self) -> str:
        """The revenue provider that the path names."""
        return self.request.params["provider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgCall(CronCall):
    """A call in the name of one org, admitted by plan and role."""

    org_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestCall(OrgCall):
    """A call by the holder of a cost-event key. ``event_limit`` counts the org's events."""

    event_limit: RateLimiter
