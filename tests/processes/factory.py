"""The host of ``uvicorn --factory --workers``: each worker calls ``make_app``."""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from nullspend_margins import MarginsMiddleware
from tests.processes.tied import end_with_parent


async def worker(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(os.getpid()))


def make_app() -> ASGIApp:
    """A host with one page of its own, which tells the worker."""
    end_with_parent()
    return MarginsMiddleware(Starlette(routes=[Route("/worker", worker)]))
