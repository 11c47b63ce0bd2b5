"""The configuration file: read, referenced, checked as a whole."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from nullspend_margins.config import (
    Config,
    DatabaseSettings,
    ServerSettings,
    config_from_mapping,
    database_url,
    finish_config,
    load_config,
    reference_rows,
)
from nullspend_margins.errors import ConfigurationError

from .support import ENCRYPTION_KEY, problems, write

EXAMPLES = Path(__file__).parents[2] / "config"
EXAMPLE_FILES = ("embedded.toml", "litellm.toml", "postgresql.toml", "vllm.toml")


def test_an_empty_file_is_a_whole_configuration(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""))
    assert config.database.url == f"sqlite:///{tmp_path}/margins.db"
    assert config.plans.required == "pro"
    assert config.health.thresholds.healthy == 50
    assert config.session.secret_keys
    assert len(config.encryption.key_bytes[0]) == 32
    assert config.cron.secret is not None


def test_a_relative_database_starts_at_the_files_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    file = write(tmp_path / "etc", '[database]\nurl = "sqlite:///data/m.db"')
    monkeypatch.chdir(tmp_path)
    config = load_config("etc/margins.toml")
    assert config.database.url == f"sqlite:///{tmp_path}/etc/data/m.db"
    assert config.path == file


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sqlite:////var/m.db", "sqlite:////var/m.db"),
        ("sqlite+pysqlite:////var/m.db", "sqlite:////var/m.db"),
        ("postgresql://u@h/n", "postgresql://u@h/n"),
        ("postgresql+psycopg://u:p%40@h:5432/n", "postgresql://u:p%40@h:5432/n"),
        ("postgres://u@h/n", "postgresql://u@h/n"),
    ],
)
def test_database_urls_lose_driver_and_alias(tmp_path: Path, written: str, read: str) -> None:
    mapping = {"database": {"url": written}}
    assert config_from_mapping(mapping, base=tmp_path, keep_secrets=False).database.url == read


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://h/n", "must start with sqlite:/// or postgresql://"),
        ("margins.db", "must start with sqlite:/// or postgresql://"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://margins.db", "needs three slashes before a file: sqlite:///margins.db"),
        ("sqlite:///m.db?mode=ro", "has the option 'mode', and SQLite URLs take none here"),
        ("sqlite:////var/m.db?key=pass@word&x=1", "has the option 'key'"),
        ("postgresql://u@h", "names no database: postgresql://user@host/name"),
        ("postgresql://u:pass@word@h:x/n", "is no URL: a password with special characters"),
    ],
)
def test_a_wrong_database_url_is_explained_without_repeating_it(
    tmp_path: Path, url: str, message: str
) -> None:
    (found,) = problems(write(tmp_path, f'[database]\nurl = "{url}"'))
    assert found.startswith(f"database.url: {message}")
    assert "pass@word" not in found


def test_numbers_with_decimals_are_exact(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, "[health]\nhealthy = 33.3"))
    assert config.health.healthy == Decimal("33.3")
    assert config.health.thresholds.healthy == Fraction(333, 10)


def test_toml_1_1_is_read(tmp_path: Path) -> None:
    text = 'dashboard = {\n  name = "\\x4dargins",  # a line each\n  locale = "de",\n}\n'
    config = load_config(write(tmp_path, text))
    assert (config.dashboard.name, config.dashboard.locale) == ("Margins", "de")


def test_strings_come_from_the_environment_and_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOKIE", "acme_session")
    monkeypatch.setenv("POOL", "3")
    (tmp_path / "key.txt").write_text("from-a-file\n")
    text = """
        [session]
        cookie_name = "env:COOKIE"
        secret_keys = ["file:key.txt"]
        [database]
        pool_size = "env:POOL"
        [plugins.acme]
        deep = [{ token = "env:COOKIE" }]
    """
    config = load_config(write(tmp_path, text))
    assert config.session.cookie_name == "acme_session"
    assert config.session.secret_keys[0].reveal() == "from-a-file"
    assert config.database.pool_size == 3
    assert config.plugins.tables["acme"]["deep"] == [{"token": "acme_session"}]


def test_a_reference_that_leads_nowhere_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLLOW", "")
    text = """
        [session]
        cookie_name = "env:NOWHERE"
        [plans]
        upgrade_url = "env:HOLLOW"
        [plugins.acme]
        tokens = ["file:none.txt"]
    """
    assert problems(write(tmp_path, text)) == [
        "session.cookie_name: the environment variable NOWHERE is not set",
        "plans.upgrade_url: the environment variable HOLLOW is empty",
        (
            f"plugins.acme.tokens[0]: the file {tmp_path}/none.txt cannot be read: "
            "No such file or directory"
        ),
    ]


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = """
        environment = "production"
        [server]
        enviroment = "production"
        prefix = "billing/"
        [helth]
        healthy = 1
        [health]
        healthy = 10
        [plans.orgs]
        org_1 = "por"
        [plugins]
        oder = []
        stripe = 1
    """
    assert problems(write(tmp_path, text)) == [
        "environment: there is no such table. Did you mean server.environment?",
        "server.enviroment: there is no such key. Did you mean server.environment?",
        (
            "server.prefix: must be empty or a path like /billing, with no / at its end; "
            "write /billing"
        ),
        "helth: there is no such table. Did you mean health?",
        (
            "health: healthy must be at least moderate, and moderate at least at_risk; these are "
            "10, 20 and 0"
        ),
        (
            'plans.orgs.org_1: must be one of "free", "pro", "enterprise"; "por" is not. '
            "Did you mean pro?"
        ),
        "plugins.oder: must be the table of a plugin, [plugins.oder]. Did you mean plugins.order?",
        "plugins.stripe: must be the table of a plugin, [plugins.stripe]",
    ]


def test_postgresql_without_its_driver_stops_the_start_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, '[database]\nurl = "postgresql://u@h/n"')
    monkeypatch.setattr(database_url, "find_spec", lambda _name: None)
    assert problems(file) == [
        'database.url: needs psycopg: pip install "nullspend-margins[postgres]"'
    ]


def test_a_plugins_table_that_lost_its_place_is_guessed(tmp_path: Path) -> None:
    (found,) = problems(write(tmp_path, '[litellm]\norg = "org_1"'))
    assert found.endswith(" A plugin's is [plugins.litellm].")


def test_what_is_no_toml_is_located(tmp_path: Path) -> None:
    (found,) = problems(write(tmp_path, "[server\n"))
    assert found.startswith("is not TOML: ")
    assert "line 1" in found


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.toml") == ["cannot be read: No such file or directory"]
    file = tmp_path / "latin.toml"
    file.write_bytes(b"# caf\xe9")
    assert problems(file) == ["is not UTF-8 text"]


def test_a_configuration_made_in_python_is_finished_the_same_way(tmp_path: Path) -> None:
    config = finish_config(Config(), base=tmp_path)
    assert config.database.url == f"sqlite:///{tmp_path}/margins.db"
    assert config.session.secret_keys
    assert finish_config(config) == config
    with pytest.raises(ConfigurationError, match=r"cron\.secret: is missing"):
        finish_config(Config(server=ServerSettings(environment="production")))
    with pytest.raises(ConfigurationError, match=r"database\.url: must start"):
        finish_config(Config(database=DatabaseSettings(url="oracle://x")))


@pytest.mark.parametrize("name", EXAMPLE_FILES)
def test_the_example_files_load_when_their_variables_are_set(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARGINS_SESSION_KEY", "s" * 32)
    monkeypatch.setenv("MARGINS_ENCRYPTION_KEY", ENCRYPTION_KEY)
    monkeypatch.setenv("MARGINS_CRON_SECRET", "c" * 16)
    monkeypatch.setenv("MARGINS_DATABASE_URL", "postgresql+psycopg://u:p@h/n")
    assert load_config(EXAMPLES / name).is_production


@pytest.mark.parametrize("name", EXAMPLE_FILES)
def test_the_examples_commented_keys_exist_and_show_their_defaults(name: str) -> None:
    rows = {row.key: row.default for row in reference_rows()}
    section = ""
    for line in (EXAMPLES / name).read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]").partition("]")[0]
        elif (
            line.startswith("# ")
            and " = " in line
            and section != "plans.orgs"
            and not section.startswith("plugins.")
        ):
            key, _, value = line.removeprefix("# ").partition(" = ")
            default = rows[f"{section}.{key}"]
            assert value.partition("#")[0].strip() == (default or value.partition("#")[0].strip())


def test_every_key_has_a_row_in_the_reference() -> None:
    rows = reference_rows()
    keys = {row.key for row in rows}
    assert {"server.environment", "cron.secret", "plugins.order", "health.at_risk"} <= keys
    assert all(row.help.endswith((".", "`")) for row in rows)
    by_key = {row.key: row for row in rows}
    assert by_key["health.healthy"][1:3] == ("a number, at most 100", "50")
    assert by_key["cron.time_budget_seconds"].unit == "seconds"
    assert by_key["session.secret_keys"].default == "[]"
