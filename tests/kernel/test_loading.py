"""Plugins are found, asked in order, and frozen."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import httpx
import pytest

from nullspend_margins import PluginContext, hookimpl
from nullspend_margins.builtin.local_costs import LocalCostStore
from nullspend_margins.builtin.sessions import SignedSessionAuthenticator
from nullspend_margins.config import load_config
from nullspend_margins.errors import ConfigurationError, PluginError
from nullspend_margins.plugins import load_plugins

from .support import (
    AddsUp,
    Earns,
    Pays,
    Pulls,
    Registers,
    Tells,
    Who,
    configured,
    install,
    load,
    module,
    names,
    refusal,
)

ACME = """
from nullspend_margins import hookimpl, Principal

class Acme:
    name = "acme"
    async def authenticate(self, scope):
        return None

@hookimpl
def register_authenticators(context):
    return [Acme()]
"""


def test_without_plugins_the_built_in_ones_do_everything() -> None:
    registry = load(disabled=[])
    assert isinstance(registry.authenticators[-1], SignedSessionAuthenticator)
    assert names(registry.plan_checkers) == ["plans"]
    assert isinstance(registry.cost_sources[0], LocalCostStore)
    assert names(registry.notifiers) == ["log"]
    builtin = [each for each in registry.loaded if each.origin == "builtin"]
    assert [(each.name, each.provides) for each in builtin] == [
        ("sessions", ("authenticator sessions",)),
        ("plans", ("plan checker plans",)),
        ("local", ("cost source local",)),
        ("log", ("notifier log",)),
    ]
    assert {each.distribution for each in builtin} == {"nullspend-margins"}


def test_the_host_is_asked_first_then_the_installed_then_the_built_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "acme-plugin", {"acme": "acme_mod"}, {"acme_mod": ACME}, monkeypatch)
    registry = load(Who("second"), Who("first"))
    assert names(registry.authenticators) == ["second", "first", "acme", "sessions"]
    acme = next(each for each in registry.loaded if each.name == "acme")
    assert (acme.origin, acme.distribution, acme.version) == ("installed", "acme-plugin", "1.0")


def test_order_moves_plugins_to_the_front_and_disabled_takes_them_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "acme-plugin", {"acme": "acme_mod"}, {"acme_mod": ACME}, monkeypatch)
    registry = load(Who(), order=["sessions", "acme"])
    assert names(registry.authenticators) == ["sessions", "acme", "who"]
    registry = load(Who(), disabled=["acme", "sessions"])
    assert names(registry.authenticators) == ["who"]


def test_a_disabled_plugin_is_not_even_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"broken_mod": "raise RuntimeError('imported')"}
    install(tmp_path, "broken-plugin", {"broken": "broken_mod"}, broken, monkeypatch)
    assert load(disabled=["broken"], broken={"left": "over"})
    assert "RuntimeError: imported" in refusal()


@pytest.mark.parametrize(
    ("thing", "kind", "field"),
    [
        (Who(), "authenticator", "authenticators"),
        (Pays(), "plan checker", "plan_checkers"),
        (Pulls(), "cost source", "cost_sources"),
        (AddsUp(), "cost source", "cost_sources"),
        (Tells(), "notifier", "notifiers"),
    ],
)
def test_a_bare_object_is_registered_for_what_it_implements(
    thing: Who, kind: str, field: str
) -> None:
    registry = load(thing)
    assert getattr(registry, field)[0] is thing
    assert registry.loaded[0].provides == (f"{kind} {thing.name}",)


def test_a_bare_revenue_provider_is_found_by_its_name() -> None:
    thing = Earns()
    assert load(thing).revenue_providers["earns"] is thing


def test_bare_objects_of_different_kinds_may_share_a_name() -> None:
    who, pays = Who("acme"), Pays()
    pays.name = "acme"
    registry = load(who, pays)
    assert registry.authenticators[0] is who
    assert registry.plan_checkers[0] is pays


def test_modules_and_objects_with_hooks_are_plugins_alike() -> None:
    class Billing:
        @hookimpl
        def register_plan_checkers(self) -> list[Pays]:
            return [Pays()]

    registry = load(module("host.billing.acme", ACME), Billing())
    assert [each.name for each in registry.loaded[:2]] == ["acme", "Billing"]
    assert names(registry.plan_checkers) == ["pays", "plans"]


def test_an_object_that_cannot_be_hashed_is_a_plugin_too() -> None:
    @dataclass
    class Unhashable:
        plugin_name: str = "mine"

        @hookimpl
        def register_notifiers(self, context: PluginContext) -> list[Tells]:
            assert context.name == "mine"
            return [Tells()]

    assert names(load(Unhashable()).notifiers) == ["tells", "log"]


def test_the_registry_is_frozen() -> None:
    registry = load()
    with pytest.raises(FrozenInstanceError):
        registry.notifiers = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        registry.revenue_providers["x"] = Earns()  # type: ignore[index]


def test_two_apps_share_nothing() -> None:
    assert names(load(Who()).authenticators)[0] == "who"
    assert "who" not in names(load().authenticators)


@dataclass(frozen=True)
class Settings:
    url: str = "https://acme.example"
    retries: int = 3


class ReadsSettings:
    plugin_name = "acme"

    @hookimpl
    def register_notifiers(self, context: PluginContext) -> list[object]:
        self.context = context
        self.settings = context.settings(Settings)
        return []


def test_a_plugin_reads_its_own_table() -> None:
    plugin = ReadsSettings()
    load(plugin, acme={"retries": 5})
    assert plugin.settings == Settings(retries=5)
    assert plugin.context.table == {"retries": 5}
    assert plugin.context.environment == "development"


def test_a_mistake_in_a_plugins_table_is_named_by_file_and_key(tmp_path: Path) -> None:
    file = tmp_path / "margins.toml"
    file.write_text("[plugins.acme]\nretrys = 5\nurl = 3\n")
    config = load_config(file, keep_secrets=False)
    with pytest.raises(ConfigurationError) as caught:
        load_plugins(config, extra=[ReadsSettings()])
    assert caught.value.message.splitlines() == [
        f"{file}: plugins.acme.retrys: there is no such key. Did you mean plugins.acme.retries?",
        f"{file}: plugins.acme.url: must be a string, not a whole number. Put it in quotes",
    ]


async def test_the_http_client_is_the_running_apps() -> None:
    client = httpx.AsyncClient()
    plugin = ReadsSettings()
    load_plugins(configured(), extra=[plugin], http=lambda: client)
    assert plugin.context.http is client
    await client.aclose()
    with pytest.raises(RuntimeError, match="there is no HTTP client here"):
        PluginContext(name="alone").http  # noqa: B018


def test_a_context_of_a_test_needs_only_a_name() -> None:
    context = PluginContext(name="acme", table={"retries": 1})
    assert context.settings(Settings).retries == 1
    assert context.clock.now().tzinfo is not None
    assert repr(context) == "PluginContext(name='acme', environment='development')"


def test_plugins_must_be_a_list() -> None:
    for wrong in ("acme", Who()):
        with pytest.raises(PluginError, match=r"plugins must be a list.*plugins=\[\.\.\.\]"):
            load_plugins(configured(), extra=wrong)  # type: ignore[arg-type]


def test_a_hook_may_return_a_tuple_or_an_empty_list() -> None:
    assert names(load(Registers("register_notifiers", (Tells(),))).notifiers) == ["tells", "log"]
    assert names(load(Registers("register_notifiers", [])).notifiers) == ["log"]
