"""``session``: a signed-in person, for scripts and for trying things out."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from nullspend_margins.cli.options import ConfigFile, Org
from nullspend_margins.cli.output import log_to_stderr, say


class RoleName(StrEnum):
    """What a person may do in an org; each includes those before it."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"


def session(
    config: ConfigFile,
    org: Org,
    user: Annotated[str, typer.Option("--user", metavar="USER", help="The person's id.")],
    role: Annotated[RoleName, typer.Option("--role", help="What the person may do.")],
) -> None:
    """Print `NAME=VALUE`: a Cookie header value for the built-in session plugin."""
    from nullspend_margins.builtin.sessions import sign_session
    from nullspend_margins.config import load_config

    log_to_stderr()
    settings = load_config(config)
    try:
        value = sign_session(settings, org_id=org, user_id=user, role=role.value)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    say(f"{settings.session.cookie_name}={value}")
