"""Runs what the docs show: a folder with a configuration, an environment, modules from blocks."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
import tomli

from tests.docs.pages import Block, blocks

ANY_SECRET = base64.b64encode(bytes(range(32))).decode()
"""Long enough for a session key and a cron secret, and a good encryption key."""

ANY_LOGO = '<svg xmlns="http://www.w3.org/2000/svg"/>'

ANY_URL = "https://hooks.example.com/T0/B0/x"

_NAMED = re.compile(r"# (\w+)\.py\n")


def settings(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A TOML block, after making every variable and file that it refers to."""
    text = block.text.replace("file:/run/secrets/", "file:")
    for name in re.findall(r'"env:(\w+)"', text):
        monkeypatch.setenv(name, _value(name))
    for name in re.findall(r'"file:([^"]+)"', text):
        (folder / name).write_text(ANY_SECRET)
    for name in re.findall(r'^logo = "([^"]+)"', text, re.MULTILINE):
        (folder / name).write_text(ANY_LOGO)
    return tomli.loads(text)


def _value(name: str) -> str:
    """What a variable of this name may hold."""
    if name == "HOST_DATABASE_URL":
        return "sqlite:////srv/host.db"
    if "HOOK" in name:
        return ANY_URL if name.endswith("_URL") else f"whsec_{ANY_SECRET}"
    return ANY_SECRET


def plugin_modules() -> dict[str, Block]:
    """The plugins that docs/plugins.md shows whole, by the module name in their first line."""
    found = {}
    for block in blocks("python", page="plugins.md"):
        named = _NAMED.match(block.text)
        assert named is not None, f"{block.label} does not begin with its file's name"
        assert named[1] not in found, f"{block.label} is a second {named[1]}"
        found[named[1]] = block
    return found


def module_of(
    block: Block, name: str, monkeypatch: pytest.MonkeyPatch, known: Mapping[str, object] = {}
) -> ModuleType:
    """The block run as the module ``name``, with ``known`` names defined before."""
    module = ModuleType(name)
    vars(module).update(known)
    monkeypatch.setitem(sys.modules, name, module)  # dataclasses look their module up
    code = compile(block.text, block.label, "exec", dont_inherit=True)
    exec(code, vars(module))  # noqa: S102 - to run the docs is what this is for
    return module
