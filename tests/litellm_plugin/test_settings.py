"""`[plugins.litellm]`: what is wrong stops the start, and says so."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.routing import Route

from nullspend_margins import ConfigurationError, Margins
from nullspend_margins_litellm import proxy
from tests.docs.pages import ROOT
from tests.litellm_plugin.support import settings

TODAY = date(2026, 4, 5)
DATABASE = "postgresql://reader:hush@127.0.0.1/litellm"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"path": "margins"}, "path: must be a path"),
        ({"path": "/"}, "path: must be a path"),
        ({"trusted_headers": ["X-Tenant"]}, '"X-Tenant" is no name of a header in small letters'),
        ({"roles": {"team": "boss"}}, '"boss" is none of viewer, member, admin, owner'),
        ({"customer": "key"}, 'customer: must be one of "end_user"'),
        ({"database_url": "mysql://hush@h/d"}, "must be a URL that begins with postgresql://"),
        (
            {"database_url": f"{DATABASE}?sslmode=require&connection_limit=5"},
            "has connection_limit, which the proxy's own driver takes",
        ),
        ({"database_url": f"{DATABASE}?schema=llm"}, "write options=-csearch_path%3DNAME"),
        ({"org": ""}, "org: must be an org's id"),
        ({"orgs": {"team-red": " "}}, """orgs: "team-red" must be an org's id"""),
        ({"read_before": "April"}, "must be a day"),
        ({"read_before": "20260405"}, "must be a day"),
        ({"read_before": "2026-W14-7"}, "must be a day"),
        ({"org": None, "database_url": DATABASE}, "org is missing"),
        ({"read": "daily", "customer": "team_id"}, 'needs read = "spend_logs"'),
        ({"read": "daily", "orgs": {"t": "o"}}, 'orgs needs read = "spend_logs"'),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_with_its_key(table: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(**table)
    assert told in caught.value.message
    assert "hush" not in caught.value.message


def test_the_database_url_hides() -> None:
    assert "hush" not in repr(settings(database_url=DATABASE))


def test_daily_sums_beside_the_callback_would_count_twice() -> None:
    def problem(**table: Any) -> str | None:
        return settings(**table).problem_beside_the_callback(TODAY)

    assert problem() is None
    assert problem(database_url=DATABASE, read="spend_logs") is None
    assert problem(database_url=DATABASE, read_before="2026-04-05") is None
    for table in ({}, {"read": "daily"}, {"read_before": "2026-04-06"}):
        told = problem(database_url=DATABASE, **table)
        assert told is not None
        assert 'Set read_before = "2026-04-05"' in told


def test_a_proxy_whose_calls_belong_to_no_org_does_not_start() -> None:
    told = settings(org=None).problem_beside_the_callback(TODAY)
    assert told is not None
    assert told.startswith("plugins.litellm.org: is missing")


def test_a_path_of_the_proxy_is_not_taken_from_it() -> None:
    routes = [Route("/v1/models", print), Route("/ui", print), Route("/{provider}/{rest}", print)]
    for path in ("/v1", "/v1/models", "/ui"):
        with pytest.raises(ConfigurationError, match=f'path: "{path}" belongs to the proxy'):
            proxy.require_free(routes, path)
    for path in ("/margins", "/v1/margins", "/v", "/uix"):
        proxy.require_free(routes, path)


def test_nothing_configured_registers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the secrets of development are kept
    for table, names in (
        ({}, ["sessions", "local"]),
        ({"org": "o"}, ["litellm", "sessions", "local"]),
        ({"org": "o", "database_url": DATABASE}, ["litellm", "sessions", "litellm", "local"]),
    ):
        registry = Margins({"plugins": {"litellm": table}}).registry
        assert [each.name for each in (*registry.authenticators, *registry.cost_sources)] == names


def test_outside_of_litellm_the_install_says_what_to_install() -> None:
    with pytest.raises(ConfigurationError, match=r'pip install "litellm\[proxy\]"'):
        proxy.install()


def test_the_sample_of_a_proxys_configuration_names_the_callback() -> None:
    sample = yaml.safe_load((ROOT / "config" / "litellm.yaml").read_text("utf-8"))
    named = sample["litellm_settings"]["callbacks"]
    assert named == f"{proxy.__name__}.callback"
