"""Runs a command's work against the product: started before, closed after, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nullspend_margins.cli.output import log_to_stderr

if TYPE_CHECKING:
    from nullspend_margins.app import Margins
    from nullspend_margins.services import Services

T = TypeVar("T")


def open_margins(config: Path) -> Margins:
    """The product as ``config`` describes it, its log on stderr. Raises ``ConfigurationError``."""
    from nullspend_margins.app import Margins

    log_to_stderr()
    return Margins.from_toml(config)


def run_with_services(config: Path, work: Callable[[Services], Awaitable[T]]) -> T:
    """Start the product, do ``work``, close it. Raises what starting and ``work`` raise."""
    margins = open_margins(config)

    async def run() -> T:
        async with margins.lifespan():
            return await work(await margins.services())

    return asyncio.run(run())
