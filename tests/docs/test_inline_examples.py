"""Examples that stand within a line of the docs are run."""

from __future__ import annotations

import shlex
import sqlite3
import subprocess
import tomllib
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from nullspend_margins import Margins, Period, PluginContext, hookimpl, testing
from tests.docs.hosts import get
from tests.docs.pages import ROOT, read
from tests.docs.sandbox import module_of, plugin_modules
from tests.docs.taken import taken, taken_inline
from tests.world import world

KEYS = {
    taken_inline("configuration.md", "openssl rand -base64 48"): ("session", "secret_keys"),
    taken_inline("configuration.md", "openssl rand -base64 32"): ("encryption", "keys"),
    taken_inline("configuration.md", "openssl rand -hex 32"): ("cron", "secret"),
}
"""How to make a secret, and what it is for."""
MAPPING = taken_inline("configuration.md", 'Margins({"plans": {"orgs": {"org_1": "pro"}}})')
WEBHOOK_SECRET = taken_inline("alerts.md", 'echo "whsec_$(openssl rand -base64 32)"')
FROM_THE_HOST = [
    taken_inline(
        "README.md", 'Margins.from_toml("margins.toml", plugins=[MySessions(), MyPlans()])'
    ),
    taken_inline(
        "plugins.md", 'Margins.from_toml("margins.toml", plugins=[my_module, MyPlugin()])'
    ),
]
MOUNT = taken_inline("dashboard.md", 'app.mount("/billing", margins.app)')
IN_TEMPLATES = {
    taken_inline("dashboard.md", 'may("admin")'): "True",
    taken_inline("dashboard.md", 'provider_title("stripe")'): "Stripe",
    taken_inline("dashboard.md", 'links.api("/api/margins")'): "/api/margins",
    taken_inline("dashboard.md", 'asset("dashboard.css")'): "/margins/assets/dashboard",
}
"""What a template may say, and how what it gives begins."""
PARSE = taken_inline("plugins.md", 'Period.parse("2026-04")')
CONTEXT = taken_inline(
    "plugins.md", 'PluginContext(name="acme", table={"url": "https://acme.example.com"})'
)
UNIX_TIME = taken_inline("sql-source.md", "datetime(used_at, 'unixepoch') AS used_at")
ADVANCE = taken_inline("testing-plugins.md", "advance(hours=2)")
ASGI_SERVICE = taken_inline(
    "testing-plugins.md", "FakeService(httpx.ASGITransport(app).handle_async_request)"
)
EXTRAS = [
    taken_inline("README.md", "pip install -e '.[docs]'"),
    taken_inline("metering.md", 'pip install "nullspend-margins[prices]"'),
    taken_inline("sql-source.md", 'pip install "nullspend-margins[postgres]"'),
]
[OPENAI] = taken("python", page="litellm.md")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "margins.toml").write_text("")
    return tmp_path


def run(command: str) -> str:
    done = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True)
    return done.stdout.strip().replace("\n", "")


def in_production(**made: str) -> Margins:
    """Good, unless one of these secrets is not."""
    config: dict[str, Any] = {"server": {"environment": "production"}}
    for command, (section, key) in KEYS.items():
        secret = made.get(section) or run(command)
        config[section] = {key: [secret] if key.endswith("keys") else secret}
    return Margins(config)


def test_the_commands_that_make_secrets_make_what_production_takes(folder: Path) -> None:
    assert in_production()


def test_the_comments_of_the_configuration_to_start_from_make_secrets(folder: Path) -> None:
    text = (ROOT / "config/embedded.toml").read_text("utf-8")
    session, encryption = [
        line.partition(": ")[2] for line in text.splitlines() if line.startswith("# Make one: ")
    ]
    assert in_production(session=run(session), encryption=run(encryption))


def test_the_command_makes_a_secret_for_webhooks(folder: Path) -> None:
    table = {"url": "https://hooks.example.com/x", "secrets": [run(WEBHOOK_SECRET)]}
    assert Margins({"plugins": {"webhook": table}})


def test_a_mapping_is_a_configuration(folder: Path) -> None:
    made = eval(MAPPING, {"Margins": Margins})  # noqa: S307 - the page's
    assert made.config.plans.orgs == {"org_1": "pro"}


@pytest.mark.parametrize("example", FROM_THE_HOST)
def test_a_host_passes_plugins(example: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Plugin:
        @hookimpl
        def register_notifiers(self) -> list[object]:
            return []

    sessions, plans = taken("python", page="README.md")[2:]
    names = {
        "Margins": Margins,
        "my_module": module_of(plugin_modules()["acme_tokens"], "my_module", monkeypatch),
        "MyPlugin": Plugin,
        **vars(module_of(sessions, "sessions", monkeypatch)),
        **vars(module_of(plans, "plans", monkeypatch)),
    }
    assert eval(example, names)  # noqa: S307 - the page's


async def test_the_dashboard_is_below_the_mount_point(folder: Path) -> None:
    app, margins = FastAPI(), Margins({})
    eval(MOUNT, {"app": app, "margins": margins})  # noqa: S307 - the page's
    async with margins.lifespan():
        assert (await get(app, "/billing/margins")).status_code == 401


async def test_templates_may_say_what_the_page_says(sqlite_url: str, folder: Path) -> None:
    pages = folder / "pages"
    pages.mkdir()
    (pages / "failed.html").write_text("".join(f"{{{{ {each} }}}}\n" for each in IN_TEMPLATES))

    class Pages:
        @hookimpl
        def register_templates(self) -> list[Path]:
            return [pages]

    async with world(sqlite_url, plugins=[Pages()]) as here:
        shown = await here.call("GET", "/margins", params={"period": "never"})
    for line, begins in zip(shown.text.splitlines(), IN_TEMPLATES.values(), strict=True):
        assert line.startswith(begins)


def test_small_calls_of_the_plugin_pages(folder: Path) -> None:
    assert eval(PARSE) == Period(2026 * 12 + 3)  # noqa: S307 - the page's
    context = eval(CONTEXT)  # noqa: S307 - the page's
    assert isinstance(context, PluginContext)
    assert context.table == {"url": "https://acme.example.com"}
    clock = testing.FixedClock()
    before = clock.now()
    eval(f"clock.{ADVANCE}", {"clock": clock})  # noqa: S307 - the page's
    assert clock.now() - before == timedelta(hours=2)


async def test_an_asgi_app_is_a_service() -> None:
    app = FastAPI()
    app.add_api_route("/hello", lambda: "welcome")
    names = {"FakeService": testing.FakeService, "httpx": httpx, "app": app}
    service = eval(ASGI_SERVICE, names)  # noqa: S307 - the page's
    answer = await service.context("acme", {}).http.get("https://anything.example.com/hello")
    assert answer.json() == "welcome"


def test_the_sql_makes_a_time_of_unix_seconds() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        [[time]] = connection.execute(
            f"SELECT {UNIX_TIME} FROM (SELECT 1775383200 AS used_at)"  # noqa: S608
        )
    assert time == "2026-04-05 10:00:00"


@pytest.mark.parametrize("command", EXTRAS)
def test_the_extras_that_are_installed_exist(command: str) -> None:
    [target] = [word for word in shlex.split(command) if "[" in word]
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    name, _, extra = target.removesuffix("]").partition("[")
    assert name in (".", project["name"])
    assert extra in project["optional-dependencies"]


def test_the_openai_client_tells_the_proxy_whose_call_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = module_of(OPENAI, "client", monkeypatch).client
    seen: list[httpx.Request] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"choices": []})

    with httpx.Client(transport=httpx.MockTransport(answers)) as http:
        client.copy(http_client=http).chat.completions.create(model="gpt-4o", messages=[])
    assert seen[0].url == "http://127.0.0.1:4000/v1/chat/completions"
    assert seen[0].headers["x-litellm-customer-id"] == "delta-llc"
    client.close()
