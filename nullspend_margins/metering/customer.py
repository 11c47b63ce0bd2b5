"""The host's own function that tells whose a request is."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from importlib import import_module

from nullspend_margins.errors import ConfigurationError
from nullspend_margins.metering.attribution import NOBODY, Attribution
from nullspend_margins.protocols import Scope

Told = str | Attribution | None
AskCustomer = Callable[[Scope], Told | Awaitable[Told]]

_log = logging.getLogger("nullspend_margins.metering")


def customer_function(place: str, key: str = "metering.customer") -> AskCustomer:
    """The function at ``module:function``. Raises ``ConfigurationError`` naming ``key``."""
    module_name, _, name = place.partition(":")
    try:
        found: object = import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except ImportError as problem:
        raise ConfigurationError(
            f"{key}: {module_name} cannot be imported: {problem}. Is its folder on PYTHONPATH?"
        ) from problem
    except AttributeError as problem:
        raise ConfigurationError(
            f"{key}: {module_name} has no {name}. If that module makes the middleware itself, "
            "the function must stand above that line, or in a module of its own"
        ) from problem
    if not callable(found):
        raise ConfigurationError(f"{key}: {place} is no function")
    return found


async def ask(function: AskCustomer, scope: Scope) -> Attribution | None:
    """What the function says; ``None`` when it does not know. Its mistakes are nobody's cost."""
    try:
        told = function(scope)
        if inspect.isawaitable(told):
            told = await told
        if told is None or isinstance(told, Attribution):
            return told
        return Attribution(customer=told)
    except Exception:
        _log.exception("the function that tells customers failed; this call's cost is nobody's")
        return NOBODY
