"""``demo``: the whole product with sample data."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from nullspend_margins.cli.output import log_to_stderr


def demo(
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="The port; 0 takes a free one, as does a taken one."),
    ] = 8377,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Don't open the link in a browser.")
    ] = False,
) -> None:
    """Try the product: a sample company on embedded SQLite, nothing to configure.

    Prints a link that is already signed in, and serves until Ctrl-C. Nothing is kept.
    """
    from nullspend_margins.app.serving import require_server, run

    require_server()
    log_to_stderr(logging.ERROR)
    from nullspend_margins.demo.run import run_demo

    run(run_demo(port=port, may_open_browser=not no_browser))
