"""What LiteLLM's proxy is told to load: one line in its configuration, or one variable.

``litellm_settings: callbacks: nullspend_margins_litellm.proxy.callback`` or
``LITELLM_WORKER_STARTUP_HOOKS=nullspend_margins_litellm.proxy:install``; both together do no
harm. ``NULLSPEND_MARGINS_CONFIG`` names the TOML file.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from nullspend_margins import ConfigurationError, Margins, MarginsError
from nullspend_margins_litellm.callback import INSTALL, CallRecorder, make_callback
from nullspend_margins_litellm.headers import HeaderGuard
from nullspend_margins_litellm.plugin import settings_of
from nullspend_margins_litellm.settings import LiteLLMSettings

CONFIG_VARIABLE = "NULLSPEND_MARGINS_CONFIG"
_MOUNT = "nullspend-margins"

_log = logging.getLogger("nullspend_margins.litellm")
_installed: list[Any] = []
_starting: set[asyncio.Task[None]] = set()


def install() -> None:
    """Put margins into the proxy of this process; doing it again changes nothing.

    Raises ``ConfigurationError`` when the configuration is wrong, which stops the proxy's start.
    A database that does not answer does not: the proxy goes on, and so does the journal.
    """
    _register(_installation())


def __getattr__(name: str) -> Any:
    """``callback``, made when the proxy asks for it, which then registers it."""
    if name == "callback":
        return _installation()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _installation() -> Any:
    if not _installed:
        _installed.append(_install_into(_proxy_module(), _margins_of_environment()))
    return _installed[0]


def _margins_of_environment() -> Margins:
    path = os.environ.get(CONFIG_VARIABLE)
    if not path:
        raise ConfigurationError(
            f"{CONFIG_VARIABLE} is not set: set it to the path of the TOML file."
        )
    return Margins.from_toml(path)


def _proxy_module() -> ModuleType:
    try:
        return import_module("litellm.proxy.proxy_server")
    except ImportError:
        raise ConfigurationError(INSTALL) from None


def _install_into(proxy: Any, margins: Margins) -> Any:
    """Mount, guard and callback; returns the callback."""
    from starlette.routing import Mount

    settings = settings_of(margins)
    _check(settings)
    require_free(proxy.app.router.routes, settings.path)
    callback = make_callback(CallRecorder(margins, settings))
    app = proxy.app

    # First of all routes: behind the proxy's own `/{provider}/...` nobody would find it.
    app.router.routes.insert(0, Mount(settings.path, app=margins.app, name=_MOUNT))
    guard = partial(
        HeaderGuard,
        settings=settings,
        proxy_settings=lambda: _general_settings(proxy),
        before=lambda: _register(callback),
    )
    if app.middleware_stack is None:
        app.add_middleware(guard)
    else:  # the proxy is starting, when it is too late for add_middleware
        app.middleware_stack = guard(app.middleware_stack)
    _start_soon(margins)
    return callback


def require_free(routes: Iterable[Any], path: str) -> None:
    """Raise ``ConfigurationError`` if the proxy has routes at ``path``: nobody would reach them."""
    for route in routes:
        if f"{getattr(route, 'path', '')}/".startswith(f"{path}/"):
            raise ConfigurationError(
                f'plugins.litellm.path: "{path}" belongs to the proxy ({route.path}); '
                'choose another, for example "/margins"'
            )


def _check(settings: LiteLLMSettings) -> None:
    problem = settings.problem_beside_the_callback(datetime.now(UTC).date())
    if problem is not None:
        raise ConfigurationError(problem)
    if settings.customer == "end_user" and not (settings.trusted_headers or settings.trust_body):
        _log.warning(
            "plugins.litellm trusts neither a header nor the body, so a call has a customer only "
            "where the proxy's own authentication names the end user"
        )


def _general_settings(proxy: Any) -> Mapping[str, Any]:
    found = getattr(proxy, "general_settings", None)
    return found if isinstance(found, Mapping) else {}


def _register(callback: Any) -> None:
    """See to it that LiteLLM calls ``callback``, and once: its configuration may be loaded after
    ``install``, and then drops callbacks, or adds this one again.
    """
    litellm = import_module("litellm")
    times = sum(each is callback for each in litellm.callbacks)
    for _ in range(times - 1):
        litellm.callbacks.remove(callback)
    if times:
        return
    manager = litellm.logging_callback_manager
    manager.add_litellm_callback(callback)
    manager.add_litellm_async_success_callback(callback)
    manager.add_litellm_async_failure_callback(callback)


def _start_soon(margins: Margins) -> None:
    """Open the database beside the proxy's own start, so that the first request needn't."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return  # no loop yet: the first request starts it
    task = loop.create_task(_start(margins), name="margins-of-litellm")
    _starting.add(task)
    task.add_done_callback(_starting.discard)


async def _start(margins: Margins) -> None:
    try:
        await margins.start()
    except MarginsError as problem:
        _log.error("margins do not start yet, the proxy does: %s", problem.message)
