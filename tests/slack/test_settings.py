"""``[plugins.slack]``: which notifiers it makes, and what stops the start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nullspend_margins import ConfigurationError, Margins
from nullspend_margins.config import load_config, parse_section
from nullspend_margins.plugins.contracts import problems_of
from nullspend_margins_slack.settings import SlackSettings
from tests.slack.support import URL, notifiers


def test_nothing_configured_registers_nothing() -> None:
    assert notifiers({}) == []
    assert notifiers({"link": "https://app.example.com/"}) == []


def test_each_channel_is_a_notifier_of_its_own() -> None:
    table = {
        "url": URL,
        "channels": [{"name": "billing", "url": URL, "orgs": ["org_1"]}, {"name": "a", "url": URL}],
    }
    assert [(each.name, each.orgs) for each in notifiers(table)] == [  # type: ignore[attr-defined]
        ("slack", None),
        ("slack.billing", ("org_1",)),
        ("slack.a", None),
    ]
    [unnamed] = notifiers({"channels": [{"url": URL}]})
    assert unnamed.name == "slack"


def test_the_longest_name_is_one_that_a_notifier_may_have() -> None:
    [named] = notifiers({"channels": [{"name": "a" * 50, "url": URL}]})
    assert problems_of("notifier", named) == []


def test_a_toml_file_is_read_and_hides_the_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_URL", f"{URL}\n")
    (tmp_path / "margins.toml").write_text(
        '[plugins.slack]\nurl = "env:SLACK_URL"\nlink = "https://app.example.com/"\n'
        '[[plugins.slack.channels]]\nname = "billing"\nurl = "env:SLACK_URL"\norgs = ["org_1"]\n'
    )
    config = load_config(tmp_path / "margins.toml")
    registry = Margins(config).registry
    assert [each.name for each in registry.notifiers] == ["slack", "slack.billing", "log"]
    settings = parse_section(SlackSettings, {"url": URL}, "plugins.slack")
    assert "s3cr3t" not in repr(config) + repr(settings) + repr(registry)


MISTAKES: dict[str, tuple[Mapping[str, object], str]] = {
    "no url": ({"orgs": ["org_1"]}, "plugins.slack: url is missing"),
    "an empty url": ({"url": ""}, "plugins.slack.url: must not be empty"),
    "no orgs": ({"url": URL, "orgs": []}, "plugins.slack.orgs: lists no org."),
    "a bad name": (
        {"channels": [{"name": "#billing", "url": URL}]},
        "plugins.slack.channels[0].name: must be 1 to 50 small letters",
    ),
    "a long name": (
        {"channels": [{"name": "a" * 51, "url": URL}]},
        "plugins.slack.channels[0].name: must be 1 to 50 small letters",
    ),
    "one name twice": (
        {"channels": [{"name": "a", "url": URL}, {"name": "a", "url": URL}]},
        'plugins.slack: two channels are called "a"',
    ),
    "no name twice": (
        {"url": URL, "channels": [{"url": URL}]},
        "plugins.slack: two channels have no name",
    ),
    "a URL that is none": (
        {"url": URL, "channels": [{"name": "a", "url": "hooks.slack.com/services/s3cr3t"}]},
        "plugins.slack.channels[0].url: must start with https://",
    ),
    "a link that would end too early": (
        {"url": URL, "link": "https://app.example.com/|s3cr3t>"},
        "plugins.slack.link: must be an http:// or https:// URL",
    ),
    "a link that is none": ({"url": URL, "link": "app"}, "plugins.slack.link: must be an http://"),
    "a link without end": (
        {"url": URL, "link": "https://app.example.com/" + "x" * 500},
        "plugins.slack.link: must be an http:// or https:// URL of at most 500",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_stops_the_start_and_names_the_key(mistake: str) -> None:
    table, wanted = MISTAKES[mistake]
    with pytest.raises(ConfigurationError) as refused:
        notifiers(table)
    assert wanted in refused.value.message
    assert "s3cr3t" not in refused.value.message
