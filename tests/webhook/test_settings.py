"""``[plugins.webhook]``: which notifiers it makes, and what stops the start."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest

from nullspend_margins import ConfigurationError, Margins, PluginError
from nullspend_margins.config import load_config, parse_section
from nullspend_margins.outbound.client import OutboundClient
from nullspend_margins.outbound.target import rules_for
from nullspend_margins.plugins.contracts import problems_of
from nullspend_margins_webhook.settings import WebhookSettings
from tests.webhook.support import OTHER, SECRET, URL, notifiers

ONE = {"url": URL, "secrets": [SECRET]}


def whsec(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(size)).decode()


def test_nothing_configured_registers_nothing() -> None:
    assert notifiers({}) == []
    assert notifiers({"endpoints": []}) == []


def test_each_receiver_is_a_notifier_of_its_own() -> None:
    table = {
        **ONE,
        "orgs": ["org_1", "org_2"],
        "endpoints": [{"name": "billing", **ONE}, {"name": "ops", **ONE, "orgs": ["org_3"]}],
    }
    assert [(each.name, each.orgs) for each in notifiers(table)] == [  # type: ignore[attr-defined]
        ("webhook", ("org_1", "org_2")),
        ("webhook.billing", None),
        ("webhook.ops", ("org_3",)),
    ]
    [unnamed] = notifiers({"endpoints": [ONE]})
    assert unnamed.name == "webhook"


def test_the_longest_name_is_one_that_a_notifier_may_have() -> None:
    [named] = notifiers({"endpoints": [{"name": "a" * 50, **ONE}]})
    assert problems_of("notifier", named) == []


def test_a_toml_file_with_several_receivers_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_URL", URL)
    monkeypatch.setenv("HOOK_SECRET", f" {SECRET}\n")
    (tmp_path / "other").write_text(f"{OTHER}\n")
    (tmp_path / "margins.toml").write_text(
        '[[plugins.webhook.endpoints]]\nname = "billing"\nurl = "env:HOOK_URL"\n'
        'secrets = ["env:HOOK_SECRET", "file:other"]\norgs = ["org_1"]\n'
        '[[plugins.webhook.endpoints]]\nname = "ops"\nurl = "env:HOOK_URL"\n'
        'secrets = ["file:other"]\n'
    )
    config = load_config(tmp_path / "margins.toml")
    registry = Margins(config).registry
    assert [each.name for each in registry.notifiers] == ["webhook.billing", "webhook.ops", "log"]
    everything = repr(config) + repr(parse_section(WebhookSettings, ONE, "plugins.webhook"))
    assert not any(secret in everything for secret in (URL, SECRET, OTHER))


MISTAKES: dict[str, tuple[Mapping[str, object], str]] = {
    "no secret": ({"url": URL}, "plugins.webhook: secrets is missing"),
    "no url": ({"secrets": [SECRET]}, "plugins.webhook: url is missing"),
    "an empty list of secrets": (
        {"url": URL, "secrets": []},
        "plugins.webhook.secrets: must list 1 to 5 secrets; it lists 0",
    ),
    "too many secrets": (
        {"url": URL, "secrets": [SECRET] * 6},
        "plugins.webhook.secrets: must list 1 to 5 secrets; it lists 6",
    ),
    "another prefix": (
        {"url": URL, "secrets": [SECRET, "sk_" + SECRET]},
        "plugins.webhook.secrets: must be whsec_ and base64.",
    ),
    "no base64": (
        {"url": URL, "secrets": ["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzN!=="]},
        "plugins.webhook.secrets: must be whsec_ and base64.",
    ),
    "the URL alphabet, which receivers would decode to something else": (
        {"url": URL, "secrets": ["whsec_" + "-_" * 16]},
        "plugins.webhook.secrets: must be whsec_ and base64.",
    ),
    "too short": (
        {"url": URL, "secrets": [whsec(23)]},
        "plugins.webhook.secrets: must be whsec_ and base64 of 24 to 64 random bytes; it holds 23.",
    ),
    "too long": (
        {"url": URL, "secrets": [whsec(65)]},
        "plugins.webhook.secrets: must be whsec_ and base64 of 24 to 64 random bytes; it holds 65.",
    ),
    "no orgs": ({**ONE, "orgs": []}, "plugins.webhook.orgs: lists no org."),
    "an endpoint without a URL": (
        {"endpoints": [{"name": "a", "secrets": [SECRET]}]},
        "plugins.webhook.endpoints[0].url: is missing",
    ),
    "a bad name": (
        {"endpoints": [{"name": "Billing Team", **ONE}]},
        "plugins.webhook.endpoints[0].name: must be 1 to 50 small letters",
    ),
    "a long name": (
        {"endpoints": [{"name": "a" * 51, **ONE}]},
        "plugins.webhook.endpoints[0].name: must be 1 to 50 small letters",
    ),
    "one name twice": (
        {"endpoints": [{"name": "a", **ONE}, {"name": "a", **ONE}]},
        'plugins.webhook: two endpoints are called "a"',
    ),
    "no name twice": ({**ONE, "endpoints": [ONE]}, "plugins.webhook: two endpoints have no name"),
    "a misspelt key": (
        {"endpoints": [{"name": "a", **ONE, "secret": "x"}]},
        "plugins.webhook.endpoints[0].secret: there is no such key.",
    ),
    "a URL that is none": (
        {"endpoints": [{**ONE}, {"name": "b", **ONE, "url": "hooks.example.test"}]},
        "plugins.webhook.endpoints[1].url: must start with https://",
    ),
    "a user in the URL": (
        {**ONE, "url": "https://ada:s3cr3t@hooks.example.test/"},
        "plugins.webhook.url: must not contain a user or password",
    ),
    "an address that can't be allowed": (
        {**ONE, "url": "https://169.254.169.254/s3cr3t"},
        "plugins.webhook.url: leads to an address that is not allowed",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_stops_the_start_and_names_the_key(mistake: str) -> None:
    table, wanted = MISTAKES[mistake]
    with pytest.raises(ConfigurationError) as refused:
        notifiers(table)
    assert wanted in refused.value.message
    hidden = [SECRET.removeprefix("whsec_"), "s3cr3t", "hooks.example", "MDEyMzQ1"]
    assert not any(each in refused.value.message for each in hidden)


def test_production_wants_https(tmp_path: Path) -> None:
    strict = OutboundClient(rules_for(production=True))
    with pytest.raises(ConfigurationError) as refused:
        notifiers({**ONE, "url": "http://hooks.example.test/"}, outbound=strict)
    assert refused.value.message == "plugins.webhook.url: must start with https://"


@pytest.mark.parametrize("size", [24, 32, 64])
@pytest.mark.parametrize("padding", ["=", ""])
def test_secrets_of_every_allowed_size_are_taken_padded_or_not(size: int, padding: str) -> None:
    secret = whsec(size) if padding else whsec(size).rstrip("=")
    assert len(notifiers({"url": URL, "secrets": [secret]})) == 1


def test_the_product_names_the_key_at_its_start(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        '[plugins.webhook]\nurl = "ftp://x"\nsecrets = ["' + SECRET + '"]'
    )
    with pytest.raises(PluginError, match=r"plugins\.webhook\.url: must start with https://"):
        Margins.from_toml(tmp_path / "m.toml")
