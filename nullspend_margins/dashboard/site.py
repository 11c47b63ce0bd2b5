"""Serves the pages: who may see one, how it is rendered, and what stands there when it fails."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from jinja2 import Environment
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response

from nullspend_margins.config import Config
from nullspend_margins.dashboard.assets import Assets
from nullspend_margins.dashboard.call import FORM_TOKEN, Download, PageAnswer, PageCall, Redirect
from nullspend_margins.dashboard.failures import failure_page
from nullspend_margins.dashboard.formats import Formats, formats_for
from nullspend_margins.dashboard.headers import page_headers
from nullspend_margins.dashboard.links import Links
from nullspend_margins.dashboard.rendering import environment
from nullspend_margins.dashboard.routes import PageLine
from nullspend_margins.dashboard.tokens import Notice, Tokens
from nullspend_margins.domain.access import Role
from nullspend_margins.domain.connect_form import title_of
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import Clock, Principal
from nullspend_margins.web import answers
from nullspend_margins.web.call import Incoming
from nullspend_margins.web.guard import Guard

if TYPE_CHECKING:
    from nullspend_margins.web.route import StartServices

NOTICE_COOKIE = "nullspend_notice"

_log = logging.getLogger("nullspend_margins.dashboard")


class Site:
    """The dashboard of one app. Raises ``ConfigurationError`` for a logo that can't be read."""

    def __init__(self, config: Config, registry: Registry, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._providers = registry.revenue_providers
        self._assets = Assets(config)
        self._templates = environment(registry.template_folders)
        self._originals = environment(())
        self._tokens = Tokens(config.session, clock)

    def asset(self, request: Incoming) -> Response:
        """A file that pages load; open to everybody."""
        return self._assets.answer(request.params["name"])

    async def serve(
        self, line: PageLine, request: Incoming, start: StartServices, guard: Guard
    ) -> Response:
        """A page as an answer, or a page that says why there is none. Never raises, but for
        Starlette's ``ClientDisconnect``.
        """
        visit = _Visit(line, Links(self._config, request.scope), self._formats(request))
        try:
            services = await start()
            visit.principal = await guard.page(
                request, services, role=line.role, is_safe=line.is_safe
            )
            answer = await _page_function(line)(
                PageCall(
                    request=request,
                    services=services,
                    principal=visit.principal,
                    links=visit.links,
                    formats=visit.formats,
                    tokens=self._tokens,
                    providers=tuple(self._providers),
                )
            )
            return await self._answer(answer, visit, request)
        except ClientDisconnect:
            raise
        except Exception as error:
            asked = f"{line.method} {line.page}"
            page = failure_page(error, asked, self._config, request, visit.links)
        try:
            return await self._answer(page, visit, request)
        except Exception:  # a plugin's template: what failed once may fail here too
            _log.exception("%s: the page that says so failed too", asked)
            return await self._answer(page, visit, request, self._originals)

    async def _answer(
        self,
        answer: PageAnswer,
        visit: _Visit,
        request: Incoming,
        templates: Environment | None = None,
    ) -> Response:
        if isinstance(answer, Redirect):
            return self._redirect(answer, visit, request)
        if isinstance(answer, Download):
            return _download(answer)
        nonce = secrets.token_urlsafe(16)
        notice = self._notice(request, visit.principal)
        render = partial(
            (templates or self._templates).get_template(answer.template).render,
            **self._common(visit),
            csp_nonce=nonce,
            notice=notice,
            **answer.context,
        )
        # Hundreds of rows take tens of milliseconds: not on the host's event loop.
        body = await asyncio.to_thread(render) if answer.is_large else render()
        headers = page_headers(self._config.dashboard.frame_ancestors, nonce)
        response = HTMLResponse(body, answer.status, {**headers, **answer.headers})
        if notice is not None:
            response.delete_cookie(NOTICE_COOKIE, path=visit.links.base)
        return response

    def _common(self, visit: _Visit) -> dict[str, object]:
        """What every template may use; see docs/dashboard.md."""
        settings, principal, links = self._config.dashboard, visit.principal, visit.links
        return {
            "links": links,
            "formats": visit.formats,
            "asset": lambda name: links.page("/assets/" + self._assets.hashed(name)),
            "logo": self._assets.logo,
            "product_name": settings.name,
            "scheme": settings.scheme,
            "page_name": re.split("[._]", visit.line.page)[0],
            "principal": principal,
            "may": lambda role: principal is not None and principal.rank >= Role[role.upper()],
            "form_token_name": FORM_TOKEN,
            "form_token": self._tokens.form_token(principal) if principal else "",
            "provider_title": lambda name: title_of(self._providers.get(name), name),
            "now": self._clock.now(),
        }

    def _redirect(self, to: Redirect, visit: _Visit, request: Incoming) -> Response:
        # 303: what follows a change is read, whatever the change was sent by.
        response = RedirectResponse(to.to, 303, {"Cache-Control": "no-store"})
        if to.notice is not None and visit.principal is not None:
            response.set_cookie(
                NOTICE_COOKIE,
                self._tokens.sign_notice(visit.principal, to.notice),
                max_age=60,
                path=visit.links.base,
                secure=request.scope.get("scheme") == "https",
                httponly=True,
                samesite="lax",
            )
        return response

    def _notice(self, request: Incoming, principal: Principal | None) -> Notice | None:
        headers = Headers(scope=request.scope)
        sent = headers.get("cookie", "")
        # A part of a page that asks for itself shows no notice: the next whole page has it.
        if principal is None or NOTICE_COOKIE not in sent or "hx-request" in headers:
            return None
        cookie = cookie_parser(sent).get(NOTICE_COOKIE, "")
        return self._tokens.read_notice(principal, cookie)

    def _formats(self, request: Incoming) -> Formats:
        asked = Headers(scope=request.scope).get("accept-language")
        return formats_for(self._config.dashboard.locale, asked)


def _download(file: Download) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{file.filename}"',
    }
    return answers.answer(file.content, media_type=file.media_type, headers=headers)


@dataclass(slots=True)
class _Visit:
    """One request: what is asked for, and who asks once that is known."""

    line: PageLine
    links: Links
    formats: Formats
    principal: Principal | None = None


def _page_function(line: PageLine) -> Callable[[PageCall], Awaitable[PageAnswer]]:
    module, _, function = line.page.partition(".")
    found: Callable[[PageCall], Awaitable[PageAnswer]] = getattr(
        import_module(f"nullspend_margins.dashboard.pages.{module}"), function
    )
    return found
