"""Entry point: a notifier for each channel that ``[plugins.slack]`` names."""

from __future__ import annotations

from nullspend_margins import ConfigurationError, Notifier, PluginContext, hookimpl


@hookimpl
def register_notifiers(context: PluginContext) -> list[Notifier]:
    """Nothing configured, nothing loaded. A URL that can't be used stops the start."""
    if not context.table:
        return []
    from nullspend_margins_slack.notifier import SlackNotifier
    from nullspend_margins_slack.settings import SlackSettings

    settings = context.settings(SlackSettings)
    problems = []
    for key, channel in settings.located:
        problem = context.outbound.url_problem(channel.url.reveal().strip())
        problems += [f"plugins.{context.name}.{key}: {problem}"] if problem else []
    if problems:
        raise ConfigurationError("\n".join(problems))
    return [
        SlackNotifier(channel, link=settings.link, outbound=context.outbound, clock=context.clock)
        for _, channel in settings.located
    ]
