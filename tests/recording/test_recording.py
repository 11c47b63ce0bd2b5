"""``Margins.record``: what a host sees of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from nullspend_margins import CostEvent, Margins
from nullspend_margins.recording import encode_event
from nullspend_margins.recording.events import read_event
from tests.recording.fakes import event
from tests.world import NOW, ORG, FixedClock, World, config, world

STRIPE = "http://127.0.0.1:9"


@pytest.fixture
def margins(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Margins:
    monkeypatch.chdir(tmp_path)  # where the journal is, with a database that is no file
    return Margins(config(database_url, STRIPE), clock=FixedClock())


def dead_journal(folder: Path, *events: CostEvent) -> None:
    """What a killed process left."""
    folder.mkdir(exist_ok=True)
    lines = [b"event " + encode_event(ORG, "host", each) + b"\n" for each in events]
    (folder / "1-dead.000001.jsonl").write_bytes(b"".join(lines))


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


async def test_recorded_events_are_stored_by_the_time_the_product_is_closed(
    margins: Margins,
) -> None:
    assert margins.record(ORG, [event(1), event(2), event(1)]) == 3
    await margins.close()
    assert margins.recording.queued == 0
    assert margins.recording.written == 3
    assert await margins.ingest(ORG, [event(1), event(2), event(3)]) == 1
    await margins.close()


async def test_a_recorded_and_an_ingested_event_are_the_same_event(margins: Margins) -> None:
    async with margins.lifespan():
        assert await margins.ingest(ORG, [event(1)], source="gateway") == 1
        margins.record(ORG, [event(1), event(2)], source="gateway")
        await margins.recorder.close()
        assert await margins.ingest(ORG, [event(2)], source="gateway") == 0
        assert await margins.ingest(ORG, [event(1)]) == 1  # another source


async def test_nothing_is_left_of_a_journal_whose_events_are_all_stored(
    sqlite_url: str, tmp_path: Path
) -> None:
    margins = Margins(config(sqlite_url, STRIPE), clock=FixedClock())
    folder = tmp_path / "margins.journal"
    async with margins.lifespan():
        assert files(folder) == []
        margins.record(ORG, [event(1)])
        assert len(files(folder)) == 2
    assert files(folder) == []


async def test_a_host_without_a_lifespan_records_as_well(margins: Margins) -> None:
    async def call(request: Request) -> PlainTextResponse:
        margins.record(ORG, [event(int(request.query_params["n"]))])
        return PlainTextResponse("done")

    host = Starlette(routes=[Route("/call", call), Mount("/billing", margins.app)])
    transport = httpx.ASGITransport(host)
    async with httpx.AsyncClient(transport=transport, base_url="http://host.example") as http:
        for number in range(5):
            assert (await http.get(f"/call?n={number}")).text == "done"
    await margins.close()
    assert margins.recording.written == 5


async def test_events_of_many_orgs_and_sources_are_each_their_owners(margins: Margins) -> None:
    async with margins.lifespan():
        for org in ("org_1", "org_2"):
            for source in ("host", "gateway"):
                assert margins.record(org, [event(1), event(2)], source=source) == 2
        await margins.recorder.close()
        for org in ("org_1", "org_2"):
            for source in ("host", "gateway"):
                assert await margins.ingest(org, [event(1), event(2)], source=source) == 0


async def test_an_outage_of_the_database_is_not_felt_where_events_are_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    away = config(nowhere, STRIPE, recording={"folder": str(tmp_path / "journal")})
    margins = Margins(away, clock=FixedClock())
    assert margins.record(ORG, [event(1)]) == 1
    await margins.close()
    assert margins.recording.written == 0
    assert margins.recording.dropped == 0
    [name] = [each for each in files(tmp_path / "journal") if each.endswith(".jsonl")]
    assert (tmp_path / "journal" / name).read_bytes().count(b"\n") == 1


async def test_at_a_replay_events_beyond_the_horizon_are_refused_as_over_http(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, fresh = NOW - timedelta(days=31), NOW - timedelta(days=29)
    dead_journal(
        tmp_path / "margins.journal", event(1, occurred_at=old), event(2, occurred_at=fresh)
    )
    async with world(sqlite_url, ingest={"dedupe_days": 30}) as here:
        services = await here.margins.services()
        assert await services.sync.replay()
        assert (here.margins.recording.written, here.margins.recording.refused) == (1, 1)
        answer = await here.post_event({**sent(), "occurredAt": old.isoformat()})
        assert answer.status_code == 400
        [problem] = answer.json()["error"]["details"]["issues"]
        refused = [each for each in caplog.records if each.levelno == logging.ERROR]
        assert problem["message"] in refused[0].getMessage()
        assert "'e1' of org org_1" in refused[0].getMessage()
        assert await here.margins.ingest(ORG, [event(2)]) == 0


def sent() -> dict[str, object]:
    return {
        "provider": "openai",
        "model": "gpt-4o",
        "inputTokens": 1,
        "outputTokens": 1,
        "costMicrodollars": 1,
    }


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "margins.journal"


async def test_the_cron_route_replays_journals(sqlite_url: str, journal: Path) -> None:
    async with world(sqlite_url) as here:
        await settled(here)
        dead_journal(journal, event(1), event(2))
        assert (await here.cron()).status_code == 200
        assert files(journal) == []
        assert await here.margins.ingest(ORG, [event(1), event(2)]) == 0


async def test_a_journal_that_cannot_be_read_does_not_stop_cron(
    sqlite_url: str, journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(sqlite_url) as here:
        await settled(here)
        (journal / "1-dead.000001.jsonl").mkdir(parents=True)
        assert (await here.cron()).status_code == 200
        assert "journals not replayed: Is a directory" in caplog.text


async def settled(here: World) -> None:
    """The look at the start is over."""
    await (await here.margins.services()).sync.replay()


def test_the_journal_is_beside_the_database_or_the_configuration(tmp_path: Path) -> None:
    def folder(toml: str) -> Path | None:
        file = tmp_path / "acme.toml"
        file.write_text(toml)
        return Margins.from_toml(file).config.recording.folder

    postgresql = '[database]\nurl = "postgresql://margins@db.example/margins"\n'
    assert folder('[database]\nurl = "sqlite:///costs.db"') == tmp_path / "costs.journal"
    assert folder(postgresql) == tmp_path / "acme.journal"
    assert folder(postgresql + '[recording]\nfolder = "spool"') == tmp_path / "spool"
    assert folder(postgresql + '[recording]\nfolder = "/var/spool/m"') == Path("/var/spool/m")


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
offsets = st.timedeltas(timedelta(hours=-14), timedelta(hours=14))


@given(
    texts.filter(bool),
    st.datetimes(datetime(2000, 1, 2), datetime(2100, 1, 1)),  # noqa: DTZ001
    offsets,
    st.integers(0, 10**15),
    st.dictionaries(st.text("abc", min_size=1, max_size=5), texts, max_size=5),
    st.none() | st.dictionaries(texts, st.integers(-(2**53), 2**53) | texts, max_size=3),
)
def test_a_line_is_read_as_the_event_it_was_made_of(
    name: str,
    moment: datetime,
    offset: timedelta,
    cost: int,
    tags: dict[str, str],
    breakdown: dict[str, object] | None,
) -> None:
    made = event(
        0,
        event_id=f"\x1e{name}",
        occurred_at=moment.replace(tzinfo=timezone(offset)),
        cost_nanodollars=cost,
        tags=MappingProxyType(tags),
        cost_breakdown=breakdown,
        session_id=name,
    )
    body = encode_event(name, "host", made)
    assert b"\n" not in body
    read = read_event(body)
    assert (read.org_id, read.source) == (name, "host")
    assert read.event == made
    assert read.event.occurred_at.astimezone(UTC) == moment.replace(
        tzinfo=timezone(offset)
    ).astimezone(UTC)


def test_recording_needs_no_event_loop(sqlite_url: str) -> None:
    margins = Margins(config(sqlite_url, STRIPE), clock=FixedClock())
    assert margins.record(ORG, [event(1), event(2)]) == 2

    async def end() -> None:
        await margins.close()
        assert margins.recording.written == 2
        assert await margins.ingest(ORG, [event(1), event(2)]) == 0
        await margins.close()

    asyncio.run(end())
