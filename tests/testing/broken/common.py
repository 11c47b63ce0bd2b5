"""What breaks the rules of all kinds, put around a plugin of any."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from inspect import isasyncgenfunction
from typing import Any

from tests.testing.support import network, variant


def around(plugin: Any, method: str, block: Any) -> Any:
    """``plugin`` with its main method run inside ``async with block(self)``."""
    original = getattr(plugin, method)

    async def awaited(self: Any, *arguments: Any) -> Any:
        async with block(self):
            return await original(self, *arguments)

    async def streamed(self: Any, *arguments: Any) -> Any:
        async with block(self):
            async for page in original(self, *arguments):
                yield page

    changed = streamed if isasyncgenfunction(original) else awaited
    return type(plugin.__name__, (plugin,), {method: changed})


@asynccontextmanager
async def tied_to_its_first_loop(plugin: Any) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    if plugin.__dict__.setdefault("loop", loop) is not loop:
        raise RuntimeError("<Lock> is bound to a different event loop")
    yield


@asynccontextmanager
async def one_at_a_time(plugin: Any) -> AsyncIterator[None]:
    if plugin.__dict__.get("busy"):
        raise RuntimeError("another operation is in progress")
    plugin.busy = True
    try:
        await network()
        yield
    finally:
        plugin.busy = False


@asynccontextmanager
async def deaf_to_cancellation(plugin: Any) -> AsyncIterator[None]:
    with suppress(BaseException):
        await network()
    yield


@asynccontextmanager
async def blocking(plugin: Any) -> AsyncIterator[None]:
    time.sleep(0)  # noqa: ASYNC251 - what this is for
    yield


def common(suite: Any, method: str) -> dict[str, type]:
    """The rules of all kinds, broken by the plugin of one in its ``method``."""
    plugin = suite.plugin
    blocks: dict[str, Any] = {
        "test_it_works_on_one_event_loop_after_another": tied_to_its_first_loop,
        "test_calls_at_the_same_time_get_their_own_answers": one_at_a_time,
        "test_a_cancelled_call_ends_as_cancelled": deaf_to_cancellation,
        "test_it_never_blocks_the_event_loop": blocking,
    }
    found = {rule: variant(suite, around(plugin, method, block)) for rule, block in blocks.items()}
    named = type("Named", (plugin,), {"name": "has spaces"})
    renamed = type("Renamed", (plugin,), {"name": property(lambda self: f"n{id(self)}")})
    found["test_it_has_the_form_of_its_protocol"] = variant(suite, named)
    found["test_its_name_stays_the_same"] = variant(suite, renamed)
    return found
