"""The command line. Every command loads what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ``arguments`` default to the process's own.

    Always ends in ``SystemExit``: 0, 1 for what went wrong (one message on stderr), 2 for a
    command that was written wrongly.
    """
    from nullspend_margins.cli.output import complain
    from nullspend_margins.cli.program import app
    from nullspend_margins.errors import MarginsError

    try:
        app(args=arguments, prog_name="nullspend-margins")
    except MarginsError as problem:
        complain(f"Error: {problem.message}")
        raise SystemExit(1) from None
