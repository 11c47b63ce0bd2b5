"""What an endpoint is given: the request, and what the checks before it found out.

Structs, since one is made for every request: a frozen dataclass takes three times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from starlette.types import Receive, Scope

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.web import bodies, target
from nullspend_margins.web.limits import RateLimiter

if TYPE_CHECKING:
    from nullspend_margins.services import Services

Body = TypeVar("Body")


class Incoming(Struct, frozen=True, kw_only=True):
    """A request to a route. ``params`` are the path's, percent-decoded once.

    ``document`` gives the OpenAPI document for a mount.
    """

    scope: Scope
    receive: Receive
    params: Mapping[str, str]
    document: Callable[[str], bytes]

    def header(self, name: str) -> str | None:
        """The one value of a header. Raises ``ValidationFailed`` where it has several."""
        wanted = name.lower().encode()
        values = {value for sent, value in self.scope["headers"] if sent == wanted}
        if len(values) > 1:
            raise ValidationFailed.of((name, "must be sent once"))
        return values.pop().decode("latin-1") if values else None

    def query(self, name: str) -> str | None:
        """The last value of a query parameter. Raises ``ValidationFailed`` on bad encoding."""
        return target.query_value(self.scope, name)

    def customer(self, tag_value: str | None) -> str:
        """The customer asked for: ``tag_value`` of the query, without one the path's.

        Raises ``ValidationFailed`` for a path that is not percent-encoded UTF-8.
        """
        if tag_value is not None:
            return tag_value
        target.require_sound_path(self.scope, "customer")
        return self.params["customer"]

    async def body(self, wanted: type[Body]) -> Body:
        """The JSON body, checked to be a ``wanted``; see ``bodies`` for what it raises."""
        return bodies.decode(await bodies.read_body(self.scope, self.receive), wanted)

    async def json_object(self) -> dict[str, object]:
        """The JSON body as a plain object; see ``bodies`` for what it raises."""
        return await self.body(dict[str, object])


class ServicesCall(Struct, frozen=True, kw_only=True):
    """A request that was admitted, and the services that answer it."""

    request: Incoming
    services: Services

    @property
    def provider(self) -> str:
        """The revenue provider that the path names."""
        return self.request.params["provider"]


class CronCall(ServicesCall, frozen=True, kw_only=True):
    """A call by the cron job: for every org, so for none in particular."""


class OrgCall(ServicesCall, frozen=True, kw_only=True):
    """A call in the name of one org, admitted by plan and role."""

    org_id: str


class IngestCall(OrgCall, frozen=True, kw_only=True):
    """A call by the holder of a cost-event key. ``event_limit`` counts the org's events."""

    event_limit: RateLimiter
