"""Metered gateways on uvicorn, called by the official client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from openai import AsyncOpenAI, InternalServerError

from nullspend_margins import ConfigurationError, Margins, MarginsMiddleware, MeteringMiddleware
from tests.hosts.server import StartFailed, hosted
from tests.metering.hosts import gateway
from tests.metering.stored import events_of
from tests.processes.servers import write_config
from tests.world import config

CUSTOMER = "X-NullSpend-Customer"
SECTION: dict[str, Any] = {
    "org": "org_1",
    "trusted_headers": ["x-nullspend-customer"],
    "prices": {"tiny-llama": {"input": 2.5, "cached_input": 1.25, "output": 10}},
}
# 1,000 plain and 200 cached tokens in, 350 out.
COST_NANODOLLARS = 2_500_000 + 250_000 + 3_500_000


@pytest.fixture
def config_file(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that ``NULLSPEND_MARGINS_CONFIG`` names."""
    path = write_config(
        tmp_path / "margins.toml", config(sqlite_url, "http://127.0.0.1:9", metering=SECTION)
    )
    monkeypatch.setenv("NULLSPEND_MARGINS_CONFIG", str(path))
    return path


@asynccontextmanager
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


def by_class_name(config_file: Path) -> tuple[FastAPI, Margins]:
    """As ``vllm serve --middleware nullspend_margins.MarginsMiddleware`` does it."""
    app = gateway("nullspend_margins.MarginsMiddleware")
    app.middleware_stack = app.build_middleware_stack()
    made = app.middleware_stack
    while not isinstance(made, MarginsMiddleware):
        made = made.app  # type: ignore[attr-defined]
    return app, made.margins


def mounted(config_file: Path) -> tuple[FastAPI, Margins]:
    margins = Margins.from_toml(config_file)
    app = gateway()
    app.mount("/billing", margins.app)
    app.add_middleware(MeteringMiddleware, margins=margins)
    return app, margins


def both(config_file: Path) -> tuple[FastAPI, Margins]:
    margins = Margins.from_toml(config_file)
    app = gateway()
    app.add_middleware(MeteringMiddleware, margins=margins)
    app.add_middleware(MarginsMiddleware, margins=margins)
    return app, margins


@pytest.mark.parametrize("make", [by_class_name, mounted, both])
async def test_calls_of_the_official_client_are_costs_of_the_right_customer(
    make: Any, config_file: Path
) -> None:
    app, margins = make(config_file)
    async with hosted(app) as url, client(url) as openai:
        asked: dict[str, Any] = {"model": "tiny-llama", "messages": [], "extra_headers": {}}
        asked["extra_headers"] = {CUSTOMER: "acme"}
        answer = await openai.chat.completions.create(**asked)
        assert answer.usage is not None
        stream = await openai.chat.completions.create(
            **asked, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[-1].usage is not None
        with pytest.raises(InternalServerError):
            await openai.chat.completions.create(**{**asked, "model": "broken"})
        found = await events_of(margins, 2)
    await margins.close()
    for event in found:
        assert (event["tag_value"], event["model"]) == ("acme", "tiny-llama")
        assert event["cost_nanodollars"] == COST_NANODOLLARS
        assert (event["input_tokens"], event["output_tokens"]) == (1200, 350)
        assert (event["cached_input_tokens"], event["reasoning_tokens"]) == (200, 50)
        assert "secret" not in str(event)


async def test_embeddings_responses_and_messages_are_metered_and_cost_headers_believed(
    config_file: Path,
) -> None:
    app, margins = mounted(config_file)
    async with hosted(app) as url, client(url) as openai:
        await openai.embeddings.create(model="embed", input="a", encoding_format="float")
        await openai.responses.create(model="tiny-llama", input="a")
        async for _event in await openai.responses.create(model="m", input="a", stream=True):
            pass
        await openai.post("/messages", cast_to=object, body={})
        await openai.completions.create(model="m", prompt="a")
        found = await events_of(margins, 5)
    await margins.close()
    assert [(each["model"], each["input_tokens"], each["output_tokens"]) for each in found] == [
        ("embed", 8, 0),
        ("tiny-llama", 30, 7),
        ("tiny-llama", 30, 7),
        ("tiny-claude", 165, 15),
        ("m", 0, 0),
    ]
    assert [each["reported_source"] for each in found] == [
        "unpriced",
        "configured",
        "configured",
        "unpriced",
        "header",
    ]
    assert found[-1]["cost_nanodollars"] == 12_345


async def test_a_stream_that_its_client_leaves_counts_with_the_usage_so_far(
    config_file: Path,
) -> None:
    app, margins = mounted(config_file)
    async with hosted(app) as url, client(url) as openai:
        stream = await openai.chat.completions.create(model="endless", messages=[], stream=True)
        await anext(aiter(stream))
        await stream.close()
        async with asyncio.timeout(10):
            await app.state.cancelled.wait()
        [event] = await events_of(margins, 1)
    await margins.close()
    assert (event["model"], event["input_tokens"]) == ("endless", 1200)


async def test_a_client_cannot_choose_whose_cost_it_is(config_file: Path) -> None:
    app, margins = mounted(config_file)
    spoofs = {"X-LiteLLM-Customer-Id": "victim", "X_NullSpend_Customer": "victim"}
    async with hosted(app) as url, client(url) as openai:
        asked: dict[str, Any] = {"model": "tiny-llama", "messages": []}
        await openai.chat.completions.create(**asked, extra_headers=spoofs)
        await openai.chat.completions.create(**asked, extra_headers={**spoofs, CUSTOMER: "acme"})
        found = await events_of(margins, 2)
    await margins.close()
    assert [event["tag_value"] for event in found] == ["", "acme"]
    for headers in app.state.seen:
        assert "victim" not in str(headers.raw)


async def test_a_metered_host_starts_and_counts_without_its_database(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    away = config("postgresql://u@127.0.0.1:1/none", "http://127.0.0.1:9", metering=SECTION)
    path = write_config(tmp_path / "margins.toml", away)
    app = gateway()
    margins = Margins.from_toml(path)
    app.add_middleware(MarginsMiddleware, margins=margins)
    async with hosted(app) as url, client(url) as openai:
        await openai.chat.completions.create(model="tiny-llama", messages=[])
        assert margins.recording.queued == 1
    assert "started without the database" in caplog.text
    [journal] = (tmp_path / "margins.journal").glob("*.jsonl")
    assert journal.read_bytes().count(b"tiny-llama") == 1


async def test_without_metering_a_host_does_not_start_without_its_database(tmp_path: Path) -> None:
    away = config("postgresql://u@127.0.0.1:1/none", "http://127.0.0.1:9")
    margins = Margins.from_toml(write_config(tmp_path / "margins.toml", away))
    with pytest.raises(StartFailed):
        async with hosted(MarginsMiddleware(gateway(), margins)):
            raise AssertionError("it started")


@pytest.mark.parametrize(
    ("metering", "message"),
    [
        (None, "NULLSPEND_MARGINS_CONFIG is not set"),
        ({"customer": "no_such_module:f", "org": "org_1"}, "no_such_module cannot be imported"),
    ],
)
async def test_a_class_added_by_its_name_stops_the_start_when_its_configuration_is_wrong(
    metering: dict[str, Any] | None,
    message: str,
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """FastAPI makes it within the start, where servers take an exception for no lifespan."""
    if metering is None:
        monkeypatch.delenv("NULLSPEND_MARGINS_CONFIG")
    else:
        write_config(
            config_file, config("sqlite:///none.db", "http://127.0.0.1:9", metering=metering)
        )
    with pytest.raises(StartFailed):
        async with hosted(gateway("nullspend_margins.MarginsMiddleware")):
            raise AssertionError("it started")
    assert message in caplog.text
    with pytest.raises(ConfigurationError, match=message):
        await MarginsMiddleware(gateway())({"type": "http"}, None, None)  # type: ignore[arg-type]


def test_a_class_that_meters_needs_an_org(sqlite_url: str) -> None:
    margins = Margins(config(sqlite_url, "http://127.0.0.1:9"))
    with pytest.raises(ConfigurationError, match=r"metering\.org: is missing"):
        MeteringMiddleware(gateway(), margins)
    with pytest.raises(ConfigurationError, match=r"metering\.org: is missing"):
        MarginsMiddleware(gateway(), margins, customer=lambda _scope: "acme")


def customer_of(scope: Any) -> str:
    """Named in the configuration below."""
    return str(dict(scope["headers"]).get(b"authorization", b"").decode())


async def test_the_function_named_in_the_configuration_is_asked(sqlite_url: str) -> None:
    section = {**SECTION, "customer": f"{__name__}:customer_of"}
    margins = Margins(config(sqlite_url, "http://127.0.0.1:9", metering=section))
    app = gateway()
    app.add_middleware(MarginsMiddleware, margins=margins)
    async with hosted(app) as url, client(url) as openai:
        await openai.chat.completions.create(model="tiny-llama", messages=[])
        [event] = await events_of(margins, 1)
    assert event["tag_value"] == "Bearer sk-test"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("no_such_module:f", "no_such_module cannot be imported"),
        (f"{__name__}:nope", "has no nope"),
        (f"{__name__}:SECTION", "is no function"),
    ],
)
def test_a_function_that_cannot_be_found_stops_the_start(
    sqlite_url: str, place: str, message: str
) -> None:
    section = {"org": "org_1", "customer": place}
    margins = Margins(config(sqlite_url, "http://127.0.0.1:9", metering=section))
    with pytest.raises(ConfigurationError, match=f"metering.customer: .*{message}"):
        MarginsMiddleware(gateway(), margins)
