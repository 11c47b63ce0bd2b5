"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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


def _possible_org(org: str | None) -> str | None:
    """``org``, if there can be one of that name: nobody could ever sign in to another."""
    from nullspend_margins.domain.text import text_problem

    if org is not None and (problem := text_problem(org)):
        raise typer.BadParameter(problem)
    return org


def org_option(words: str) -> Any:
    """``--org``, with what its help says."""
    return typer.Option(
        "--org", metavar="ORG", help=words, show_default=False, callback=_possible_org
    )


Org = Annotated[str, org_option("The org's id.")]
OneOrg = Annotated[str | None, org_option("This org alone.")]
