"""Every example of docs/metering.md is run."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from nullspend_margins import Margins
from tests.docs.sandbox import module_of
from tests.docs.taken import taken
from tests.metering.stored import events_of

PAGE = "metering.md"
PROXY, WRAPPED = taken("python", page=PAGE)
[COMMAND] = taken("text", page=PAGE)
[VLLM_TABLE] = taken("toml", page=PAGE, having="Llama")
[PROXY_TABLE] = taken("toml", page=PAGE, having="my-model")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the page's configuration of a proxy."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "margins.toml").write_text(PROXY_TABLE.text)
    return tmp_path


async def call(app: Any, path: str = "/v1/chat/completions") -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": "Bearer key-of-acme", "X-NullSpend-Customer": "other"}
    async with httpx.AsyncClient(transport=transport, base_url="http://host.test") as client:
        return await client.post(path, headers=headers)


async def event_of(host: ModuleType, margins: Margins) -> dict[str, Any]:
    """The one event of a call."""
    async with margins.lifespan():
        assert (await call(host.app)).status_code == 200
        [event] = await events_of(margins, 1)
    return event


async def test_the_proxy_shown_counts_for_the_customer_of_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = module_of(PROXY, "host", monkeypatch)
    event = await event_of(host, host.margins)
    assert (event["tag_value"], event["tags"]) == ("acme", {"team": "search"})
    assert event["cost_nanodollars"] == 3_000_000 + 3_500_000


async def test_the_wrapped_app_is_metered(monkeypatch: pytest.MonkeyPatch) -> None:
    host = module_of(WRAPPED, "host", monkeypatch)
    event = await event_of(host, host.app.margins)
    assert (event["tag_value"], event["cost_nanodollars"]) == ("", 2_500_000)


async def test_the_command_for_vllm_names_a_middleware_that_meters(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = COMMAND.text.replace("\\\n", " ").split()
    variable, _, file = words[0].partition("=")
    (folder / file).write_text(VLLM_TABLE.text)
    monkeypatch.setenv(variable, str(folder / file))
    module, _, name = words[words.index("--middleware") + 1].rpartition(".")
    app = FastAPI()
    app.add_middleware(getattr(import_module(module), name))
    app.add_api_route("/v1/chat/completions", lambda: {"usage": {}}, methods=["POST"])
    assert (await call(app)).status_code == 200
    assert words[3] in Margins.from_toml(folder / file).config.metering.prices
    assert list((folder / "margins.journal").glob("*.jsonl"))
