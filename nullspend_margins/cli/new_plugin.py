"""``new-plugin``: a package to begin a plugin with."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nullspend_margins.cli.output import complain, say


class KindName(StrEnum):
    """What the plugin brings."""

    AUTHENTICATOR = "authenticator"
    PLAN_CHECKER = "plan-checker"
    COST_SOURCE = "cost-source"
    REVENUE_PROVIDER = "revenue-provider"
    NOTIFIER = "notifier"


def new_plugin(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The plugin's name, for example acme-billing.")
    ],
    kind: Annotated[
        list[KindName], typer.Option("--kind", help="What it brings; may be given several times.")
    ],
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory",
            metavar="DIR",
            help="The folder to write it to. Default: nullspend-margins-NAME",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a plugin package that works: settings, hooks, sample code, tests over the suites."""
    from nullspend_margins.cli.scaffold import PREFIX, name_problem, render
    from nullspend_margins.version import __version__

    problem = name_problem(name)
    if problem is not None:
        raise typer.BadParameter(problem, param_hint="NAME")
    target = directory if directory is not None else Path(f"{PREFIX}{name}")
    _write(target, render(name, kind, __version__))
    say(
        f"Wrote {target}. Next, in the environment that has nullspend-margins:\n"
        f"  cd {target}\n"
        "  pip install -e '.[test]'\n"
        "  pytest\n"
        '  grep -rn "FILL IN" src tests    # what is yours to say'
    )


def _write(target: Path, contents: dict[str, str]) -> None:
    """All of it, or nothing where something is already."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        complain(
            f"Error: {target} is there already and not empty; nothing was written. "
            "Choose another folder with --directory."
        )
        raise typer.Exit(1)
    try:
        for path, text in contents.items():
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    except OSError as problem:
        complain(f"Error: {target} cannot be written to: {problem.strerror or problem}.")
        raise typer.Exit(1) from None
