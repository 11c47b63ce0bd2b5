"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CONFIG_VARIABLE = "NULLSPEND_MARGINS_CONFIG"

ConfigFile = Annotated[
    Path,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar=CONFIG_VARIABLE,
        help="The TOML configuration file.",
        show_default=False,
    ),
]


def possible_org(org: str | None) -> str | None:
    """``org``, if there can be one of that name: nobody could ever sign in to another."""
    from nullspend_margins.domain.text import text_problem

    if org is not None and (problem := text_problem(org)):
        raise typer.BadParameter(problem)
    return org


Org = Annotated[
    str, typer.Option("--org", metavar="ORG", help="The org's id.", callback=possible_org)
]
OneOrg = Annotated[
    str | None,
    typer.Option(
        "--org", metavar="ORG", help="This org alone.", show_default=False, callback=possible_org
    ),
]
