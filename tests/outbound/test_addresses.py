"""Which addresses may be reached."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.outbound.addresses import (
    LOCAL_NETWORKS,
    address_problem,
    networks_problem,
    read_networks,
)
from tests.outbound.receivers import words

PUBLIC = words("""
8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.0.1.1
2606:4700:4700::1111 2a00:1450:4001:800::200e ::ffff:8.8.8.8 64:ff9b::808:808""")

PRIVATE = words("""
10.0.0.1 127.0.0.1 127.255.255.254 172.16.0.1 172.31.255.255 192.168.1.1 ::1 fc00::1
fd12::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1""")

SPECIAL = words("""
100.64.0.1 100.127.255.255 192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1
203.0.113.1 240.0.0.1 100::1 2001:20::1 2001:db8::1 3fff::1 4000::1 5f00::1 fec0::1""")

NEVER = words("""
0.0.0.0 0.1.2.3 169.254.169.254 169.254.170.2 169.254.0.1 168.63.129.16 100.100.100.200
192.0.0.192 224.0.0.1 239.255.255.255 255.255.255.255 :: fe80::1 fe80::1%eth0 fd00:ec2::254
::1%lo 2606:4700::1111%eth0 fd20:ce::254 ff02::1 ff0e::1 ::ffff:169.254.169.254
64:ff9b::a9fe:a9fe fd00:c1::a9fe:a9fe fd00:42::42 fd00:a9fe:a9fe::1 fd00:100::100:200
::127.0.0.1 ::8.8.8.8 ::169.254.169.254 ::2 ::0.0.255.255 64:ff9b:1::808:808
64:ff9b:1:a9fe:a9:fe00:: 2001::1 2002:7f00:1:: 2002:808:808:: 2002:a9fe:a9fe::
::ffff:0:127.0.0.1 ::ffff:0:169.254.169.254""")

v4 = st.integers(0, 2**32 - 1).map(IPv4Address)


@pytest.mark.parametrize("written", PUBLIC)
def test_public_addresses_are_allowed(written: str) -> None:
    assert address_problem(ip_address(written)) is None


@pytest.mark.parametrize("written", [*PRIVATE, *SPECIAL, *NEVER])
def test_all_others_are_not(written: str) -> None:
    assert address_problem(ip_address(written))


@pytest.mark.parametrize("written", PRIVATE)
def test_loopback_and_private_networks_can_be_allowed(written: str) -> None:
    assert address_problem(ip_address(written), LOCAL_NETWORKS) is None


@pytest.mark.parametrize("written", [*SPECIAL, *NEVER])
def test_allowing_them_allows_nothing_else(written: str) -> None:
    assert address_problem(ip_address(written), LOCAL_NETWORKS)


@pytest.mark.parametrize("written", NEVER)
def test_some_addresses_cannot_be_allowed(written: str) -> None:
    everything = read_networks(["0.0.0.0/0", "::/0"])
    assert address_problem(ip_address(written), everything)


def test_what_is_allowed_is_allowed_to_its_last_address_and_no_further() -> None:
    allowed = read_networks(["10.1.0.0/16"])
    for written, may in (("10.1.0.0", True), ("10.1.255.255", True), ("10.2.0.0", False)):
        assert (address_problem(ip_address(written), allowed) is None) == may


@given(v4)
def test_an_ipv4_address_is_judged_alike_in_every_dress(address: IPv4Address) -> None:
    plain = address_problem(address)
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        dressed = IPv6Address(int(IPv6Address(prefix)) | int(address))
        assert address_problem(dressed) == plain


@given(st.one_of(v4, st.integers(0, 2**128 - 1).map(IPv6Address)))
def test_nothing_is_allowed_that_python_knows_to_be_special(
    address: IPv4Address | IPv6Address,
) -> None:
    special = (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_link_local
    )
    if special and not any(
        address in ip_network(each) for each in ("64:ff9b::/96", "::ffff:0:0/96")
    ):
        assert address_problem(address)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["10.1.0.0/16", "fd00:1::/32", "192.168.1.7"], None),
        ([], None),
        (["10.1.0.1/16"], '"10.1.0.1/16" is not a network'),
        (["10.0.0.0/8", "intranet"], '"intranet" is not a network'),
        (["169.254.169.254"], '"169.254.169.254" cannot be allowed: it is a metadata service'),
        (["fe80::/64"], '"fe80::/64" cannot be allowed: it is link-local'),
        (["2002::/16"], '"2002::/16" cannot be allowed: it is an IPv4 address within'),
        (["fd00:42::42"], '"fd00:42::42" cannot be allowed: it is a metadata service'),
        (["::ffff:10.0.0.0/104"], '"::ffff:10.0.0.0/104" never applies'),
        (["64:ff9b::/96"], '"64:ff9b::/96" never applies'),
        (["fd12::1%eth0"], '"fd12::1%eth0" never applies'),
        (["::1", "::/0", "64:ff9b::/32"], None),
    ],
)
def test_what_an_operator_writes_is_checked(values: list[str], wanted: str | None) -> None:
    problem = networks_problem(values)
    assert problem is None if wanted is None else (problem or "").startswith(wanted)
