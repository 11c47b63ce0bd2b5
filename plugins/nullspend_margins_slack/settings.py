"""What ``[plugins.slack]`` may say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from nullspend_margins import Secret

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,48}[a-z0-9])?")
_LINK = re.compile(r"https?://[!-~]+")
_MAX_LINK = 500


def _name_problem(name: str) -> str | None:
    if _NAME.fullmatch(name):
        return None
    return "must be 1 to 50 small letters, digits, - and _, for example billing-team"


def _orgs_problem(orgs: tuple[str, ...]) -> str | None:
    return None if orgs else "lists no org. Leave it away to send the alerts of every org"


def _link_problem(link: str) -> str | None:
    """Slack ends a link at ``|`` and ``>``."""
    if len(link) <= _MAX_LINK and _LINK.fullmatch(link) and not set("<>|") & set(link):
        return None
    return f"must be an http:// or https:// URL of at most {_MAX_LINK} characters, percent-encoded"


_URL = {"help": "An incoming webhook of Slack. It is a secret: who has it can post", "unit": "URL"}
_ORGS = {
    "help": "The orgs whose alerts are posted there. Not set: every org",
    "unit": "",
    "check": _orgs_problem,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One incoming webhook, and so one channel, tried on its own."""

    name: str | None = field(
        default=None,
        metadata={
            "help": "Tells this channel from the others: its notifier is `slack.NAME`, without a "
            "name `slack`",
            "unit": "",
            "check": _name_problem,
        },
    )
    url: Secret = field(metadata=_URL)
    orgs: tuple[str, ...] | None = field(default=None, metadata=_ORGS)

    @property
    def notifier_name(self) -> str:
        """``slack`` or ``slack.NAME``."""
        return "slack" if self.name is None else f"slack.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """One channel in the table itself, any number in ``channels``; none is fine, too."""

    url: Secret | None = field(default=None, metadata=_URL)
    orgs: tuple[str, ...] | None = field(default=None, metadata=_ORGS)
    link: str | None = field(
        default=None,
        metadata={
            "help": "A page with the margins, linked below each message",
            "unit": "URL of at most 500 characters",
            "check": _link_problem,
        },
    )
    channels: tuple[Channel, ...] = field(
        default=(),
        metadata={
            "help": "More channels: tables `[[plugins.slack.channels]]` with `name`, `url` and "
            "`orgs`",
            "unit": "",
        },
    )

    def __post_init__(self) -> None:
        if self.url is None and self.orgs:
            raise ValueError("url is missing, so that orgs leads nowhere")
        counted = Counter(channel.name for _, channel in self.located)
        for name in (name for name, count in counted.items() if count > 1):
            called = "have no name" if name is None else f'are called "{name}"'
            raise ValueError(f"two channels {called}; give each its own")

    @property
    def located(self) -> Sequence[tuple[str, Channel]]:
        """Every channel, with the key of its URL."""
        found = [(f"channels[{index}].url", channel) for index, channel in enumerate(self.channels)]
        if self.url is not None:
            found.insert(0, ("url", Channel(url=self.url, orgs=self.orgs)))
        return found
