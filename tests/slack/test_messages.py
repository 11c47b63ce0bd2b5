"""What people see in Slack."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins import Alert
from nullspend_margins.testing import sample_stale_alert
from nullspend_margins_slack.message import message_of
from nullspend_margins_slack.text import text_within
from tests.slack.block_kit import length, problems, shown
from tests.slack.support import alert

LINK = "https://app.example.com/billing?view=margins&sort=worst"


def texts(value: Any) -> list[str]:
    """Every text in a message."""
    if isinstance(value, dict):
        return [each for part in value.values() for each in texts(part)]
    if isinstance(value, list):
        return [each for part in value for each in texts(part)]
    return [value] if isinstance(value, str) else []


def fields(message: Any) -> dict[str, str]:
    """The fields of the section by their label."""
    found = [field["text"].split(": ", 1) for field in message["blocks"][1]["fields"]]
    return {label: shown(value) for label, value in found}


def test_a_crossing_is_told_with_all_its_numbers() -> None:
    message: Any = message_of(alert(), LINK)
    assert problems(message) == []
    header, _, context = message["blocks"]
    assert header["text"]["text"] == "Moderate → critical: Acme Corp"
    assert fields(message) == {
        "Customer": "Acme Corp (acme)",
        "Health tier": "moderate → critical",
        "Margin": "25.00% → -5.00%",
        "Revenue": "$100.00",
        "Cost": "$105.00",
        "Period": "2026-04",
    }
    assert [each["text"] for each in context["elements"]] == [
        "Org org_1, alert evt_5c1e",
        f"<{LINK.replace('&', '&amp;')}|Open the margins>",
    ]
    assert message["text"] == (
        "Moderate → critical: Acme Corp. Margin -5.00% in 2026-04: revenue $100.00, cost $105.00."
    )


def test_a_silent_source_is_told_with_its_last_error() -> None:
    message: Any = message_of(sample_stale_alert(), LINK)
    assert problems(message) == []
    assert message["blocks"][0]["text"]["text"] == "No costs from gateway"
    assert fields(message) == {
        "Cost source": "gateway",
        "Last delivered": "2026-04-14 06:00 UTC",
        "Silent for": "30 hours",
        "Last error": "The gateway's database does not answer.",
    }
    assert message["text"] == (
        "No costs from gateway since 2026-04-14 06:00 UTC (30 hours): "
        "margins look better than they are."
    )
    assert "Last error" not in fields(message_of(sample_stale_alert(last_error=None), None))


def test_without_a_link_there_is_none() -> None:
    message: Any = message_of(alert(), None)
    assert len(message["blocks"][2]["elements"]) == 1
    assert "http" not in "".join(texts(message))


@pytest.mark.parametrize(
    ("microdollars", "wanted"),
    [
        (0, "$0.00"),
        (4_999, "$0.00"),
        (5_000, "$0.01"),
        (-5_000, "$0.00"),
        (-5_001, "-$0.01"),
        (1_234_565_000, "$1234.57"),
        (-1_234_567_890, "-$1234.57"),
        (9_007_199_254_740_993_000_000, "$9007199254740993.00"),
    ],
)
def test_amounts_are_exact_and_rounded_as_in_the_csv(microdollars: int, wanted: str) -> None:
    found = fields(message_of(alert(revenue_microdollars=microdollars), None))
    assert found["Revenue"] == wanted


@pytest.mark.parametrize(
    ("ratio", "wanted"),
    [(0, "0.00%"), (0.4999, "49.99%"), (-12.3456, "-1234.56%"), (0.005, "0.50%"), (1, "100.00%")],
)
def test_margins_are_shown_as_percent(ratio: float, wanted: str) -> None:
    found = fields(message_of(alert(margin={"current": ratio}), None))
    assert found["Margin"] == f"25.00% → {wanted}"


def test_a_customer_without_a_name_is_called_by_the_tag_value() -> None:
    message: Any = message_of(alert(customer={"name": None}), None)
    assert message["blocks"][0]["text"]["text"] == "Moderate → critical: acme"
    assert fields(message)["Customer"] == "acme"


def test_tiers_are_words() -> None:
    message: Any = message_of(alert(margin={"currentTier": "at_risk"}), None)
    assert fields(message)["Health tier"] == "moderate → at risk"


HOSTILE = [
    "<!channel>",
    "<!here|here>",
    "<@U123ABC>",
    "<#C123ABC>",
    "<!subteam^S123>",
    "<https://evil.example|Click here>",
    "<mailto:a@evil.example|a>",
    "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;",
    "*bold* _it_ ~no~ `code`",
    ":skull: :+1:",
    "@channel @here #general",
    "https://evil.example/",
    "a\nb\r\n> quoted",
    "\u202egro.elpmaxe",
    "\x00\x1b[31m",
    "A&B <C> \"D\" 'E'",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_customers_name_stays_text(hostile: str) -> None:
    message: Any = message_of(
        alert(customer={"name": hostile, "tagValue": hostile, "stripeId": hostile}), LINK
    )
    assert problems(message) == []
    assert message["mrkdwn"] is False
    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)
    link = message["blocks"][2]["elements"].pop()
    assert link["type"] == "mrkdwn"
    plain = [message["blocks"][0]["text"], *message["blocks"][1]["fields"]]
    plain += message["blocks"][2]["elements"]
    assert all((each["type"], each["emoji"]) == ("plain_text", False) for each in plain)
    visible = "".join(each if each.isprintable() else " " for each in hostile)
    assert shown(message["blocks"][0]["text"]["text"]) == f"Moderate → critical: {visible}"
    assert all(each.isprintable() for each in texts(message))


@pytest.mark.parametrize("letter", ["x", "&", "<", "😀", "é"])
def test_long_names_are_cut_and_the_tiers_stay(letter: str) -> None:
    message: Any = message_of(
        alert(customer={"name": letter * 5000, "tagValue": letter * 5000}), LINK
    )
    assert problems(message) == []
    header = shown(message["blocks"][0]["text"]["text"])
    assert header.startswith("Moderate → critical: ")
    assert header.endswith(f"{letter}…")


@given(st.text(min_size=1), st.integers(10, 40))
def test_a_cut_text_fits_and_is_never_cut_within_an_entity(text: str, most: int) -> None:
    cut = text_within(text, most)
    assert 1 <= length(cut) <= most
    plain = "".join(each if each.isprintable() else " " for each in text)
    assert shown(cut) == plain or plain.startswith(shown(cut).removesuffix("…"))
    assert "&" not in cut.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


def test_an_alert_of_another_form_is_shown_as_it_is() -> None:
    other = Alert(
        alert_id="evt_1", org_id="org_1", type="budget.used <up>", payload={"x": "<!here>" * 900}
    )
    message: Any = message_of(other, LINK)
    assert problems(message) == []
    assert shown(message["blocks"][0]["text"]["text"]) == "budget.used <up>"
    assert shown(message["blocks"][1]["text"]["text"]).startswith('{"x":"<!here>')
    assert shown(message["text"]) == "budget.used <up>"


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"text": "", "blocks": [{"type": "header"}]},
        {"text": "<!channel>", "blocks": [{"type": "divider"}]},
        {"text": "a & b", "blocks": []},
        {"text": "a", "blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": ""}]}]},
        {"text": "a", "blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "a"}}]},
        {"text": "a", "blocks": [{"type": "section"}]},
        {"text": "a", "blocks": [{"type": "context", "elements": []}]},
    ],
)
def test_the_checker_finds_what_slack_would_refuse(broken: dict[str, object]) -> None:
    assert problems(broken)
