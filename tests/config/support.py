"""Configuration files of tests, and what is said about them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from nullspend_margins.config import load_config
from nullspend_margins.errors import ConfigurationError

ENCRYPTION_KEY = base64.b64encode(bytes(range(32))).decode()
PRODUCTION = f"""
[server]
environment = "production"
[session]
secret_keys = ["{"s" * 32}"]
[encryption]
keys = ["{ENCRYPTION_KEY}"]
[cron]
secret = "{"c" * 16}"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "margins.toml"
    file.write_text(text)
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_config(file)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines)
    return [line.removeprefix(f"{file}: ") for line in lines]
