"""What ``[plugins.webhook]`` may say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from nullspend_margins import Secret
from nullspend_margins_webhook.signing import secret_problem

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,48}[a-z0-9])?")
_MOST_SECRETS = 5


def _name_problem(name: str) -> str | None:
    if _NAME.fullmatch(name):
        return None
    return "must be 1 to 50 small letters, digits, - and _, for example billing-team"


def _secrets_problem(secrets: tuple[Secret, ...]) -> str | None:
    if not 1 <= len(secrets) <= _MOST_SECRETS:
        return f"must list 1 to {_MOST_SECRETS} secrets; it lists {len(secrets)}"
    found = (secret_problem(secret.reveal().strip()) for secret in secrets)
    return next((each for each in found if each is not None), None)


def _orgs_problem(orgs: tuple[str, ...]) -> str | None:
    return None if orgs else "lists no org. Leave it away to send the alerts of every org"


_URL = {"help": "Where alerts are posted; `https://` in production", "unit": "URL"}
_SECRETS = {
    "help": "Sign every request, each with its own signature: `whsec_` and base64 of 24 to 64 "
    "random bytes. While a receiver changes its secret, list the old and the new one",
    "unit": "",
    "check": _secrets_problem,
}
_ORGS = {
    "help": "The orgs whose alerts are sent there. Not set: every org",
    "unit": "",
    "check": _orgs_problem,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One receiver, tried on its own."""

    name: str | None = field(
        default=None,
        metadata={
            "help": "Tells this receiver from the others: its notifier is `webhook.NAME`, without "
            "a name `webhook`",
            "unit": "",
            "check": _name_problem,
        },
    )
    url: Secret = field(metadata=_URL)
    secrets: tuple[Secret, ...] = field(metadata=_SECRETS)
    orgs: tuple[str, ...] | None = field(default=None, metadata=_ORGS)

    @property
    def notifier_name(self) -> str:
        """``webhook`` or ``webhook.NAME``."""
        return "webhook" if self.name is None else f"webhook.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """One receiver in the table itself, any number in ``endpoints``; none is fine, too."""

    url: Secret | None = field(default=None, metadata=_URL)
    secrets: tuple[Secret, ...] = field(default=(), metadata=_SECRETS)
    orgs: tuple[str, ...] | None = field(default=None, metadata=_ORGS)
    endpoints: tuple[Endpoint, ...] = field(
        default=(),
        metadata={
            "help": "More receivers: tables `[[plugins.webhook.endpoints]]` with these keys and a "
            "`name`",
            "unit": "",
        },
    )

    def __post_init__(self) -> None:
        if self.url is None and (self.secrets or self.orgs):
            raise ValueError("url is missing, so that secrets and orgs lead nowhere")
        if self.url is not None and not self.secrets:
            raise ValueError("secrets is missing: a receiver could not tell who sent an alert")
        counted = Counter(endpoint.name for _, endpoint in self.located)
        for name in (name for name, count in counted.items() if count > 1):
            called = "have no name" if name is None else f'are called "{name}"'
            raise ValueError(f"two endpoints {called}; give each its own")

    @property
    def located(self) -> Sequence[tuple[str, Endpoint]]:
        """Every receiver, with the key of its URL."""
        found = [
            (f"endpoints[{index}].url", endpoint) for index, endpoint in enumerate(self.endpoints)
        ]
        if self.url is not None:
            own = Endpoint(url=self.url, secrets=self.secrets, orgs=self.orgs)
            found.insert(0, ("url", own))
        return found
