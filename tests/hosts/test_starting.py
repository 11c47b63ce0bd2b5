"""When the product starts and ends in a host, and what happens when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from nullspend_margins import Margins, MarginsMiddleware
from tests.hosts.conftest import MakeMargins
from tests.hosts.hosts import MOUNT, MOUNTED, WRAPPED
from tests.hosts.server import StartFailed, hosted
from tests.postgres import PostgresForTests

ADMIN = {"Cookie": "host_session=session-of-admin"}
Form = Callable[[Margins], ASGIApp]
WITH_LIFESPAN = [form for form in (*MOUNTED, *WRAPPED) if "without" not in form.__name__]
WITHOUT_LIFESPAN = [form for form in MOUNTED if "without" in form.__name__]


def named(form: Form) -> str:
    return form.__name__


def is_open(file: Path) -> bool:
    """SQLite removes its log when the last connection is closed in order."""
    return file.with_name(f"{file.name}-wal").exists()


@pytest.mark.parametrize("form", WITH_LIFESPAN, ids=named)
async def test_with_a_lifespan_the_product_starts_before_the_first_request(
    make_margins: MakeMargins, tmp_path: Path, form: Form
) -> None:
    file = tmp_path / "new.db"
    async with hosted(form(make_margins(f"sqlite:///{file}"))):
        assert is_open(file)
    assert not is_open(file)


@pytest.mark.parametrize("form", WITHOUT_LIFESPAN, ids=named)
async def test_many_first_requests_at_once_start_it_once(
    make_margins: MakeMargins, tmp_path: Path, form: Form
) -> None:
    file = tmp_path / "new.db"
    margins = make_margins(f"sqlite:///{file}")
    async with hosted(form(margins)) as url, httpx.AsyncClient(headers=ADMIN) as client:
        assert not file.exists()
        asking = [client.get(f"{url}{MOUNT}/api/customer-mappings") for _ in range(30)]
        services = [margins.services() for _ in range(30)]
        answers = await asyncio.gather(*asking)
        assert {answer.status_code for answer in answers} == {200}
        assert len({id(each) for each in await asyncio.gather(*services)}) == 1


async def test_a_first_request_that_goes_away_does_not_stop_the_start(
    make_margins: MakeMargins, tmp_path: Path
) -> None:
    margins = make_margins(f"sqlite:///{tmp_path}/new.db")
    asking = [asyncio.create_task(margins.services()) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    second, third = await asyncio.gather(*asking[1:])
    assert second is third


@pytest.mark.parametrize("form", WITH_LIFESPAN, ids=named)
async def test_a_database_that_cannot_be_opened_stops_the_host_with_a_message(
    make_margins: MakeMargins, tmp_path: Path, form: Form, caplog: pytest.LogCaptureFixture
) -> None:
    margins = make_margins(f"sqlite:///{tmp_path}/missing/margins.db")
    with pytest.raises(StartFailed):
        async with hosted(form(margins)):
            raise AssertionError("started without a database")
    assert str(tmp_path / "missing") in caplog.text


@pytest.mark.parametrize("form", WITH_LIFESPAN, ids=named)
async def test_a_database_server_that_is_away_stops_the_host_and_hides_the_password(
    make_margins: MakeMargins, form: Form, caplog: pytest.LogCaptureFixture
) -> None:
    margins = make_margins("postgresql://me:hush-hush@127.0.0.1:1/margins")
    with pytest.raises(StartFailed):
        async with hosted(form(margins)):
            raise AssertionError("started without a database")
    assert "database" in caplog.text
    assert "hush-hush" not in caplog.text


async def test_a_schema_that_is_missing_stops_the_host_and_names_the_command(
    make_margins: MakeMargins,
    postgres_server: PostgresForTests,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with postgres_server.database(migrated=False) as url, pytest.raises(StartFailed):
        async with hosted(WRAPPED[0](make_margins(url))):
            raise AssertionError("started without a schema")
    assert "nullspend-margins migrate" in caplog.text


@pytest.mark.parametrize("form", WITHOUT_LIFESPAN, ids=named)
async def test_without_a_lifespan_a_request_says_unavailable_and_the_next_tries_again(
    make_margins: MakeMargins, tmp_path: Path, form: Form, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "missing"
    margins = make_margins(f"sqlite:///{folder}/margins.db")
    async with hosted(form(margins)) as url, httpx.AsyncClient(headers=ADMIN) as client:
        answer = await client.get(f"{url}{MOUNT}/api/margins")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "service_unavailable"
        assert str(folder) not in answer.text
        assert str(folder) in caplog.text
        assert (await client.get(f"{url}/api/other")).status_code == 200
        folder.mkdir()
        assert (await client.get(f"{url}{MOUNT}/api/margins")).status_code == 200


@pytest.mark.parametrize("host", [FastAPI, Starlette])
@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_host_that_fails_to_start_says_so_and_leaves_nothing_open(
    margins: Margins,
    host: type[Starlette],
    wrapped: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        async with margins.lifespan() if not wrapped else nothing():
            raise LookupError("the host has no bananas")
            yield

    app: ASGIApp = host(lifespan=lifespan)
    with pytest.raises(StartFailed):
        async with hosted(MarginsMiddleware(app, margins) if wrapped else app):
            raise AssertionError("started without bananas")
    assert "the host has no bananas" in caplog.text
    assert not is_open(tmp_path / "margins.db")


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    yield


async def only_http(scope: Scope, receive: Receive, send: Send) -> None:
    """A host that knows no lifespan, as many small ones."""
    assert scope["type"] == "http"
    await PlainTextResponse("the host's own")(scope, receive, send)


async def test_a_host_without_lifespan_support_works_in_the_middleware(margins: Margins) -> None:
    async with hosted(MarginsMiddleware(only_http, margins)) as url, httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/anything")).text == "the host's own"
        assert (await client.get(f"{url}/api/margins", headers=ADMIN)).status_code == 200


async def test_in_a_host_without_lifespan_support_it_runs_before_the_first_request(
    make_margins: MakeMargins, tmp_path: Path
) -> None:
    """What another process left in the journal waits for nobody to come."""
    file = tmp_path / "new.db"
    margins = make_margins(f"sqlite:///{file}")
    async with hosted(MarginsMiddleware(only_http, margins)):
        assert is_open(file)


async def test_the_sub_application_served_alone_has_a_lifespan(
    make_margins: MakeMargins, tmp_path: Path
) -> None:
    file = tmp_path / "new.db"
    margins = make_margins(f"sqlite:///{file}")
    async with hosted(margins.app, lifespan="on") as url, httpx.AsyncClient() as client:
        assert file.exists()
        assert (await client.get(f"{url}/api/margins", headers=ADMIN)).status_code == 200
    assert not is_open(file)


async def test_a_host_that_starts_again_after_its_end_works(margins: Margins) -> None:
    app = WRAPPED[0](margins)
    for _ in range(2):
        async with hosted(app) as url, httpx.AsyncClient(headers=ADMIN) as client:
            assert (await client.get(f"{url}/api/margins")).status_code == 200
