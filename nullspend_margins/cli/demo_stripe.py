"""``demo-stripe``: a Stripe account to try the product with, for those who have none."""

from __future__ import annotations

from typing import Annotated

import typer

from nullspend_margins.cli.output import say


def demo_stripe(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 8378,
) -> None:
    """Serve a sample company's Stripe account, on this machine alone.

    Prints its URL, for `[plugins.stripe] api_base`, and a restricted key that reads it. Serves
    until Ctrl-C; nothing is kept.
    """
    from nullspend_margins.app.serving import require_server, run

    require_server()
    run(_serve(port))


async def _serve(port: int) -> None:
    from nullspend_margins.app.serving import stop_signals
    from nullspend_margins.demo.stripe_run import SAMPLE_KEY, sample_stripe

    with stop_signals() as stop:
        async with sample_stripe(port) as url:
            say(f"A sample Stripe account is ready at {url} with the key {SAMPLE_KEY}")
            await stop.wait()
