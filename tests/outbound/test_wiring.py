"""From ``[outbound]`` to a plugin's hands."""

from __future__ import annotations

from pathlib import Path

import pytest

from nullspend_margins import ConfigurationError, Margins, Outbound, PluginContext, hookimpl
from nullspend_margins.config import config_from_mapping
from tests.world import CRON_SECRET, ENCRYPTION_KEY, SESSION_KEY

PRODUCTION = {
    "server": {"environment": "production"},
    "session": {"secret_keys": [SESSION_KEY]},
    "encryption": {"keys": [ENCRYPTION_KEY]},
    "cron": {"secret": CRON_SECRET},
}


class Curious:
    """A plugin that keeps what it is given."""

    outbound: Outbound

    @hookimpl
    def register_notifiers(self, context: PluginContext) -> list[object]:
        self.outbound = context.outbound
        return []


def handed(tmp_path: Path, **tables: object) -> Outbound:
    plugin = Curious()
    Margins({"database": {"url": f"sqlite:///{tmp_path}/m.db"}, **tables}, plugins=[plugin])
    return plugin.outbound


def test_development_reaches_this_machine_and_production_does_not(tmp_path: Path) -> None:
    assert handed(tmp_path).url_problem("http://127.0.0.1/") is None
    assert "loopback" in (handed(tmp_path, **PRODUCTION).url_problem("https://127.0.0.1/") or "")
    assert handed(tmp_path, **PRODUCTION).url_problem("http://hooks.example.com/") == (
        "must start with https://"
    )


def test_the_operator_decides_in_either(tmp_path: Path) -> None:
    own = {"outbound": {"allow_networks": ["10.1.0.0/16"]}}
    for outbound in (handed(tmp_path, **own), handed(tmp_path, **PRODUCTION, **own)):
        assert outbound.url_problem("https://10.1.0.1/") is None
        assert "loopback" in (outbound.url_problem("https://127.0.0.1/") or "")


def test_a_network_that_is_none_stops_the_start_and_names_the_key() -> None:
    with pytest.raises(ConfigurationError) as refused:
        config_from_mapping({"outbound": {"allow_networks": ["10.1.0.0/99"]}})
    wanted = 'outbound.allow_networks: "10.1.0.0/99" is not a network.'
    assert wanted in refused.value.message


def test_a_plugin_without_an_app_is_told_how_to_get_a_client() -> None:
    with pytest.raises(RuntimeError, match=r"PluginContext\(name=..., outbound=client\)"):
        _ = PluginContext(name="acme").outbound
