"""``check-config``: is this file usable?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nullspend_margins.cli.output import complain, log_to_stderr, say

if TYPE_CHECKING:
    from nullspend_margins.config import Config


def check_config(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The TOML configuration file.")],
) -> None:
    """Say what is wrong with a configuration file, by key; `ok` when nothing is.

    Plugins are loaded, so that their tables are checked too; no file and no database is made.
    """
    log_to_stderr(logging.ERROR)
    from nullspend_margins.config import load_config, load_plugin_tables

    problems = _problems(lambda: load_config(file, keep_secrets=False))
    if problems:
        # When another table is wrong no plugin is loaded: their own tables get a look all the same.
        also = _problems(lambda: load_plugin_tables(file))
        problems += [line for line in also if line not in problems]
        complain("\n".join(problems))
        raise typer.Exit(1)
    say("ok")


def _problems(load: Callable[[], Config]) -> list[str]:
    """What is wrong with what it loads, and what plugins make of it, one a line."""
    from nullspend_margins.app import Margins
    from nullspend_margins.errors import ConfigurationError

    try:
        Margins(load())
    except ConfigurationError as problem:
        return problem.message.splitlines()
    return []
