"""A plugin's hooks: found, checked and called. The one user of pluggy beside ``hookspecs``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType

import pluggy

from nullspend_margins import hookspecs
from nullspend_margins.config.nearest import suggestion
from nullspend_margins.errors import PluginError
from nullspend_margins.hookspecs import HOOKS, PROJECT, PluginContext
from nullspend_margins.plugins.signatures import signature_of

_ARGUMENT = "context"


class PluginHooks:
    """The hooks of one checked plugin, in a plugin manager of its own: nothing is global."""

    def __init__(self, name: str, plugin: object) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._manager.register(plugin, name)
        implemented = {caller.name for caller in self._manager.get_hookcallers(plugin) or ()}
        self.names: list[str] = [hook for hook in HOOKS if hook in implemented]

    def call(self, hook: str, context: PluginContext) -> list[object]:
        """What the plugin registers. Raises ``PluginError`` when it returned no list."""
        answers = getattr(self._manager.hook, hook)(context=context)
        # pluggy leaves out an answer of None.
        answer = answers[0] if answers else None
        if isinstance(answer, list | tuple):
            return list(answer)
        raise PluginError(_describe_answer(answer))


def has_hooks(plugin: object) -> bool:
    """Whether anything in ``plugin`` is marked with ``hookimpl`` or named like a hook."""
    return any(True for _ in _marked(plugin)) or any(
        callable(getattr(plugin, h, None)) for h in HOOKS
    )


def hook_problems(plugin: object) -> list[str]:
    """What is wrong with the hooks of ``plugin``, before any is called."""
    if plugin is None or isinstance(plugin, str | bytes | int | float | dict | list | tuple):
        return [f"is {plugin!r}, which is no plugin. Pass a module or an object"]
    if inspect.isclass(plugin):
        return [f"is a class; pass an instance of it: {plugin.__name__}()"]
    found = []
    marked = dict(_marked(plugin))
    for name, function in marked.items():
        if name in HOOKS:
            wrong = _hook_problem(function)
            found += [f"{name} {wrong}"] if wrong else []
        else:
            found.append(
                f"{name} is marked with hookimpl, but there is no such hook. "
                f"{suggestion(name, HOOKS)}"
            )
    found += [
        f"{name} is not marked: put @hookimpl over it"
        for name in HOOKS
        if name not in marked and callable(getattr(plugin, name, None))
    ]
    return found


def _marked(plugin: object) -> Iterator[tuple[str, Callable[..., object]]]:
    for name in dir(plugin):
        if isinstance(plugin, ModuleType) or not _is_property(plugin, name):
            function = getattr(plugin, name, None)
            if inspect.isroutine(function) and hasattr(function, f"{PROJECT}_impl"):
                yield name, function


def _is_property(plugin: object, name: str) -> bool:
    """Properties are left alone: reading one may do anything."""
    return isinstance(inspect.getattr_static(plugin, name, None), property)


def _hook_problem(function: Callable[..., object]) -> str | None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return (
            "is async def; a hook runs once at start and must be a plain def "
            "(the methods of what it returns are async)"
        )
    if inspect.isgeneratorfunction(function):
        return "has a yield; return a list instead"
    parameters = signature_of(function).parameters.values()
    for each in parameters:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        if each.name == _ARGUMENT:
            if each.default is not each.empty or each.kind is each.KEYWORD_ONLY:
                return "must take `context` as a plain argument without a default"
        elif each.default is each.empty:
            return f"takes `{each.name}`; a hook has the one argument `context`"
    return None


def _describe_answer(answer: object) -> str:
    if answer is None:
        return "returned None. Is a `return` missing? It must return a list, an empty one for none"
    if inspect.iscoroutine(answer):
        answer.close()  # else Python warns that nobody awaited it
    if inspect.isawaitable(answer):
        return "returned something to await; it must be a plain def that returns a list"
    if inspect.isclass(answer):
        return f"returned the class {answer.__name__}; did you mean [{answer.__name__}()]?"
    return f"returned a {type(answer).__name__}, not a list; did you mean to put it in [ ]?"
