"""Which IP addresses may be reached.

Public ones, and what the operator allows besides. The special-purpose registries of IANA
(RFC 6890) say what is not public; ``ipaddress`` knows most of it, and the tables here the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _named(table: Mapping[str, str]) -> tuple[tuple[Network, str], ...]:
    return tuple((ip_network(network), kind) for network, kind in table.items())


_METADATA = "a metadata service of a cloud"
_EMBEDDED = "an IPv4 address within an IPv6 one"
_NEVER = _named(
    {
        "169.254.169.254/32": _METADATA,
        "168.63.129.16/32": _METADATA,  # Azure; a public address by its number
        "100.100.100.200/32": _METADATA,  # Alibaba
        "192.0.0.192/32": _METADATA,  # Oracle
        "fd00:ec2::/32": _METADATA,  # AWS
        "fd20:ce::/32": _METADATA,  # Google
        "fd00:c1::a9fe:a9fe/128": _METADATA,  # Oracle
        "fd00:42::42/128": _METADATA,  # Scaleway
        "fd00:a9fe:a9fe::1/128": _METADATA,  # Linode
        "fd00:100::100:200/128": _METADATA,  # Alibaba
        "169.254.0.0/16": "link-local",  # credentials of containers on AWS, too
        "fe80::/10": "link-local",
        "0.0.0.0/8": "this host itself",
        "::/128": "this host itself",
        "224.0.0.0/4": "multicast",
        "ff00::/8": "multicast",
        "255.255.255.255/32": "broadcast",
        # Where they lead to is for a translator or a tunnel to say, perhaps to one of the above.
        "::ffff:0:0:0/96": _EMBEDDED,
        "64:ff9b:1::/48": _EMBEDDED,
        "2001::/32": _EMBEDDED,  # Teredo
        "2002::/16": _EMBEDDED,  # 6to4
        **dict.fromkeys(
            map(str, IPv6Network("::/96").address_exclude(IPv6Network("::/127"))), _EMBEDDED
        ),
    }
)
"""No operator can allow these: nobody receives a webhook there."""

_SPECIAL = _named(
    {
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "shared by a carrier",
        "127.0.0.0/8": "loopback",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "reserved for protocols",
        "192.0.2.0/24": "for documentation",
        "192.88.99.0/24": "a 6to4 relay",
        "192.168.0.0/16": "private",
        "198.18.0.0/15": "for benchmarks",
        "198.51.100.0/24": "for documentation",
        "203.0.113.0/24": "for documentation",
        "240.0.0.0/4": "reserved",
        "::1/128": "loopback",
        "2001::/23": "reserved for protocols",
        "2001:db8::/32": "for documentation",
        "3fff::/20": "for documentation",
        "fc00::/7": "private",
        "fec0::/10": "site-local",
    }
)

_IPV6_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that was ever given out (RFC 4291); the rest is embedded or reserved."""
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 behind a translator (RFC 6052): what IPv6-only networks see of the IPv4 Internet."""

LOCAL_NETWORKS: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
"""Loopback and private: what may be reached in development unless it is configured."""


def address_problem(address: Address, allowed: Sequence[Network] = ()) -> str | None:
    """What kind of address this is, when nothing may be sent there; ``None`` when it may.

    An IPv6 address that stands for an IPv4 address is judged as that one.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "of one network interface"
    judged = _embedded(address)
    never = _kind(judged, _NEVER)
    if never is not None:
        return never
    if any(judged in network for network in allowed):
        return None
    special = _kind(judged, _SPECIAL)
    if special is not None:
        return special
    return None if _is_public(judged) else "not public"


def can_be_allowed(address: Address) -> bool:
    """Whether an operator may list it."""
    return _kind(_embedded(address), _NEVER) is None


def unmapped(address: Address) -> Address:
    """An IPv4 address in IPv6's notation (``::ffff:192.0.2.1``) as what it is."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _embedded(address: Address) -> Address:
    if isinstance(address, IPv6Address) and address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return unmapped(address)


def _is_public(address: Address) -> bool:
    return address.is_global and (isinstance(address, IPv4Address) or address in _IPV6_UNICAST)


def _kind(address: Address, table: Iterable[tuple[Network, str]]) -> str | None:
    return next((kind for network, kind in table if address in network), None)


def read_networks(values: Iterable[str]) -> tuple[Network, ...]:
    """Networks and single addresses as written: ``10.1.0.0/16``. Raises ``ValueError``."""
    return tuple(ip_network(value) for value in values)


def networks_problem(values: Iterable[str]) -> str | None:
    """What is wrong with networks that an operator wants to allow, or ``None``."""
    for value in values:
        try:
            network = ip_network(value)
        except ValueError:
            return (
                f'"{value}" is not a network. Write its first address and its length, for '
                'example "10.1.0.0/16", or a single address'
            )
        if isinstance(network, IPv6Network) and _is_never_asked_for(network):
            return (
                f'"{value}" never applies: addresses are judged without an interface, and as the '
                "IPv4 address they stand for. Write the IPv4 network, or leave the interface away"
            )
        for never, kind in _NEVER:
            # Comparing versions tells a type checker nothing.
            if network.version == never.version and network.subnet_of(never):  # type: ignore[arg-type]
                return f'"{value}" cannot be allowed: it is {kind}'
    return None


def _is_never_asked_for(network: IPv6Network) -> bool:
    if network.network_address.scope_id is not None:
        return True
    return network.subnet_of(_MAPPED) or network.subnet_of(_NAT64)
