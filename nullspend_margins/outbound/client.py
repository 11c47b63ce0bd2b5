"""The outbound client: checks a URL and every address behind it, then sends."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address

from nullspend_margins.errors import OutboundRefused, ServiceUnavailable
from nullspend_margins.outbound.addresses import Address, address_problem, unmapped
from nullspend_margins.outbound.contract import (
    MAX_BODY,
    MAX_SECONDS,
    OutboundAnswer,
    Outgoing,
    Receive,
)
from nullspend_margins.outbound.lookup import Lookup, look_up
from nullspend_margins.outbound.target import OutboundRules, Target, read_target, refusal

_LOOKUP_SECONDS = 5.0
_TOTAL_SECONDS = 10.0
_ADDRESSES_TRIED = 4
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain HTTP: it trusts nobody, and reads no file."""

_log = logging.getLogger("nullspend_margins.outbound")


class OutboundClient:
    """The ``Outbound`` of the product. Belongs to no event loop and keeps no connection open."""

    def __init__(
        self,
        rules: OutboundRules,
        *,
        lookup: Lookup = look_up,
        tls: Callable[[], ssl.SSLContext] | None = None,
        seconds: float = _TOTAL_SECONDS,
    ) -> None:
        self._rules = rules
        self._lookup = lookup
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._seconds = seconds

    def url_problem(self, url: str) -> str | None:
        """Why ``url`` can't be used, without repeating it; ``None`` when it can. No network."""
        try:
            read_target(url, self._rules)
        except ValueError as problem:
            return str(problem)
        return None

    async def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str] | None = None,
        max_body: int = MAX_BODY,
    ) -> OutboundAnswer:
        """Send ``content``; see ``Outbound.post``."""
        outgoing = Outgoing(content, headers or {}, min(max_body, MAX_BODY))
        return await self._ask(url, outgoing, self._seconds)

    async def get(
        self,
        url: str,
        *,
        receive: Receive,
        max_body: int,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = _TOTAL_SECONDS,
    ) -> OutboundAnswer:
        """Fetch ``url``; see ``Outbound.get``."""
        outgoing = Outgoing(b"", headers or {}, max_body, receive)
        return await self._ask(url, outgoing, min(timeout_seconds, MAX_SECONDS))

    async def _ask(self, url: str, outgoing: Outgoing, seconds: float) -> OutboundAnswer:
        try:
            target = read_target(url, self._rules)
        except ValueError as problem:
            raise OutboundRefused(f"The URL {problem}.") from problem
        answer = await self._answer(target, outgoing, seconds)
        if 300 <= answer.status < 400:
            raise ServiceUnavailable(
                f"{target.host} answered with a redirect ({answer.status}), and redirects are not "
                "followed. Configure the URL that it leads to."
            )
        return answer

    async def _answer(self, target: Target, outgoing: Outgoing, seconds: float) -> OutboundAnswer:
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._addresses(target)
                return await self._first_to_connect(target, addresses, outgoing)
        except TimeoutError as problem:
            raise ServiceUnavailable(
                f"{target.host} gave no complete answer within {seconds:g} s. Try again later."
            ) from problem

    async def _addresses(self, target: Target) -> Sequence[Address]:
        """Looked up once; each of them is allowed, or none is used."""
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                written = await self._lookup(target.host, target.port)
        except OSError as problem:  # a time-out, too
            raise ServiceUnavailable(
                f"{target.host} was not found by the name service. Is the name right?"
            ) from problem
        addresses = [ip_address(each) for each in written]
        for address in addresses:
            kind = address_problem(address, self._rules.allowed)
            if kind is not None:
                _log.info("%s leads to %s, which is %s", target.host, address, kind)
                raise OutboundRefused(f"{target.host} {refusal(address, kind)}.")
        return [unmapped(each) for each in addresses]

    async def _first_to_connect(
        self, target: Target, addresses: Sequence[Address], outgoing: Outgoing
    ) -> OutboundAnswer:
        from nullspend_margins.outbound.exchange import NotConnected, send_once

        tls = await self._tls_context() if target.url.scheme == "https" else _NO_TLS
        reasons = []
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                return await send_once(target, address, tls, outgoing)
            except NotConnected as problem:
                reasons.append(str(problem))
        said = "; ".join(dict.fromkeys(reasons)) or "it has no address"
        raise ServiceUnavailable(f"{target.host} cannot be reached: {said}. Try again later.")

    async def _tls_context(self) -> ssl.SSLContext:
        """Made once, in a thread: reading the authorities takes tens of milliseconds."""
        if self._tls is None:
            from httpx import create_ssl_context

            try:
                self._tls = await asyncio.to_thread(self._make_tls or create_ssl_context)
            except OSError as problem:  # an SSLError, too
                raise ServiceUnavailable(
                    "The certificate authorities to trust cannot be read. Look at the environment "
                    "variables SSL_CERT_FILE and SSL_CERT_DIR."
                ) from problem
        return self._tls
