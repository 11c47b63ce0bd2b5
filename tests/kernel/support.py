"""Small plugins to load, and distributions to install them from."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nullspend_margins import PluginContext, Principal, hookimpl
from nullspend_margins.builtin import builtin_plugins
from nullspend_margins.config import Config, config_from_mapping
from nullspend_margins.errors import PluginError
from nullspend_margins.plugins import Registry, load_plugins


class Who:
    """An authenticator for whom ``X-User`` is enough."""

    def __init__(self, name: str = "who") -> None:
        self.name = name

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal | None:
        user = dict(scope["headers"]).get(b"x-user")
        return Principal(org_id="org_1", user_id=user.decode(), role="viewer") if user else None


class Pays:
    name = "pays"

    async def plan(self, org_id: str) -> str | None:
        return "pro"


class Tells:
    name = "tells"

    async def notify(self, alert: object) -> None: ...


class Pulls:
    name = "pulls"

    async def pull(self, cursor: str | None) -> AsyncIterator[object]:
        yield cursor


class AddsUp:
    name = "adds-up"

    async def month_costs(self, org_id: str, first: object, last: object) -> list[object]:
        return []

    async def model_costs(self, org_id: str, tag_value: str, period: object) -> list[object]:
        return []

    async def tag_costs(self, org_id: str, since: object) -> list[object]:
        return []


class Earns:
    name = "earns"

    async def parse_credential(self, body: object) -> object: ...

    async def check_credential(self, secret: str) -> None: ...

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return True

    def fetch_revenue(self, secret: str, window: object) -> AsyncIterator[object]:
        return Pulls().pull(secret)


class Registers:
    """A plugin that registers what it is given."""

    def __init__(self, hook: str, found: object, name: str = "acme") -> None:
        self.plugin_name = name

        def register(context: PluginContext) -> Any:
            return found

        register.__name__ = hook
        setattr(self, hook, hookimpl(register))


def module(name: str, source: str) -> ModuleType:
    """A plugin module made from its source."""
    made = ModuleType(name)
    # As a file of its own: not with the future features of this one.
    code = compile(textwrap.dedent(source), name, "exec", dont_inherit=True)
    exec(code, made.__dict__)  # noqa: S102 - the source is the test's own
    return made


def configured(**plugins: object) -> Config:
    return config_from_mapping({"plugins": plugins}, keep_secrets=False)


def load(*extra: object, **plugins: object) -> Registry:
    """Load ``extra`` beside the built-in plugins; ``plugins`` is the table ``[plugins]``."""
    config = configured(**plugins)
    return load_plugins(config, extra=extra, builtins=builtin_plugins(config))


def refusal(*extra: object, **plugins: object) -> str:
    """The message of the error that ``load`` raises."""
    with pytest.raises(PluginError) as caught:
        load(*extra, **plugins)
    return caught.value.message


def install(
    folder: Path,
    distribution: str,
    entries: Mapping[str, str],
    sources: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    version: str = "1.0",
) -> None:
    """A distribution as pip leaves it: modules and a ``dist-info``, found through sys.path."""
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    )
    lines = [f"{name} = {target}" for name, target in entries.items()]
    (info / "entry_points.txt").write_text("\n".join(["[nullspend_margins]", *lines, ""]))
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(folder)


def names(found: Sequence[Any]) -> list[str]:
    return [each.name for each in found]
