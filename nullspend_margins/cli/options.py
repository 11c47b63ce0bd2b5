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
Org = Annotated[str, typer.Option("--org", metavar="ORG", help="The org's id.")]
OneOrg = Annotated[
    str | None, typer.Option("--org", metavar="ORG", help="This org alone.", show_default=False)
]
