"""What a page is given, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nullspend_margins.dashboard.formats import Formats
from nullspend_margins.dashboard.forms import Form, read_form
from nullspend_margins.dashboard.links import Links
from nullspend_margins.dashboard.tokens import Notice, Tokens
from nullspend_margins.domain.access import Role
from nullspend_margins.protocols import Principal
from nullspend_margins.services import Services
from nullspend_margins.web.call import Incoming

FORM_TOKEN = "form_token"  # noqa: S105 - a field's name
FORM_TOKEN_HEADER = "x-form-token"  # noqa: S105 - a header's name


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCall:
    """A person's request for a page, admitted by plan and role.

    ``providers`` are the installed revenue providers' names.
    """

    request: Incoming
    services: Services
    principal: Principal
    links: Links
    formats: Formats
    tokens: Tokens
    providers: tuple[str, ...]

    @property
    def org_id(self) -> str:
        """Whose numbers these are."""
        return self.principal.org_id

    def may(self, role: Role) -> bool:
        """Whether the person has ``role``: what they may not do is not offered."""
        return self.principal.rank >= role

    def query(self, name: str) -> str | None:
        """The last value of a query parameter, ``None`` without one or with an empty one."""
        return self.request.query(name) or None

    async def form(self) -> Form:
        """The fields that were sent, with a form token that is this person's.

        Raises ``Forbidden`` without it, ``PayloadTooLarge``, ``UnsupportedMediaType`` and
        ``ValidationFailed``. To be called before anything is changed.
        """
        form = await read_form(self.request)
        token = self.request.header(FORM_TOKEN_HEADER) or form.get(FORM_TOKEN)
        self.tokens.check_form_token(self.principal, token)
        return form


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A template and what it is filled with. ``is_large``: hundreds of rows."""

    template: str
    context: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_large: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """After a change: where to look next (a URL of ``Links``), and what to say there."""

    to: str
    notice: Notice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file to keep. ``filename`` is plain ASCII."""

    filename: str
    media_type: str
    content: bytes


PageAnswer = Page | Redirect | Download
