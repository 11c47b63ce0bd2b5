"""Secrets: needed in production, never shown."""

from __future__ import annotations

import base64
import logging
from pathlib import Path

import pytest

from nullspend_margins.config import Secret, config_from_mapping, load_config

from .support import ENCRYPTION_KEY, PRODUCTION, problems, write


def test_production_needs_all_three_secrets(tmp_path: Path) -> None:
    found = problems(write(tmp_path, '[server]\nenvironment = "production"'))
    assert [each.split(":")[0] for each in found] == [
        "session.secret_keys",
        "encryption.keys",
        "cron.secret",
    ]
    assert all("is missing, and production needs it" in each for each in found)
    assert not list(tmp_path.glob("*.secrets.json"))


def test_production_refuses_short_secrets(tmp_path: Path) -> None:
    text = PRODUCTION.replace("s" * 32, "s" * 31).replace("c" * 16, "c" * 15)
    text = text.replace(ENCRYPTION_KEY, base64.b64encode(b"x" * 16).decode())
    assert problems(write(tmp_path, text)) == [
        "session.secret_keys[0]: must have at least 32 characters in production, it has 31",
        (
            "encryption.keys[0]: must be base64 of 32 random bytes, it holds 16. "
            "`openssl rand -base64 32` makes one"
        ),
        "cron.secret: must have at least 16 characters in production, it has 15",
    ]


def test_production_does_not_make_up_for_an_unset_variable(tmp_path: Path) -> None:
    text = PRODUCTION.replace(f'"{"s" * 32}"', f'"env:UNSET_KEY", "{"s" * 31}"')
    assert problems(write(tmp_path, text)) == [
        "session.secret_keys[0]: the environment variable UNSET_KEY is not set",
        "session.secret_keys[1]: must have at least 32 characters in production, it has 31",
    ]


def test_development_makes_up_for_an_unset_secret_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "nullspend_margins.config"):
        config = load_config(write(tmp_path, '[session]\nsecret_keys = ["env:UNSET_KEY"]'))
    assert config.session.secret_keys
    assert caplog.messages == [
        (
            "session.secret_keys[0]: the environment variable UNSET_KEY is not set; "
            "a generated one takes its place"
        )
    ]


@pytest.mark.parametrize("key", ["not base64!", "c2hvcnQ="])
def test_an_encryption_key_of_the_wrong_form_is_refused_in_development_too(
    tmp_path: Path, key: str
) -> None:
    (found,) = problems(write(tmp_path, f'[encryption]\nkeys = ["{key}"]'))
    assert found.startswith("encryption.keys[0]: must be base64 of 32 random bytes")
    assert key not in found


def test_an_encryption_key_may_be_url_safe_and_unpadded() -> None:
    raw = bytes([255] * 32)
    key = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    config = config_from_mapping({"encryption": {"keys": [key]}}, keep_secrets=False)
    assert config.encryption.key_bytes == (raw,)


def test_a_cron_secret_must_fit_into_a_header(tmp_path: Path) -> None:
    (found,) = problems(write(tmp_path, '[cron]\nsecret = "pâss word"'))
    assert found.startswith("cron.secret: must be visible ASCII without spaces")


def test_no_repr_shows_a_secret_or_the_databases_password(tmp_path: Path) -> None:
    mapping = {
        "session": {"secret_keys": ["hush-1"]},
        "cron": {"secret": "hush-2"},
        "database": {"url": "postgresql://u:hush-3@h/n"},
        "plugins": {"acme": {"token": "hush-4"}},
    }
    config = config_from_mapping(mapping, base=tmp_path, keep_secrets=False)
    assert "hush" not in f"{config!r} {config} {config.plugins!r}"
    assert f"{config.cron.secret:>10}" == "Secret(hidden)"


def test_secrets_compare_by_value_and_are_never_empty() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    with pytest.raises(ValueError, match="must not be empty"):
        Secret("")
