"""``alerts``: how their deliveries are, and sending dead ones again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from nullspend_margins.cli.options import ConfigFile, OneOrg
from nullspend_margins.cli.output import moment_text, say, say_safely, show_table
from nullspend_margins.cli.running import run_with_services

if TYPE_CHECKING:
    from nullspend_margins.domain.alert import AlertDelivery
    from nullspend_margins.services import Services
    from nullspend_margins.services.notifier_queue import Resent

app: typer.Typer = typer.Typer(
    help="List alerts and their deliveries; send dead ones again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
COLUMNS = (
    "ID", "Org", "About", "Type", "Occasion", "Notifier", "State", "Attempts", "Reason",
)  # fmt: skip


@app.command("list")
def list_alerts(
    config: ConfigFile,
    org: OneOrg = None,
    dead: Annotated[bool, typer.Option("--dead", help="Those alone that were given up.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=1000, help="How many, newest first.")
    ] = 50,
) -> None:
    """List deliveries, newest alert first: one line for each alert and notifier.

    A delivery is `delivered`, `waiting` (for its next attempt) or `dead`.
    """

    async def work(services: Services) -> tuple[list[AlertDelivery], datetime]:
        if org is None:
            found = await services.alerts.deliveries_of_every_org(dead=dead, limit=limit)
        else:
            found = await services.alerts.deliveries(org, dead=dead, limit=limit)
        return found, services.clock.now()

    found, now = run_with_services(config, work)
    show_table(COLUMNS, [_row(each, now) for each in found])


@app.command("resend")
def resend(
    config: ConfigFile,
    alert_id: Annotated[
        str | None,
        typer.Argument(metavar="ALERT_ID", help="The alert, evt_...", show_default=False),
    ] = None,
    org: OneOrg = None,
    notifier: Annotated[
        str | None,
        typer.Option("--notifier", metavar="NAME", help="To this one alone.", show_default=False),
    ] = None,
    all_dead: Annotated[
        bool, typer.Option("--all-dead", help="Every dead delivery, not one alert's.")
    ] = False,
) -> None:
    """Put dead deliveries back, their attempts starting anew, and try each at once.

    The exit status is 1 when one failed again; it is then tried by itself as a new one would be.
    """
    if (alert_id is None) != all_dead:
        raise typer.BadParameter("name an ALERT_ID, or give --all-dead")

    async def work(services: Services) -> list[Resent]:
        if org is None:
            sending = services.alerts.resend_of_every_org(alert_id=alert_id, notifier=notifier)
        else:
            sending = services.alerts.resend(org, alert_id=alert_id, notifier=notifier)
        done = []
        async for each in sending:
            say_safely(_told(each))
            done.append(each)
        return done

    done = run_with_services(config, work)
    if not done:
        _tell_nothing_dead(alert_id, org, notifier)
    if any(each.outcome == "failed" for each in done):
        raise typer.Exit(1)


def _tell_nothing_dead(alert_id: str | None, org: str | None, notifier: str | None) -> None:
    """Nothing to do is fine for all of them, and a mistake for one that was named."""
    from nullspend_margins.errors import NotFound

    if alert_id is not None:
        raise NotFound(
            f"No delivery of {alert_id} is dead; `alerts list` shows how each of them is."
        )
    # With what was asked for: a name may be misspelt, and others be dead.
    whose = ("" if org is None else f" of {org}") + ("" if notifier is None else f" to {notifier}")
    say(f"No delivery{whose} is dead.")


def _told(resent: Resent) -> str:
    delivery = resent.delivery
    line = f"{delivery.alert.alert_id} {delivery.alert.org_id} {delivery.notifier}: "
    if resent.outcome == "put back":
        return line + "put back; not tried, since no such notifier is loaded here"
    if resent.outcome == "taken":
        return line + "being sent by somebody else right now"
    return line + resent.outcome + (f": {resent.reason}" if resent.reason else "")


def _row(delivery: AlertDelivery, now: datetime) -> tuple[str, ...]:
    alert = delivery.alert
    return (
        alert.alert_id,
        alert.org_id,
        delivery.about,
        alert.type,
        delivery.occasion,
        delivery.notifier,
        _state(delivery, now),
        str(delivery.attempts),
        delivery.reason(now) or "-",
    )


def _state(delivery: AlertDelivery, now: datetime) -> str:
    state = delivery.state(now)
    if state == "waiting":
        return f"waiting until {moment_text(delivery.next_attempt_at)}"
    moment = delivery.delivered_at or delivery.given_up_at
    return f"{state} since {moment_text(moment)}" if moment is not None else state
