"""An alert as a Slack message: blocks for people, one line for notifications.

The limits are those of Block Kit (https://docs.slack.dev/reference/block-kit/blocks).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

import msgspec

from nullspend_margins import Alert, format_dollars
from nullspend_margins_slack.text import PlainText, escaped, plain_text, text_within

HEADER_MOST = 150
FIELD_MOST = 2000
TEXT_MOST = 3000

Block = dict[str, object]
Content = TypeVar("Content")


class _Customer(msgspec.Struct):
    tag_value: str = msgspec.field(name="tagValue")
    name: str | None = None


class _Margin(msgspec.Struct, rename="camel"):
    previous: float
    current: float
    previous_tier: str
    current_tier: str


class _Crossing(msgspec.Struct):
    customer: _Customer
    margin: _Margin
    revenue_microdollars: int
    cost_microdollars: int
    period: str


class _Silence(msgspec.Struct):
    source: str
    last_delivered_at: int
    silent_seconds: int
    last_error: str | None = None


class _Data(msgspec.Struct, Generic[Content]):
    object: Content


class _Event(msgspec.Struct, Generic[Content]):
    data: _Data[Content]


class _Told(NamedTuple):
    """What a message says, whatever the alert's type is."""

    title: str
    summary: str
    body: Block


def message_of(alert: Alert, link: str | None) -> dict[str, object]:
    """The JSON object to post. An alert of an unknown type or form is shown as it is."""
    try:
        title, summary, body = _told(alert)
    except msgspec.ValidationError:
        title, summary, body = alert.type, alert.type, _whole(alert)
    return {
        "text": text_within(summary, TEXT_MOST),
        "mrkdwn": False,
        # A customer's name may look like a URL.
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {"type": "header", "text": plain_text(title, HEADER_MOST)},
            body,
            {"type": "context", "elements": _context(alert, link)},
        ],
    }


def _told(alert: Alert) -> _Told:
    """Raises ``ValidationError`` for an unknown form."""
    if alert.type == "cost_source.stale":
        return _told_silence(msgspec.convert(alert.payload, _Event[_Silence]).data.object)
    crossing = msgspec.convert(alert.payload, _Event[_Crossing]).data.object
    title = _title(crossing)
    return _Told(title, f"{title}. {_summary(crossing)}", _section(crossing))


def _told_silence(silence: _Silence) -> _Told:
    title = f"No costs from {silence.source}"
    since = f"{datetime.fromtimestamp(silence.last_delivered_at, UTC):%Y-%m-%d %H:%M} UTC"
    hours = f"{silence.silent_seconds // 3600} hours"
    fields = [
        _field("Cost source", silence.source),
        _field("Last delivered", since),
        _field("Silent for", hours),
    ]
    if silence.last_error is not None:
        fields.append(_field("Last error", silence.last_error))
    summary = f"{title} since {since} ({hours}): margins look better than they are."
    return _Told(title, summary, {"type": "section", "fields": fields})


def _title(crossing: _Crossing) -> str:
    """The tiers come first: a long name may be cut off."""
    tiers = _tiers(crossing)
    name = crossing.customer.name or crossing.customer.tag_value
    return f"{tiers[:1].upper()}{tiers[1:]}: {name}"


def _summary(crossing: _Crossing) -> str:
    return (
        f"Margin {crossing.margin.current:.2%} in {crossing.period}: "
        f"revenue {_dollars(crossing.revenue_microdollars)}, "
        f"cost {_dollars(crossing.cost_microdollars)}."
    )


def _section(crossing: _Crossing) -> Block:
    margin = crossing.margin
    return {
        "type": "section",
        "fields": [
            _field("Customer", _customer(crossing.customer)),
            _field("Health tier", _tiers(crossing)),
            _field("Margin", f"{margin.previous:.2%} → {margin.current:.2%}"),
            _field("Revenue", _dollars(crossing.revenue_microdollars)),
            _field("Cost", _dollars(crossing.cost_microdollars)),
            _field("Period", crossing.period),
        ],
    }


def _whole(alert: Alert) -> Block:
    payload = msgspec.json.encode(dict(alert.payload)).decode()
    return {"type": "section", "text": plain_text(payload, TEXT_MOST)}


def _context(alert: Alert, link: str | None) -> list[PlainText]:
    elements = [plain_text(f"Org {alert.org_id}, alert {alert.alert_id}", FIELD_MOST)]
    if link is not None:
        text = f"<{escaped(link)}|Open the margins>"
        elements.append({"type": "mrkdwn", "text": text, "verbatim": True})
    return elements


def _field(label: str, value: str) -> PlainText:
    return plain_text(f"{label}: {value}", FIELD_MOST)


def _customer(customer: _Customer) -> str:
    if customer.name in (None, customer.tag_value):
        return customer.tag_value
    return f"{customer.name} ({customer.tag_value})"


def _tiers(crossing: _Crossing) -> str:
    tiers = f"{crossing.margin.previous_tier} → {crossing.margin.current_tier}"
    return tiers.replace("_", " ")


def _dollars(microdollars: int) -> str:
    """As in the CSV, with the sign of money: ``-1234567890`` is ``-$1234.57``."""
    amount = format_dollars(microdollars)
    return f"-${amount[1:]}" if amount.startswith("-") else f"${amount}"
