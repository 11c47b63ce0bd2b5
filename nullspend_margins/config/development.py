"""Secrets for development: made once, kept in one file, the same for every process."""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path

from nullspend_margins.config.database_url import sqlite_file
from nullspend_margins.config.model import Config
from nullspend_margins.config.values import encryption_key_problem
from nullspend_margins.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DevelopmentSecrets:
    """One of each kind."""

    session: str
    encryption: str
    cron: str


def generate() -> DevelopmentSecrets:
    """New random ones."""
    return DevelopmentSecrets(
        session=secrets.token_urlsafe(48),
        encryption=base64.b64encode(secrets.token_bytes(32)).decode(),
        cron=secrets.token_urlsafe(32),
    )


def secrets_file(config: Config, base: Path) -> Path:
    """Where they are kept: beside the SQLite file, else beside the configuration file."""
    neighbour = sqlite_file(config.database.url) or config.path or base / "nullspend-margins"
    return neighbour.with_name(f"{neighbour.name}.secrets.json")


def kept_secrets(file: Path) -> DevelopmentSecrets:
    """The secrets in ``file``, which is made when it does not exist.

    Raises ``ConfigurationError`` when it can be neither read nor made.
    """
    try:
        if not file.exists():
            _publish(file, generate())
        return _parse(file, file.read_text("utf-8"))
    except (OSError, UnicodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not text"
        raise ConfigurationError(
            f"{file}: cannot keep the generated development secrets here: {reason}. Let this "
            "process write there, or set session.secret_keys, encryption.keys and cron.secret"
        ) from problem


def _publish(file: Path, made: DevelopmentSecrets) -> None:
    """Create ``file`` whole, readable by its owner alone; the first of several processes wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({each.name: getattr(made, each.name) for each in fields(made)}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        # A link never replaces: whoever comes second reads the first one's secrets.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()


def _parse(file: Path, text: str) -> DevelopmentSecrets:
    try:
        found = json.loads(text)
        kept = DevelopmentSecrets(**{each.name: found[each.name] for each in fields(generate())})
        intact = all(isinstance(value, str) and value for value in found.values())
        if intact and encryption_key_problem(kept.encryption) is None:
            return kept
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ConfigurationError(
        f"{file}: these development secrets are damaged. Delete the file to have new ones made; "
        "stored provider credentials then have to be entered again"
    )
