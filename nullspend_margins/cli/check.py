"""``check-config``: is this file usable?"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from nullspend_margins.cli.output import complain, log_to_stderr, say


def check_config(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The TOML configuration file.")],
) -> None:
    """Say what is wrong with a configuration file, by key; `ok` when nothing is.

    Plugins are loaded, so that their tables are checked too; no file and no database is made.
    """
    from nullspend_margins.app import Margins
    from nullspend_margins.config import load_config
    from nullspend_margins.errors import ConfigurationError

    log_to_stderr(logging.ERROR)
    try:
        Margins(load_config(file, keep_secrets=False))
    except ConfigurationError as problem:
        complain(problem.message)
        raise typer.Exit(1) from None
    say("ok")
