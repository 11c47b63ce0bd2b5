"""Is a request with a cookie the product's own page's doing, or another site's?"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from nullspend_margins.errors import Forbidden

_OWN_SITES = ("same-origin", "none")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def require_own_site(scope: Scope) -> None:
    """Raise ``Forbidden`` for what a page of another origin may have set off.

    Browsers say so in ``Sec-Fetch-Site``; those that do not send it send ``Origin`` with a
    cross-site change. Neither: no browser, or an old one's plain navigation.
    """
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site.strip().lower() in _OWN_SITES:
            return
    else:
        origin = headers.get("origin")
        if origin is None or _is_own(origin, headers.get("host")):
            return
    raise Forbidden("This request comes from another site, so it does not count as yours.")


def _is_own(origin: str, host: str | None) -> bool:
    """Same host and port. The scheme is not compared: a proxy in front may end TLS."""
    try:
        theirs, ours = urlsplit(origin), urlsplit(f"//{host or ''}")
        if theirs.scheme not in _DEFAULT_PORTS or not theirs.hostname:
            return False
        default = _DEFAULT_PORTS[theirs.scheme]
        their_port, our_port = theirs.port or default, ours.port
    except ValueError:
        return False
    if theirs.hostname != ours.hostname:
        return False
    if our_port is None or our_port in _DEFAULT_PORTS.values():
        return their_port == default
    return their_port == our_port
