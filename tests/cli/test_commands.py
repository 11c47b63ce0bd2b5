"""The commands that do one thing and end."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nullspend_margins import Margins
from tests.cli.conftest import Run


def test_check_config_says_ok_and_makes_no_file(run: Run, config: Path) -> None:
    outcome = run("check-config", config)
    assert (outcome.status, outcome.out, outcome.err) == (0, "ok\n", "")
    assert [each.name for each in config.parent.iterdir()] == [config.name]


def test_check_config_names_every_key_that_is_wrong_those_of_plugins_too(
    run: Run, config: Path
) -> None:
    config.write_text(
        '[health]\nhelthy = 50\n[server]\nenvironment = "prod"\n[plugins.stripe]\napi_bas = "x"\n'
    )
    outcome = run("check-config", config)
    assert (outcome.status, outcome.out) == (1, "")
    lines = outcome.err.splitlines()
    assert len(lines) == 3
    assert all(str(config) in line for line in lines)
    for key, meant in (
        ("health.helthy", "health.healthy"),
        ("server.environment", "production"),
        ("plugins.stripe.api_bas", "plugins.stripe.api_base"),
    ):
        [line] = [line for line in lines if f"{key}:" in line]
        assert meant in line


_SHARED = 'secrets = ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]'


@pytest.mark.parametrize(
    ("environment", "url", "says"),
    [
        ("production", "http://hooks.example.com/", ["must start with https://"]),
        ("production", "ftp://hooks.example.com/", ["must start with https://"]),
        ("development", "ftp://hooks.example.com/", ["must start with https:// or http://"]),
        ("development", "https://100.64.0.7/", []),
        ("development", "https://10.1.0.7/", ["leads to an address that is not allowed"]),
    ],
)
def test_check_config_judges_urls_by_environment_and_networks_whatever_else_is_wrong(
    run: Run, config: Path, environment: str, url: str, says: list[str]
) -> None:
    config.write_text(
        f'[health]\nhelthy = 50\n[server]\nenvironment = "{environment}"\n'
        '[outbound]\nallow_networks = ["100.64.0.0/10"]\n'
        f'[plugins.webhook]\nurl = "{url}"\n{_SHARED}\n'
    )
    lines = run("check-config", config).err.splitlines()
    assert len([line for line in lines if "health.helthy:" in line]) == 1
    told = [line.split("plugins.webhook.url: ")[1] for line in lines if "webhook" in line]
    assert [line.split(":")[0] if "leads" in line else line for line in told] == says


def test_check_config_knows_plugins_that_do_not_exist(run: Run, config: Path) -> None:
    config.write_text("[plugins.strip]\nretry_seconds = 3\n")
    outcome = run("check-config", config)
    assert outcome.status == 1
    assert "plugins.strip:" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_check_config_wants_all_secrets_in_production(run: Run, config: Path) -> None:
    config.write_text('[server]\nenvironment = "production"\n')
    outcome = run("check-config", config)
    assert outcome.status == 1
    for key in ("session.secret_keys", "encryption.keys", "cron.secret"):
        assert f"{key}:" in outcome.err
    assert [each.name for each in config.parent.iterdir()] == [config.name]


def test_plugins_lists_name_distribution_version_origin_and_what_it_implements(
    run: Run, config: Path
) -> None:
    outcome = run("plugins", "--config", config)
    rows = [line.split("\t") for line in outcome.out.splitlines()]
    assert {row[0]: (row[1], row[3], row[4]) for row in rows} == {
        "csv": ("nullspend-margins", "installed", "revenue provider csv"),
        "litellm": ("nullspend-margins", "installed", "-"),
        "slack": ("nullspend-margins", "installed", "-"),
        "sql": ("nullspend-margins", "installed", "-"),
        "stripe": ("nullspend-margins", "installed", "revenue provider stripe"),
        "webhook": ("nullspend-margins", "installed", "-"),
        "sessions": ("nullspend-margins", "builtin", "authenticator sessions"),
        "plans": ("nullspend-margins", "builtin", "plan checker plans"),
        "local": ("nullspend-margins", "builtin", "cost source local"),
        "log": ("nullspend-margins", "builtin", "notifier log"),
    }
    assert all(row[2][0].isdigit() for row in rows)
    assert [each.name for each in config.parent.iterdir()] == [config.name]


def test_migrate_makes_the_tables_and_may_be_repeated(run: Run, config: Path) -> None:
    assert run("migrate", "--config", config).status == 0
    assert run("migrate", "--config", config).status == 0
    with closing(sqlite3.connect(config.parent / "margins.db")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert {"margins_cost_events", "margins_connections", "margins_mappings"} <= names


async def test_session_prints_a_cookie_that_the_product_accepts(run: Run, config: Path) -> None:
    outcome = run(
        "session", "--config", config, "--org", "org_1", "--user", "ada", "--role", "member"
    )
    assert outcome.status == 0
    [line] = outcome.out.splitlines()
    assert re.fullmatch(r"nullspend_session=[\w.-]+", line)
    margins = Margins.from_toml(config)
    async with margins.lifespan():
        services = await margins.services()
        access = await services.access.authenticate(
            {"type": "http", "headers": [(b"cookie", line.encode())]}
        )
    principal = access.principal
    assert (principal.org_id, principal.user_id, principal.role) == ("org_1", "ada", "member")


@pytest.mark.parametrize(
    ("org", "user", "role"), [("o", "u", "boss"), ("", "u", "admin"), ("o", "a\nb", "admin")]
)
def test_session_refuses_a_person_that_cannot_be(
    run: Run, config: Path, org: str, user: str, role: str
) -> None:
    outcome = run("session", "--config", config, "--org", org, "--user", user, "--role", role)
    assert (outcome.status, outcome.out) == (2, "")
    assert "Error:" in outcome.err


def test_a_key_is_printed_once_listed_by_its_prefix_and_revoked(run: Run, config: Path) -> None:
    created = run("keys", "create", "--config", config, "--org", "org_1")
    assert re.fullmatch(r"ns_live_sk_[0-9a-f]{32}\n", created.out)
    prefix = created.out[:19]

    def listed(org: str = "org_1") -> list[list[str]]:
        lines = run("keys", "list", "--config", config, "--org", org).out.splitlines()
        return [line.split("\t") for line in lines]

    [[_, shown, made, revoked]] = listed()
    assert (shown, revoked) == (prefix, "-")
    assert made.endswith("Z")
    assert listed("org_2") == []
    elsewhere = run("keys", "revoke", "--config", config, "--org", "org_2", prefix)
    assert elsewhere.status == 1
    assert prefix in elsewhere.err
    assert run("keys", "revoke", "--config", config, "--org", "org_1", prefix).status == 0
    [[_, _, _, revoked]] = listed()
    assert revoked.endswith("Z")


def test_no_key_is_made_for_an_org_that_cannot_be(run: Run, config: Path) -> None:
    """As of a script's variable that is not set."""
    outcome = run("keys", "create", "--config", config, "--org", "")
    assert (outcome.status, outcome.out) == (2, "")
    assert "must not be empty" in outcome.err


def test_a_key_that_is_given_whole_is_not_repeated(run: Run, config: Path) -> None:
    key = run("keys", "create", "--config", config, "--org", "org_1").out.strip()
    outcome = run("keys", "revoke", "--config", config, "--org", "org_1", key)
    assert outcome.status == 1
    assert "no active key" in outcome.err
    assert key not in outcome.err


def test_openapi_prints_the_document(run: Run) -> None:
    document = json.loads(run("openapi").out)
    assert document["openapi"].startswith("3.1")
    assert "/api/margins" in document["paths"]
