"""``keys``: what cost events are sent with."""

from __future__ import annotations

from typing import Annotated

import typer

from nullspend_margins.cli.options import ConfigFile, Org
from nullspend_margins.cli.output import moment_text, say, show_table
from nullspend_margins.cli.running import run_with_services

app: typer.Typer = typer.Typer(
    help="Create, list and revoke cost-event keys.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("create")
def create(config: ConfigFile, org: Org) -> None:
    """Create a key and print it. It is not shown again: only its hash is stored."""
    plain, _ = run_with_services(config, lambda services: services.keys.create(org))
    say(plain)


@app.command("list")
def list_keys(config: ConfigFile, org: Org) -> None:
    """List the org's keys, revoked ones included: id, prefix, created, revoked."""
    stored = run_with_services(config, lambda services: services.keys.list(org))
    show_table(
        ("ID", "Prefix", "Created", "Revoked"),
        [
            (key.id, key.prefix, moment_text(key.created_at), moment_text(key.revoked_at))
            for key in stored
        ],
    )


@app.command("revoke")
def revoke(
    config: ConfigFile,
    org: Org,
    key: Annotated[
        str, typer.Argument(metavar="ID_OR_PREFIX", help="The key's id or its shown prefix.")
    ],
) -> None:
    """Revoke a key. Running servers stop accepting it within ten seconds."""
    run_with_services(config, lambda services: services.keys.revoke(org, key))
    say(f"Revoked {key}.")
