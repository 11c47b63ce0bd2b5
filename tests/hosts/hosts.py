"""Hosts as their engineers write them: pages of their own, people, plans, and the product."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from typing import Any

from fastapi import FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp

from nullspend_margins import Margins, MarginsMiddleware, Principal

MOUNT = "/billing"
SESSIONS = {
    f"session-of-{role}": Principal(org_id="org_1", user_id=role, role=role)  # type: ignore[arg-type]
    for role in ("viewer", "member", "admin")
}


class MySession:
    """The cookie with which the host's people are signed in."""

    name = "my-session"

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal | None:
        header = dict(scope["headers"]).get(b"cookie", b"").decode()
        session = SimpleCookie(header).get("host_session")
        return SESSIONS.get(session.value) if session else None


class MyPlans:
    """What the host's orgs pay for."""

    name = "my-plans"

    async def plan(self, org_id: str) -> str | None:
        return {"org_1": "enterprise", "org_small": "free"}.get(org_id)


async def other(request: Request) -> Response:
    return JSONResponse({"page": "the host's own", "path": request.url.path})


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/octet-stream")


async def stream(_request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        for number in range(3):
            yield f"part {number}\n"

    return StreamingResponse(parts(), media_type="text/plain")


async def state(request: Request) -> Response:
    return JSONResponse({"greeting": request.state.greeting})


async def fail(_request: Request) -> Response:
    raise LookupError("the host's own mistake")


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(f"heard {await websocket.receive_text()}")
    await websocket.close()


PAGES: dict[str, tuple[str, Callable[[Request], Any]]] = {
    "/api/other": ("GET", other),
    "/api/connections": ("GET", other),  # one segment short of the product's
    "/api/marginsOfTheHost": ("GET", other),
    "/api/echo": ("POST", echo),
    "/api/stream": ("GET", stream),
    "/api/state": ("GET", state),
    "/api/fail": ("GET", fail),
}


@asynccontextmanager
async def own_lifespan(_app: object) -> AsyncIterator[dict[str, str]]:
    """The host's own start and end, whose state requests see."""
    yield {"greeting": "hello"}


def both_lifespans(margins: Margins) -> Callable[[Any], Any]:
    """The host's own, and the product's in it."""

    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[dict[str, str]]:
        async with margins.lifespan(app), own_lifespan(app) as own:
            yield own

    return lifespan


def fastapi_host(**settings: Any) -> FastAPI:
    app = FastAPI(**{"lifespan": own_lifespan, **settings})
    for path, (method, endpoint) in PAGES.items():
        app.add_route(path, endpoint, methods=[method])
    app.add_api_websocket_route("/api/talk", talk)
    return app


def starlette_host(*more: Mount, **settings: Any) -> Starlette:
    routes = [Route(path, page, methods=[method]) for path, (method, page) in PAGES.items()]
    routes.append(WebSocketRoute("/api/talk", talk))
    return Starlette(routes=[*routes, *more], **{"lifespan": own_lifespan, **settings})


def fastapi_mount(margins: Margins) -> ASGIApp:
    app = fastapi_host(lifespan=both_lifespans(margins))
    app.mount(MOUNT, margins.app)
    return app


def fastapi_mount_without_lifespan(margins: Margins) -> ASGIApp:
    app = fastapi_host()
    app.mount(MOUNT, margins.app)
    return app


def starlette_mount(margins: Margins) -> ASGIApp:
    return starlette_host(Mount(MOUNT, app=margins.app), lifespan=both_lifespans(margins))


def starlette_mount_without_lifespan(margins: Margins) -> ASGIApp:
    return starlette_host(Mount(MOUNT, app=margins.app))


def fastapi_wrapped(margins: Margins) -> ASGIApp:
    return MarginsMiddleware(fastapi_host(), margins)


def fastapi_middleware(margins: Margins) -> ASGIApp:
    app = fastapi_host()
    app.add_middleware(MarginsMiddleware, margins=margins)
    return app


def starlette_wrapped(margins: Margins) -> ASGIApp:
    return MarginsMiddleware(starlette_host(), margins)


def starlette_middleware(margins: Margins) -> ASGIApp:
    return starlette_host(middleware=[Middleware(MarginsMiddleware, margins=margins)])


MOUNTED = (
    fastapi_mount,
    fastapi_mount_without_lifespan,
    starlette_mount,
    starlette_mount_without_lifespan,
)
WRAPPED = (fastapi_wrapped, fastapi_middleware, starlette_wrapped, starlette_middleware)
