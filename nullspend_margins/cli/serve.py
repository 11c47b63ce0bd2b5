"""``serve``: the product alone, on uvicorn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nullspend_margins.cli.options import ConfigFile
from nullspend_margins.cli.output import say
from nullspend_margins.cli.running import open_margins

if TYPE_CHECKING:
    from nullspend_margins.app import Margins


def serve(
    config: ConfigFile,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 8000,
) -> None:
    """Serve the sub-application alone.

    Migrates SQLite itself (PostgreSQL: run `migrate` before), prints one line with its URL when
    it is ready, and stops on Ctrl-C or SIGTERM after finishing what it is answering.
    """
    from nullspend_margins.app.serving import require_server, run

    require_server()
    run(_serve(open_margins(config), host, port))


async def _serve(margins: Margins, host: str, port: int) -> None:
    from nullspend_margins.app.serving import listen, serving, stop_signals

    with stop_signals() as stop:
        async with margins.lifespan(), serving(margins.app, listen(host, port)) as url:
            say(f"NullSpend Margins is ready at {url}{margins.config.server.prefix}")
            await stop.wait()
