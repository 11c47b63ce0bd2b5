"""Where a request may go, as far as its URL tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from nullspend_margins.outbound.addresses import (
    LOCAL_NETWORKS,
    Address,
    Network,
    address_problem,
    can_be_allowed,
    read_networks,
)

if TYPE_CHECKING:
    import httpx

MAX_URL = 2048
"""The longest URL, in characters."""

_PORTS = {"https": 443, "http": 80}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_MAX_HOST_NAME = 253
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\xa0\\]|\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRules:
    """``needs_https``: plain HTTP is refused. ``allowed``: networks besides public ones."""

    needs_https: bool
    allowed: tuple[Network, ...] = ()


def rules_for(*, production: bool, allow_networks: Iterable[str] | None = None) -> OutboundRules:
    """The rules of an environment.

    ``allow_networks`` is what the operator configured; without it production allows public
    addresses alone, and development loopback and private ones as well. Raises ``ValueError`` for
    what is not a network.
    """
    if allow_networks is not None:
        allowed = read_networks(allow_networks)
    else:
        allowed = () if production else LOCAL_NETWORKS
    return OutboundRules(needs_https=production, allowed=allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A checked URL. ``host`` is a name in ASCII or an IP address, in messages as well."""

    url: httpx.URL
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port for the ``Host`` header; the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.url.scheme] else f"{host}:{self.port}"


def read_target(url: str, rules: OutboundRules) -> Target:
    """``url``, checked by its form. Raises ``ValueError`` saying what is wrong, not its text."""
    if len(url) > MAX_URL:
        raise ValueError(f"must be at most {MAX_URL} characters long")
    if _NEVER_IN_A_URL.search(url):
        raise ValueError("must not contain white space, control characters or backslashes")
    parsed = _parsed(url)
    if parsed is None:
        raise ValueError("cannot be read as a URL")
    if parsed.scheme not in _PORTS or (rules.needs_https and parsed.scheme != "https"):
        raise ValueError(f"must start with https://{'' if rules.needs_https else ' or http://'}")
    if parsed.userinfo:
        raise ValueError("must not contain a user or password")
    port = _PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not 1 <= port <= 65535:
        raise ValueError("must have a port between 1 and 65535")
    host = _checked_host(parsed.raw_host.decode("ascii"), rules)
    return Target(url=parsed, host=host, port=port)


def _parsed(url: str) -> httpx.URL | None:
    """``None`` rather than an exception: what httpx says about a bad URL quotes it."""
    import httpx

    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return None


def _checked_host(host: str, rules: OutboundRules) -> str:
    try:
        literal = ip_address(host)
    except ValueError:
        return _checked_name(host)
    problem = address_problem(literal, rules.allowed)
    if problem is not None:
        raise ValueError(refusal(literal, problem))
    return host


def _checked_name(host: str) -> str:
    # The one dot at the end of a complete name belongs neither into Host nor into a certificate.
    name = host.removesuffix(".")
    if not name:
        raise ValueError("must name a host")
    if len(name) > _MAX_HOST_NAME or not _HOST_NAME.fullmatch(name):
        raise ValueError("must name a host by letters, digits, hyphens and dots")
    return name


def refusal(address: Address, problem: str) -> str:
    """Why nothing is sent to ``address``, after the words that name the host.

    Without the address itself: who sees the message may not know the internal name service.
    """
    remedy = ", or let the operator list its network in [outbound] allow_networks"
    return (
        f"leads to an address that is not allowed: it is {problem}. "
        f"Use a public address{remedy if can_be_allowed(address) else ''}"
    )
