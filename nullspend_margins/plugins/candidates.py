"""Which plugins there are, what they are called, and in which order they are asked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import (
    Distribution,
    EntryPoint,
    PackageNotFoundError,
    entry_points,
    version,
)
from types import ModuleType

from nullspend_margins.config import Config
from nullspend_margins.config.nearest import suggestion
from nullspend_margins.hookspecs import PROJECT
from nullspend_margins.plugins.contracts import kinds_of
from nullspend_margins.plugins.hooks import has_hooks
from nullspend_margins.plugins.registry import Origin

_OWN_DISTRIBUTION = "nullspend-margins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A plugin before it is loaded. ``is_bare``: a protocol's object itself, without hooks."""

    name: str
    origin: Origin
    load: Callable[[], object]
    distribution: str | None = None
    version: str | None = None
    is_bare: bool = False
    target: str | None = None

    @property
    def label(self) -> str:
        """For messages: the name and where it comes from."""
        sources = {
            "host": "given by the host",
            "installed": f"{self.distribution} {self.version}",
            "builtin": "built in",
        }
        return f"plugin {self.name} ({sources[self.origin]})"


def find_candidates(
    extra: Sequence[object], builtins: Sequence[tuple[str, object]]
) -> list[Candidate]:
    """All there are, in the order of asking: the host's, the installed, the built-in ones."""
    read = cache(_read)  # it reads a file, which the plugins of a distribution share
    own_version = _own_version()
    return [
        *(_given(plugin) for plugin in extra),
        *sorted(
            (_installed(entry, read) for entry in entry_points(group=PROJECT)),
            key=lambda candidate: (candidate.name, candidate.distribution or ""),
        ),
        *(_built_in(name, plugin, own_version) for name, plugin in builtins),
    ]


def arrange(
    candidates: Sequence[Candidate], config: Config, problems: list[str]
) -> list[Candidate]:
    """The candidates in use, in the order that ``[plugins]`` asks for."""
    known = {candidate.name for candidate in candidates}
    for key, names in (("order", config.plugins.order), ("disabled", config.plugins.disabled)):
        for index, name in enumerate(names):
            place = config.locate(f"plugins.{key}[{index}]")
            if name not in known:
                problems.append(f'{place}: no plugin is called "{name}". {suggestion(name, known)}')
            elif name in names[:index]:
                problems.append(f'{place}: "{name}" is listed twice')
    rank = {name: index for index, name in enumerate(config.plugins.order)}
    in_use = [each for each in candidates if each.name not in config.plugins.disabled]
    return sorted(in_use, key=lambda candidate: rank.get(candidate.name, len(rank)))


def name_problems(candidates: Iterable[Candidate]) -> list[str]:
    """Two plugins of one name. The host's bare objects may share theirs: they have no table."""
    found = []
    first: dict[str, Candidate] = {}
    for candidate in candidates:
        other = first.setdefault(candidate.name, candidate)
        if other is candidate or (other.is_bare and candidate.is_bare):
            continue
        remedy = "Uninstall one of them"
        if "host" in (other.origin, candidate.origin):
            remedy = 'Give the host\'s another name: plugin_name = "..."'
            if candidate.is_bare or other.is_bare:
                remedy = "Give the host's another name"
        found.append(f"{candidate.label}: {other.label} has the same name. {remedy}")
    return found


def table_problems(candidates: Sequence[Candidate], config: Config) -> list[str]:
    """``[plugins.NAME]`` tables that no plugin would ever read."""
    found = []
    without_settings = {
        each.name for each in candidates if each.is_bare or each.origin == "builtin"
    }
    known = {each.name for each in candidates}
    for name in config.plugins.tables:
        place = config.locate(f"plugins.{name}")
        if name not in known:
            found.append(f"{place}: no such plugin is installed. {suggestion(name, known)}")
        elif name in without_settings:
            found.append(f"{place}: the plugin {name} has no settings")
    return found


def _given(plugin: object) -> Candidate:
    is_bare = not inspect.isclass(plugin) and not has_hooks(plugin) and len(kinds_of(plugin)) == 1
    return Candidate(
        name=_name_given(plugin, is_bare=is_bare),
        origin="host",
        load=lambda: plugin,
        is_bare=is_bare,
    )


def _built_in(name: str, plugin: object, own_version: str | None) -> Candidate:
    return Candidate(
        name=name,
        origin="builtin",
        load=lambda: plugin,
        distribution=_OWN_DISTRIBUTION,
        version=own_version,
    )


def _name_given(plugin: object, *, is_bare: bool) -> str:
    chosen = getattr(plugin, "name" if is_bare else "plugin_name", None)
    if isinstance(chosen, str) and chosen:
        return chosen
    if isinstance(plugin, ModuleType):
        return plugin.__name__.rpartition(".")[2]
    if inspect.isclass(plugin) or inspect.isroutine(plugin):
        return plugin.__name__
    return type(plugin).__name__


def _own_version() -> str | None:
    """``None`` when run from a source tree that was never installed."""
    try:
        return version(_OWN_DISTRIBUTION)
    except PackageNotFoundError:
        return None


def _read(found: Distribution | None) -> tuple[str, str]:
    """The name and the version of a distribution."""
    if found is None:
        return "an unknown distribution", ""
    facts = found.metadata  # read anew each time
    return facts["Name"], facts["Version"]


def _installed(
    entry: EntryPoint, read: Callable[[Distribution | None], tuple[str, str]]
) -> Candidate:
    name, its_version = read(entry.dist)
    return Candidate(
        name=entry.name,
        origin="installed",
        load=entry.load,
        distribution=name,
        version=its_version,
        target=entry.value,
    )
