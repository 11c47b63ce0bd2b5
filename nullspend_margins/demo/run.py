"""Runs the demo: a Stripe-shaped server, the product in a host app, a company's months of data.

Everything goes the way it goes in production, over HTTP on loopback; the database lives in a
temporary folder that is removed at the end.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import socket
from typing import Any

from nullspend_margins.app import Margins
from nullspend_margins.app.serving import listen, serving, stop_signals, url_of
from nullspend_margins.builtin.sessions import sign_session
from nullspend_margins.config import config_from_mapping
from nullspend_margins.demo.company import SampleCompany
from nullspend_margins.demo.host import SIGN_IN, demo_host
from nullspend_margins.demo.report import Report
from nullspend_margins.demo.seed import Seeder, client_for
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins.errors import ConfigurationError

_LOOPBACK = "127.0.0.1"
_ORG = "org_demo"
_ADMIN = "demo-admin"


async def run_demo(*, port: int, may_open_browser: bool) -> None:
    """Set up, print a link that is already signed in, serve until SIGINT or SIGTERM.

    Raises ``ConfigurationError`` when no port can be had, ``InternalError`` when the product
    refuses its sample data.
    """
    report = Report()
    _reach_loopback_directly()
    with stop_signals() as stop, tempfile.TemporaryDirectory(prefix="nullspend-demo-") as folder:
        await _until(stop, _demo(Path(folder), port, report, may_open_browser=may_open_browser))


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Run ``work``, which ends with an error or not at all, until ``stop``."""
    working = asyncio.create_task(work, name="margins-demo")
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not stopped.done():
            await working
    finally:
        stopped.cancel()
        working.cancel()
        await asyncio.wait({working})


async def _demo(folder: Path, port: int, report: Report, *, may_open_browser: bool) -> None:
    company = SampleCompany(datetime.now(UTC))
    stripe = StripeServer()
    stripe_key = f"rk_test_{secrets.token_hex(12)}"
    invoices = company.fill(stripe.add_account(stripe_key))
    listener = _listen(port, report)
    token = secrets.token_urlsafe(24)
    async with serving(stripe, listen(_LOOPBACK, 0)) as stripe_url:
        margins = _product(folder, stripe_url)
        async with _hosted(margins, listener, token) as url:
            link = f"{url}{SIGN_IN}?token={token}"
            ingest_key, _ = await (await margins.services()).keys.create(_ORG)
            async with client_for(url) as client:
                await client.get(link)
                events = list(company.events())
                with report.progress(len(events)) as advance:
                    seeded = await Seeder(client, ingest_key).seed(
                        company, events, stripe_key, advance
                    )
            report.summary(seeded, customers=len(company.customers), invoices=invoices)
            report.invitation(url, link, _cookie(margins), company.customers[0].tag_value)
            if may_open_browser and report.is_terminal and sys.stdin.isatty():
                await asyncio.to_thread(webbrowser.open, link)
            await asyncio.Event().wait()


def _product(folder: Path, stripe_url: str) -> Margins:
    return Margins(
        config_from_mapping(
            {
                "database": {"url": f"sqlite:///{folder / 'demo.db'}"},
                "plans": {"orgs": {_ORG: "pro"}},
                "dashboard": {"login_url": "/"},
                "plugins": {"stripe": {"api_base": stripe_url}},
            },
            base=folder,
            keep_secrets=False,
        )
    )


@asynccontextmanager
async def _hosted(margins: Margins, listener: socket, token: str) -> AsyncIterator[str]:
    """The host app with the product in it, answering; yields its URL."""
    host = demo_host(margins, token=token, sign=lambda: _session_of(margins))
    async with margins.lifespan(), serving(host, listener) as url:
        yield url


def _reach_loopback_directly() -> None:
    """A proxy of this machine's environment cannot reach the demo's own servers."""
    for name in ("NO_PROXY", "no_proxy"):
        excepted = os.environ.get(name)
        os.environ[name] = f"{excepted},{_LOOPBACK}" if excepted else _LOOPBACK


def _listen(port: int, report: Report) -> socket:
    """The wanted port, or a free one when it is taken."""
    try:
        return listen(_LOOPBACK, port)
    except ConfigurationError as problem:
        listener = listen(_LOOPBACK, 0)
        report.line(f"{problem.message} Using {url_of(listener)} instead.")
        return listener


def _session_of(margins: Margins) -> str:
    """The admin's session, signed now."""
    return sign_session(margins.config, org_id=_ORG, user_id=_ADMIN, role="admin")


def _cookie(margins: Margins) -> str:
    """A Cookie header's value for the admin."""
    return f"{margins.config.session.cookie_name}={_session_of(margins)}"
