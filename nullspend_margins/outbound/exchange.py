"""One request over one connection to one address.

The transport is used without a client around it: a client would follow cookies, ``.netrc``,
proxies of the environment and its own log line with the URL, and a shared pool would hand a
connection whose certificate was checked for one name to another name at the same address.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

import httpx

from nullspend_margins.errors import ServiceUnavailable
from nullspend_margins.outbound.addresses import Address
from nullspend_margins.outbound.contract import OutboundAnswer, Outgoing
from nullspend_margins.outbound.target import Target
from nullspend_margins.version import __version__

_CONNECT_SECONDS = 3.0
_OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "te", "transfer-encoding"}
)
_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=0)


class NotConnected(Exception):
    """Nothing was sent: another address may be tried. The message is a reason in words."""


async def send_once(
    target: Target, address: Address, tls: ssl.SSLContext, outgoing: Outgoing
) -> OutboundAnswer:
    """Send ``outgoing`` to ``target`` at ``address``; certificates are checked for its name.

    Raises ``NotConnected`` when nothing was sent, ``ServiceUnavailable`` when something was
    and no answer came, or more than is wanted.
    """
    request = _request(target, address, outgoing)
    failure: Exception
    try:
        async with httpx.AsyncHTTPTransport(
            verify=tls, trust_env=False, limits=_ONE_CONNECTION
        ) as transport:
            response = await transport.handle_async_request(request)
            return OutboundAnswer(
                host=target.host,
                status=response.status_code,
                headers=dict(response.headers),
                body=await _body(response, target.host, outgoing),
            )
    except (httpx.ConnectError, httpx.ConnectTimeout) as problem:
        failure = NotConnected(_reason(problem))
    except (httpx.TransportError, OSError) as problem:  # some of TLS come as they are
        failure = ServiceUnavailable(
            f"{target.host} gave no usable answer ({type(problem).__name__}). Try again later."
        )
    # Raised out here: the exceptions of httpx hold the request with its whole URL.
    raise failure


def _request(target: Target, address: Address, outgoing: Outgoing) -> httpx.Request:
    sent = httpx.Headers({"User-Agent": f"nullspend-margins/{__version__}", "Accept": "*/*"})
    sent.update(
        {name: value for name, value in outgoing.headers.items() if name.lower() not in _OURS}
    )
    # Bodies are never decoded, so that a small one can't become a large one.
    sent.update({"Host": target.authority, "Accept-Encoding": "identity", "Connection": "close"})
    return httpx.Request(
        "POST" if outgoing.receive is None else "GET",
        target.url.copy_with(host=str(address), fragment=None),
        headers=sent,
        content=outgoing.content if outgoing.receive is None else None,
        extensions={
            "sni_hostname": target.host,
            "timeout": {"connect": _CONNECT_SECONDS},
        },
    )


async def _body(response: httpx.Response, host: str, outgoing: Outgoing) -> bytes:
    """What is kept of it: nothing where it is received part by part."""
    if outgoing.receive is None:
        return await _read(response, outgoing.max_body)
    if not response.is_success:
        return await _read(response, 0)
    length = 0
    raw = cast("AsyncGenerator[bytes]", response.aiter_raw())
    async with aclosing(response), aclosing(raw) as parts:
        async for part in parts:
            length += len(part)
            if length > outgoing.max_body:
                raise ServiceUnavailable(
                    f"{host} answered with more than {outgoing.max_body:,} bytes, which is the "
                    "most that is read."
                )
            await outgoing.receive(part)
    return b""


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The body as it comes over the line, up to the limit; the rest is never read."""
    if limit <= 0:
        await response.aclose()
        return b""
    body = bytearray()
    raw = cast("AsyncGenerator[bytes]", response.aiter_raw())
    async with aclosing(response), aclosing(raw) as parts:
        async for part in parts:
            body += part
            if len(body) >= limit:
                break
    return bytes(body[:limit])


def _reason(problem: httpx.TransportError) -> str:
    if isinstance(problem, httpx.ConnectTimeout):
        return f"no connection within {_CONNECT_SECONDS:g} s"
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = cause.verify_message.rstrip(".")  # OpenSSL ends some of them with it
            return f"its certificate is not accepted: {said}"
        if isinstance(cause, ssl.SSLError):
            return "no TLS connection"
        cause = cause.__cause__ or cause.__context__
    return "no connection"
