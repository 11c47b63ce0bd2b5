"""A LiteLLM proxy as a process of its own, started by its command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import openai
import yaml

from tests.processes.servers import eventually, write_config

MASTER_KEY = "sk-master-key-of-the-tests-0123456789abcdef"
CRON_SECRET = "cron-secret-of-the-tests-0123456789"
CUSTOMER = "x-litellm-customer-id"
START_SECONDS = 300
"""A worker imports for a few seconds on a quiet machine, and for minutes on a busy one."""
_TIED = (sys.executable, str(Path(__file__).parents[1] / "processes" / "tied.py"))
_LITELLM = str(Path(sys.executable).with_name("litellm"))
_STARTED = "Application startup complete"

ANSWER = "A mock of an answer, in a few words."


def models(upstream: str) -> list[dict[str, Any]]:
    """Three that LiteLLM answers for itself, and one whose vendor is at ``upstream``."""
    mocks: dict[str, tuple[str, object]] = {
        "chat": ("openai/gpt-4o", ANSWER),
        "unpriced": ("openai/a-model-of-our-own", ANSWER),
        "embed": ("openai/text-embedding-3-small", [0.1, 0.2]),
    }
    found: list[dict[str, Any]] = [
        {
            "model_name": name,
            "litellm_params": {"model": model, "api_key": "none", "mock_response": answer},
        }
        for name, (model, answer) in mocks.items()
    ]
    vendor = {"model": "openai/gpt-4o", "api_key": "none", "api_base": upstream}
    return [*found, {"model_name": "vendor", "litellm_params": vendor}]


@dataclass
class Proxy:
    """A running proxy, and who asks it."""

    url: str
    process: asyncio.subprocess.Process
    log: list[str] = field(default_factory=list)

    def client(self, customer: str = "", key: str = MASTER_KEY) -> openai.AsyncOpenAI:
        headers = {CUSTOMER: customer} if customer else {}
        return openai.AsyncOpenAI(
            base_url=self.url, api_key=key, default_headers=headers, max_retries=0
        )

    async def get(self, path: str, key: str | None = MASTER_KEY, **headers: str) -> httpx.Response:
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
            return await http.get(f"{self.url}{path}", headers=headers)

    async def costs(self, key: str = MASTER_KEY) -> dict[str, tuple[int, int]]:
        """Tag value to microdollars and calls."""
        answer = (await self.get("/margins/api/margins/unmatched", key)).raise_for_status()
        return {
            row["tagValue"]: (row["totalCostMicrodollars"], row["requestCount"])
            for row in answer.json()["data"]["unmappedTagValues"]
        }

    async def costs_of(self, calls: int, key: str = MASTER_KEY) -> dict[str, tuple[int, int]]:
        """The same once ``calls`` calls are counted, or more: a call is not waited for."""

        async def ask() -> dict[str, tuple[int, int]] | None:
            found = await self.costs(key)
            return found if sum(count for _, count in found.values()) >= calls else None

        return await eventually(ask, f"{calls} calls are counted")

    async def terminate(self) -> None:
        """As a supervisor does it: SIGTERM, after which all workers end by themselves."""
        self.process.terminate()
        await asyncio.wait_for(self.process.wait(), START_SECONDS)


def written(
    folder: Path,
    *,
    by_callback: bool = True,
    upstream: str = "http://127.0.0.1:9",
    general: Mapping[str, Any] | None = None,
    plugin: Mapping[str, Any] | None = None,
    **litellm: Any,
) -> tuple[Path, Path]:
    """The two configuration files, the proxy's and the product's."""
    if by_callback:
        litellm["callbacks"] = "nullspend_margins_litellm.proxy.callback"
    config = {
        "model_list": models(upstream),
        "litellm_settings": litellm,
        "general_settings": general or {},
    }
    (folder / "proxy.yaml").write_text(yaml.safe_dump(config))
    tables = {
        "cron": {"secret": CRON_SECRET},
        "plans": {"orgs": {"org_1": "pro", "org_2": "pro"}},
        "plugins": {"litellm": {"org": "org_1", "trusted_headers": [CUSTOMER], **(plugin or {})}},
    }
    return folder / "proxy.yaml", write_config(folder / "margins.toml", tables)


@asynccontextmanager
async def running(
    files: tuple[Path, Path], port: int, *, workers: int = 1, by_hook: bool = False
) -> AsyncIterator[Proxy]:
    """``litellm --config proxy.yaml``, until all workers have started."""
    config, margins = files
    command = [*_TIED, _LITELLM, "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", str(workers)]
    # uvicorn ends a worker that imports for longer than five seconds.
    command += ["--timeout_worker_healthcheck", str(START_SECONDS)]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=_environment(margins, by_hook),
        cwd=config.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    proxy = Proxy(f"http://127.0.0.1:{port}", process)
    drain = None
    try:
        await asyncio.wait_for(_starts(proxy, workers), START_SECONDS)
        drain = asyncio.create_task(_read(proxy))
        yield proxy
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if drain is not None:
            await drain
        print("".join(proxy.log))  # shown when the test fails


def _environment(margins: Path, by_hook: bool) -> dict[str, str]:
    hook = {"LITELLM_WORKER_STARTUP_HOOKS": "nullspend_margins_litellm.proxy:install"}
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # prices from the package, not from the network
        "NULLSPEND_MARGINS_CONFIG": str(margins),
        **(hook if by_hook else {}),
    }


async def _starts(proxy: Proxy, workers: int) -> None:
    while workers:
        line = await _line(proxy)
        if not line:
            raise AssertionError("the proxy ended:\n" + "".join(proxy.log))
        workers -= _STARTED in line
    # uvicorn says so before it listens.
    await eventually(lambda: _listens(proxy), f"{proxy.url} listens")


async def _listens(proxy: Proxy) -> bool | None:
    url = httpx.URL(proxy.url)
    try:
        _, writer = await asyncio.open_connection(url.host, url.port)
    except OSError:
        return None
    writer.close()
    return True


async def _read(proxy: Proxy) -> None:
    while await _line(proxy):
        pass


async def _line(proxy: Proxy) -> str:
    assert proxy.process.stdout is not None
    line = (await proxy.process.stdout.readline()).decode(errors="replace")
    proxy.log.append(line)
    return line
