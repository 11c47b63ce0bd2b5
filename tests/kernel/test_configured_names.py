"""Names of plugins in a configuration that nothing answers to."""

from __future__ import annotations

import pytest

from .support import Who, module, refusal


def test_unknown_names_in_the_configuration_have_a_nearest_one() -> None:
    message = refusal(Who(), order=["sesions"], disabled=["who", "who"], plan={"x": 1})
    assert message.splitlines() == [
        'plugins.order[0]: no plugin is called "sesions". Did you mean sessions?',
        'plugins.disabled[1]: "who" is listed twice',
        "plugins.plan: no such plugin is installed. Did you mean plans?",
    ]


@pytest.mark.parametrize("name", ["log", "who"])
def test_a_table_for_a_plugin_without_settings_is_a_mistake(name: str) -> None:
    assert refusal(Who(), **{name: {"level": "info"}}) == (
        f"plugins.{name}: the plugin {name} has no settings"
    )


def test_a_name_that_is_unknown_hides_no_other_mistake() -> None:
    hook = "from nullspend_margins import hookimpl\n@hookimpl\n"
    source = hook + "def register_notifiers(context): return None"
    message = refusal(module("acme", source), disabled=["sesions"], strip={"x": 1})
    assert [line.partition(":")[0] for line in message.splitlines()] == [
        "plugins.disabled[0]",
        "plugins.strip",
        "plugin acme (given by the host), register_notifiers",
    ]
