"""From a TOML file to a checked ``Config``: every problem at once, each with its key."""

from __future__ import annotations

import dataclasses
import logging
import os
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import tomli

from nullspend_margins.config.database_url import absolute_url, sqlite_file
from nullspend_margins.config.development import generate, kept_secrets, secrets_file
from nullspend_margins.config.model import Config, PluginSettings
from nullspend_margins.config.nearest import nearest, suggestion
from nullspend_margins.config.references import resolve
from nullspend_margins.config.secret import Secret
from nullspend_margins.config.sections import number_from_toml, read_section
from nullspend_margins.config.values import (
    cron_secret_problem,
    encryption_key_problem,
    session_key_problem,
)
from nullspend_margins.errors import ConfigurationError

_log = logging.getLogger("nullspend_margins.config")

_SECRET_KEYS = (("session", "secret_keys"), ("encryption", "keys"), ("cron", "secret"))


def load_config(path: str | os.PathLike[str], *, keep_secrets: bool = True) -> Config:
    """Read the TOML file at ``path``.

    Secrets missing in development are generated and kept beside the database; with
    ``keep_secrets=False`` they are generated for this ``Config`` alone and no file is written.
    Raises ``ConfigurationError`` with every problem, one a line: file, key, what is wrong.
    """
    file = Path(path).absolute()
    return config_from_mapping(_read_toml(file), path=file, keep_secrets=keep_secrets)


def load_plugin_tables(path: str | os.PathLike[str]) -> Config:
    """The tables of plugins, and what their URLs are judged by: environment and ``[outbound]``.

    For telling what is wrong with them where another table is wrong, too. Writes no file. Raises
    ``ConfigurationError``.
    """
    file = Path(path).absolute()
    mapping = _read_toml(file)
    tables = {name: table for name, table in mapping.items() if name in ("plugins", "outbound")}
    config = config_from_mapping(tables, path=file, keep_secrets=False)
    if not _names_production(mapping, file.parent):
        return config
    return dataclasses.replace(
        config, server=dataclasses.replace(config.server, environment="production")
    )


def _read_toml(file: Path) -> Mapping[str, object]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        raise ConfigurationError(f"{file}: cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise ConfigurationError(f"{file}: is not UTF-8 text") from problem
    try:
        return tomli.loads(text, parse_float=number_from_toml)
    except tomli.TOMLDecodeError as problem:
        raise ConfigurationError(f"{file}: is not TOML: {problem}") from problem


def config_from_mapping(
    mapping: Mapping[str, object],
    *,
    base: Path | None = None,
    path: Path | None = None,
    keep_secrets: bool = True,
) -> Config:
    """The same from a mapping shaped like the file.

    Relative files start at ``base``: by default the folder of ``path``, without a ``path`` the
    working directory.
    """
    base = (base or (path.parent if path is not None else Path())).absolute()
    optional = () if _names_production(mapping, base) else _SECRET_KEYS
    resolved, missing = resolve(mapping, base, optional=optional)
    problems = [f"{each.key}: {each.problem}" for each in missing if each.path[:2] not in optional]
    found: list[str] = []
    config = _read(resolved, path, found)
    problems += _unmentioned(found, problems)
    problems += _unmentioned(_problems_of(config, base), problems)
    if problems:
        raise ConfigurationError(_listed(problems, path))
    for each in missing:
        _log.warning("%s: %s; a generated one takes its place", each.key, each.problem)
    return finish_config(config, base=base, keep_secrets=keep_secrets)


def finish_config(config: Config, *, base: Path | None = None, keep_secrets: bool = True) -> Config:
    """``config`` checked as a whole, with an absolute database file and with all its secrets.

    For a ``Config`` written in Python; changes nothing in one that was loaded.
    """
    base = (base or (config.path.parent if config.path is not None else Path())).absolute()
    problems = _problems_of(config, base)
    if problems:
        raise ConfigurationError(_listed(problems, config.path))
    url = absolute_url(config.database.url, base)
    located = dataclasses.replace(
        config,
        database=dataclasses.replace(config.database, url=url),
        recording=dataclasses.replace(config.recording, folder=journal_folder(config, url, base)),
        dashboard=dataclasses.replace(config.dashboard, logo=_logo(config, base)),
    )
    return _with_secrets(located, base, keep_secrets)


def journal_folder(config: Config, url: str, base: Path) -> Path:
    """``[recording] folder``, absolute."""
    if config.recording.folder is not None:
        return base / config.recording.folder
    neighbour = sqlite_file(url) or config.path or base / "margins"
    return neighbour.with_name(f"{neighbour.stem}.journal")


def _logo(config: Config, base: Path) -> Path | None:
    """``[dashboard] logo``, absolute."""
    return base / config.dashboard.logo if config.dashboard.logo is not None else None


def _names_production(mapping: Mapping[str, object], base: Path) -> bool:
    """Whether secrets are mandatory, which decides how the rest is read."""
    server = mapping.get("server")
    resolved, _ = resolve(server if isinstance(server, Mapping) else {}, base)
    return resolved.get("environment") == "production"


def _read(table: Mapping[str, object], path: Path | None, problems: list[str]) -> Config:
    """The sections that can be read; what can't be is reported, and left at its defaults."""
    hints = typing.get_type_hints(Config)
    names = [each.name for each in dataclasses.fields(Config) if each.name != "path"]
    sections: dict[str, typing.Any] = {}
    for name, content in table.items():
        if name not in names:
            problems.append(f"{name}: {_no_such_table(name, names, hints)}")
        elif not isinstance(content, Mapping):
            problems.append(f"{name}: must be a table, written [{name}]")
        elif name == "plugins":
            sections[name] = _read_plugins(content, problems)
        else:
            sections[name] = read_section(hints[name], content, name, problems)
    read = {name: section for name, section in sections.items() if section is not None}
    return Config(**read, path=path)


def _no_such_table(name: str, known: Iterable[str], hints: Mapping[str, typing.Any]) -> str:
    """A guess: a misspelt table, or a key that lost its table."""
    known = list(known)
    if nearest(name, known) is None:
        for section in known:
            if name in {each.name for each in dataclasses.fields(hints[section])}:
                return f"there is no such table. Did you mean {section}.{name}?"
        return f"there is no such table. {suggestion(name, known)} A plugin's is [plugins.{name}]."
    return f"there is no such table. {suggestion(name, known)}"


def _read_plugins(content: Mapping[str, object], problems: list[str]) -> PluginSettings | None:
    known = ("order", "disabled")
    own = {key: value for key, value in content.items() if key in known}
    tables: dict[str, Mapping[str, object]] = {}
    for name, table in content.items():
        if name in known:
            continue
        if isinstance(table, Mapping):
            tables[name] = MappingProxyType(dict(table))
        else:
            guess = nearest(name, known)
            hint = f". Did you mean plugins.{guess}?" if guess else ""
            problems.append(
                f"plugins.{name}: must be the table of a plugin, [plugins.{name}]{hint}"
            )
    section = read_section(PluginSettings, own, "plugins", problems)
    if section is None:
        return None
    return dataclasses.replace(section, tables=MappingProxyType(tables))


def _problems_of(config: Config, base: Path) -> list[str]:
    """What only the whole tells: the database's URL, and the secrets of this environment."""
    problems = []
    try:
        absolute_url(config.database.url, base)
    except ValueError as problem:
        problems.append(f"database.url: {problem}")
    production = config.is_production
    for index, key in enumerate(config.session.secret_keys):
        wrong = session_key_problem(key.reveal()) if production else None
        problems += [f"session.secret_keys[{index}]: {wrong}"] if wrong else []
    for index, key in enumerate(config.encryption.keys):
        wrong = encryption_key_problem(key.reveal())
        problems += [f"encryption.keys[{index}]: {wrong}"] if wrong else []
    if config.cron.secret is not None:
        wrong = cron_secret_problem(config.cron.secret.reveal(), production=production)
        problems += [f"cron.secret: {wrong}"] if wrong else []
    if production:
        problems += [
            f"{section}.{key}: is missing, and production needs it. Set it to {example}"
            for section, key, example in _absent(config)
        ]
    return problems


def _absent(config: Config) -> list[tuple[str, str, str]]:
    """The secrets that are not set, each with an example."""
    found = []
    if not config.session.secret_keys:
        found.append(("session", "secret_keys", '["env:MARGINS_SESSION_KEY"]'))
    if not config.encryption.keys:
        found.append(("encryption", "keys", '["env:MARGINS_ENCRYPTION_KEY"]'))
    if config.cron.secret is None:
        found.append(("cron", "secret", '"env:MARGINS_CRON_SECRET"'))
    return found


def _unmentioned(found: Iterable[str], before: Iterable[str]) -> list[str]:
    """``found`` without the keys that ``before`` already complains about, whole or in part."""
    mentioned = [problem.partition(":")[0] for problem in before]
    return [
        problem
        for problem, key in ((problem, problem.partition(":")[0]) for problem in found)
        if not any(each == key or each.startswith((f"{key}.", f"{key}[")) for each in mentioned)
    ]


def _listed(problems: Iterable[str], path: Path | None) -> str:
    place = str(path) if path is not None else "configuration"
    return "\n".join(f"{place}: {problem}" for problem in problems)


def _with_secrets(config: Config, base: Path, keep: bool) -> Config:
    if not _absent(config):
        return config
    made = kept_secrets(secrets_file(config, base)) if keep else generate()
    session, encryption, cron = config.session, config.encryption, config.cron
    if not session.secret_keys:
        session = dataclasses.replace(session, secret_keys=(Secret(made.session),))
    if not encryption.keys:
        encryption = dataclasses.replace(encryption, keys=(Secret(made.encryption),))
    if cron.secret is None:
        cron = dataclasses.replace(cron, secret=Secret(made.cron))
    return dataclasses.replace(config, session=session, encryption=encryption, cron=cron)
