"""All commands, in the order that ``--help`` shows them."""

from __future__ import annotations

import typer

from nullspend_margins.cli import (
    alerts,
    check_config,
    demo,
    demo_stripe,
    import_costs,
    keys,
    migrate,
    new_plugin,
    openapi,
    plugins,
    rebuild,
    serve,
    session,
    sync,
)

app: typer.Typer = typer.Typer(
    name="nullspend-margins",
    help="NullSpend Margins: which customers of an AI product make money.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("demo-stripe")(demo_stripe.demo_stripe)
app.command("serve")(serve.serve)
app.command("migrate")(migrate.migrate)
app.command("session")(session.session)
app.add_typer(keys.app, name="keys")
app.command("sync")(sync.sync)
app.command("import-costs")(import_costs.import_costs)
app.add_typer(alerts.app, name="alerts")
app.command("rebuild")(rebuild.rebuild)
app.command("plugins")(plugins.plugins)
app.command("new-plugin")(new_plugin.new_plugin)
app.command("check-config")(check_config.check_config)
app.command("openapi")(openapi.openapi)
