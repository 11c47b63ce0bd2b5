"""Entry point: a notifier for each receiver that ``[plugins.webhook]`` names."""

from __future__ import annotations

from nullspend_margins import ConfigurationError, Notifier, PluginContext, hookimpl


@hookimpl
def register_notifiers(context: PluginContext) -> list[Notifier]:
    """Nothing configured, nothing loaded. A URL that can't be used stops the start."""
    if not context.table:
        return []
    from nullspend_margins_webhook.notifier import WebhookNotifier
    from nullspend_margins_webhook.settings import WebhookSettings

    receivers = context.settings(WebhookSettings).located
    problems = []
    for key, endpoint in receivers:
        problem = context.outbound.url_problem(endpoint.url.reveal().strip())
        problems += [f"plugins.{context.name}.{key}: {problem}"] if problem else []
    if problems:
        raise ConfigurationError("\n".join(problems))
    return [
        WebhookNotifier(endpoint, outbound=context.outbound, clock=context.clock)
        for _, endpoint in receivers
    ]
