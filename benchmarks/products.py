"""The product as a benchmark holds it: configured, and asked over HTTP without a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

from nullspend_margins import Margins
from nullspend_margins.builtin.sessions import sign_session

ORG = "org_bench"

_SECRETS: dict[str, Mapping[str, object]] = {
    "session": {"secret_keys": ["benchmark-session-key-0123456789abcdef"]},
    "encryption": {"keys": ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]},
    "cron": {"secret": "benchmark-cron-secret-0123456789"},
    "plans": {"orgs": {ORG: "pro"}},
}


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still."""

    moment: datetime

    def now(self) -> datetime:
        """The one moment."""
        return self.moment


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    def require(self, status: int) -> bytes:
        """The body of an answer that must have this status."""
        if self.status != status:
            raise RuntimeError(f"{self.status} instead of {status}: {self.body[:500]!r}")
        return self.body


def product(
    database_url: str, *, now: datetime | None = None, **sections: Mapping[str, object]
) -> Margins:
    """The product over a database."""
    clock = FixedClock(now) if now is not None else None
    return Margins({"database": {"url": database_url}, **_SECRETS, **sections}, clock=clock)


def signed_in(margins: Margins, role: str = "admin") -> list[tuple[bytes, bytes]]:
    """The headers of a person of ``ORG``."""
    config, clock = margins.config, margins._clock
    value = sign_session(config, org_id=ORG, user_id="bench", role=role, clock=clock)
    return [(b"cookie", f"{config.session.cookie_name}={value}".encode())]


def scope(method: str, target: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """An HTTP request as a server hands it to an application."""
    url = urlsplit(target)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": url.path,
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": [(b"host", b"host.example"), *headers],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


async def call(
    app: ASGIApp,
    method: str,
    target: str,
    headers: list[tuple[bytes, bytes]],
    body: bytes = b"",
) -> Answer:
    """One request, straight into ``app``."""
    return await answered(app, scope(method, target, headers), body)


async def answered(app: ASGIApp, asked: dict[str, Any], body: bytes = b"") -> Answer:
    """What ``app`` answers to a ``scope``: no socket and no client's work is measured with it."""
    status, received = 0, list[bytes]()
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return unread.pop() if unread else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            received.append(message.get("body", b""))

    await app(asked, receive, send)
    return Answer(status, b"".join(received))
