"""Finds, checks and calls the plugins, once, at start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from nullspend_margins.config import Config
from nullspend_margins.errors import ConfigurationError, PluginError
from nullspend_margins.hookspecs import HOOKS, PluginContext
from nullspend_margins.outbound.contract import Outbound
from nullspend_margins.plugins.candidates import (
    Candidate,
    arrange,
    find_candidates,
    name_problems,
    table_problems,
)
from nullspend_margins.plugins.contracts import (
    article,
    begun_kind,
    kinds_of,
    nearest_method,
    problems_of,
)
from nullspend_margins.plugins.folders import (
    TEMPLATE_FOLDER,
    CheckTemplates,
    folder_problem,
)
from nullspend_margins.plugins.hooks import PluginHooks, has_hooks, hook_problems
from nullspend_margins.plugins.registry import LoadedPlugin, Registry
from nullspend_margins.protocols import Clock

if TYPE_CHECKING:
    import httpx

_FAILURES = (Exception, SystemExit)
"""A plugin that ends the process at its import would end the start without a word."""


def load_plugins(
    config: Config,
    *,
    extra: Sequence[object] = (),
    builtins: Sequence[tuple[str, object]] = (),
    clock: Clock | None = None,
    http: Callable[[], httpx.AsyncClient] | None = None,
    outbound: Outbound | None = None,
    check_templates: CheckTemplates = lambda _folder, _folders: (),
) -> Registry:
    """Everything that plugins register, in the order of asking.

    ``extra`` are the host's modules and objects, ``builtins`` pairs of name and plugin, ``http``
    gives the HTTP client of the running event loop, ``outbound`` is for URLs that people
    configured, ``check_templates`` tells what is wrong in a folder of templates. Raises
    ``PluginError`` with every problem, one a line: plugin, distribution, hook, and what was
    probably meant.
    """
    if isinstance(extra, str) or not isinstance(extra, Sequence):
        raise PluginError(f"plugins must be a list, not {type(extra).__name__}: plugins=[...]")
    loading = _Loading(config, clock, http, outbound, check_templates)
    candidates = find_candidates(extra, builtins)
    in_use = arrange(candidates, config, loading.problems)
    ambiguous = name_problems(in_use)
    loading.problems += ambiguous
    loading.problems += table_problems(candidates, config)
    for candidate in in_use if not ambiguous else ():
        loading.take(candidate)
    loading.look_into_folders()
    if loading.problems:
        raise PluginError("\n".join(dict.fromkeys(loading.problems))) from loading.cause
    return loading.registry()


@dataclass(slots=True)
class _Loading:
    """One start: what was registered so far, and what went wrong."""

    config: Config
    clock: Clock | None
    http: Callable[[], httpx.AsyncClient] | None
    outbound: Outbound | None
    check_templates: CheckTemplates
    problems: list[str] = field(default_factory=list)
    cause: BaseException | None = None
    _objects: dict[str, list[Any]] = field(
        default_factory=lambda: {kind: [] for kind in HOOKS.values()}
    )
    _owners: dict[tuple[str, str], Candidate] = field(default_factory=dict)
    _plugins: dict[int, Candidate] = field(default_factory=dict)
    _loaded: list[LoadedPlugin] = field(default_factory=list)
    _folders: dict[Path, str] = field(default_factory=dict)

    def take(self, candidate: Candidate) -> None:
        """Load one plugin and register what it provides."""
        try:
            plugin = candidate.load()
        except _FAILURES as problem:
            self._fail(f"{candidate.label}: {_import_problem(candidate, problem)}", problem)
            return
        other = self._plugins.setdefault(id(plugin), candidate)
        if other is not candidate:
            self._fail(f"{candidate.label}: is the same object as {other.label}; keep one of them")
            return
        if candidate.is_bare:
            provides = self._register(candidate, candidate.label, kinds_of(plugin)[0], [plugin])
        else:
            provides = self._call_hooks(candidate, plugin)
        self._loaded.append(
            LoadedPlugin(
                name=candidate.name,
                origin=candidate.origin,
                distribution=candidate.distribution,
                version=candidate.version,
                provides=tuple(f"{kind} {name}" for kind, name in provides),
            )
        )

    def look_into_folders(self) -> None:
        """Last, as templates build upon those of other plugins."""
        folders = list(self._folders)
        for path, label in self._folders.items():
            self.problems += [f"{label}: {each}" for each in self.check_templates(path, folders)]

    def registry(self) -> Registry:
        """All of it, frozen."""
        found = self._objects
        return Registry(
            authenticators=tuple(found["authenticator"]),
            plan_checkers=tuple(found["plan checker"]),
            cost_sources=tuple(found["cost source"]),
            revenue_providers=MappingProxyType(
                {provider.name: provider for provider in found["revenue provider"]}
            ),
            notifiers=tuple(found["notifier"]),
            template_folders=tuple(found[TEMPLATE_FOLDER]),
            loaded=tuple(self._loaded),
        )

    def _call_hooks(self, candidate: Candidate, plugin: object) -> list[tuple[str, str]]:
        wrong = hook_problems(plugin)
        if not wrong and not has_hooks(plugin):
            wrong = _hookless(plugin)
        if wrong:
            self.problems += [f"{candidate.label}: {each}" for each in wrong]
            return []
        hooks = PluginHooks(candidate.name, plugin)
        provides = []
        for hook in hooks.names:
            label = f"{candidate.label}, {hook}"
            try:
                found = hooks.call(hook, self._context(candidate))
            except PluginError as problem:
                self._fail(f"{label}: {problem.message}", problem)
            except ConfigurationError as problem:
                is_located = f"plugins.{candidate.name}" in problem.message
                self._fail(problem.message if is_located else f"{label}: {problem}", problem)
            except _FAILURES as problem:
                self._fail(f"{label}: failed with {type(problem).__name__}: {problem}", problem)
            else:
                provides += self._register(candidate, label, HOOKS[hook], found)
        return provides

    def _register_folders(self, label: str, found: Sequence[object]) -> list[tuple[str, str]]:
        provides = []
        for each in found:
            problem = folder_problem(each)
            path = Path(str(each))
            if problem:
                self.problems.append(f"{label}: {problem}")
            else:
                self._folders.setdefault(path, label)
            self._objects[TEMPLATE_FOLDER].append(path)
            provides.append((TEMPLATE_FOLDER, path.name))
        return provides

    def _register(
        self, candidate: Candidate, label: str, kind: str, found: Sequence[Any]
    ) -> list[tuple[str, str]]:
        if kind == TEMPLATE_FOLDER:
            return self._register_folders(label, found)
        provides = []
        for each in found:
            if not self._keeps_protocol(candidate, label, kind, each):
                continue
            key = (kind, each.name)
            owner = self._owners.setdefault(key, candidate)
            if key in provides or owner is not candidate:
                self._fail(
                    f'{label}: {article(kind)} called "{each.name}" is already there, from '
                    f"{owner.label}; give it another name, or disable one of the two"
                )
                continue
            provides.append(key)
            self._objects[kind].append(each)
        return provides

    def _keeps_protocol(self, candidate: Candidate, label: str, kind: str, thing: object) -> bool:
        """The built-in ones are not asked: the local store has a shape of its own."""
        if candidate.origin == "builtin":
            return True
        try:
            wrong = problems_of(kind, thing)
        except Exception as problem:  # a property of it, most likely
            seen = f"{type(thing).__name__} cannot be looked at"
            self._fail(f"{label}: {seen}: {type(problem).__name__}: {problem}", problem)
            return False
        self.problems += [f"{label}: {problem}" for problem in wrong]
        return not wrong

    def _context(self, candidate: Candidate) -> PluginContext:
        return PluginContext(
            name=candidate.name,
            table=self.config.plugins.tables.get(candidate.name, {}),
            clock=self.clock,
            environment=self.config.server.environment,
            http=self.http,
            outbound=self.outbound,
            path=self.config.path,
        )

    def _fail(self, message: str, cause: BaseException | None = None) -> None:
        self.problems.append(message)
        self.cause = self.cause or cause


def _import_problem(candidate: Candidate, problem: BaseException) -> str:
    target = candidate.target or candidate.name
    module = target.partition(":")[0]
    guess = f' To start without it: [plugins] disabled = ["{candidate.name}"]'
    if isinstance(problem, ModuleNotFoundError) and problem.name is not None:
        if module == problem.name or module.startswith(f"{problem.name}."):
            guess = " The distribution's entry point names a module that is not in it."
        else:
            guess = f" Is what it needs installed?{guess}"
    return f"{target} cannot be imported: {type(problem).__name__}: {problem}.{guess}"


def _hookless(plugin: object) -> list[str]:
    kinds = kinds_of(plugin)
    if len(kinds) > 1:
        several = " and ".join(map(article, kinds))
        return [f"is {several} at once. Pass one object for each, or hooks that return them"]
    if callable(plugin) and hasattr(plugin, "__name__"):
        name = plugin.__name__
        if name in HOOKS:
            return [f"is the hook {name} alone; the plugin is the module or the object it is in"]
        return [f"is a function. To ask it who is signed in, pass CallableAuthenticator({name})"]
    begun = None if isinstance(plugin, ModuleType) else begun_kind(plugin)
    if begun is not None:
        return problems_of(begun, plugin)
    guess = nearest_method(plugin)
    hint = f"; {guess}" if guess is not None else ""
    return [
        f"registers nothing: no function in it is marked with @hookimpl of nullspend_margins{hint}"
    ]
