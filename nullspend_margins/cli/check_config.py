"""``check-config``: is this file usable?"""

from __future__ import annotations

import logging
from collections.abc import Collection
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
    log_to_stderr(logging.ERROR)
    problems = _problems(file)
    if problems:
        # When another table is wrong no plugin is loaded: their own tables get a look all the same.
        problems += [line for line in _problems(file, only=("plugins",)) if line not in problems]
        complain("\n".join(problems))
        raise typer.Exit(1)
    say("ok")


def _problems(file: Path, *, only: Collection[str] | None = None) -> list[str]:
    """What is wrong with the file, and what plugins make of it, one a line."""
    from nullspend_margins.app import Margins
    from nullspend_margins.config import load_config
    from nullspend_margins.errors import ConfigurationError

    try:
        Margins(load_config(file, keep_secrets=False, only=only))
    except ConfigurationError as problem:
        return problem.message.splitlines()
    return []
