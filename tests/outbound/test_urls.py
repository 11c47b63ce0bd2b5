"""What a URL must look like, and hostile ones that look like something else."""

from __future__ import annotations

import pytest

from nullspend_margins import OutboundRefused
from nullspend_margins.outbound.client import OutboundClient
from nullspend_margins.outbound.target import MAX_URL, read_target, rules_for
from tests.outbound.receivers import Names, names, words

PRODUCTION = rules_for(production=True)
DEVELOPMENT = rules_for(production=False)
SECRET = "/T00/B00/s3cr3t?token=s3cr3t"

# Every notation goes to the machine's own resolver, which asks nobody about numbers.
INTERNAL = words("""
127.0.0.1 127.0.0.1. 127.1 127.0.1 2130706433 0x7f000001 0x7F.0.0.1 017700000001
127。0。0。1 0 0.0.0.0 0x0 localhost localhost. LOCALHOST
[::1] [0:0:0:0:0:0:0:1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::7f00:1]
[64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2002:a00:1::1]
[2001:0:7f00:1::1] [fe80::1] [fe80::1%25lo] [fe80::1%lo] [::1%25lo] [fec0::1] [fd00::1]
10.0.0.1 10.1 167772161 172.16.0.1 192.168.0.1 100.64.0.1 192.88.99.1 198.18.0.1 224.0.0.1
255.255.255.255 240.0.0.1
169.254.169.254 169.254.169.254. 2852039166 0xA9FEA9FE [fd00:ec2::254]
[::ffff:169.254.169.254] [64:ff9b::a9fe:a9fe] 168.63.129.16 100.100.100.200
""")


@pytest.mark.parametrize("host", INTERNAL)
@pytest.mark.parametrize("port", ["", ":8443"])
async def test_an_internal_address_is_refused_in_every_notation(host: str, port: str) -> None:
    client = OutboundClient(PRODUCTION)
    with pytest.raises(OutboundRefused) as refused:
        await client.post(f"https://{host}{port}{SECRET}", content=b"{}")
    assert "is not allowed: it is " in refused.value.message
    assert "s3cr3t" not in refused.value.message


REFUSED_IN_DEVELOPMENT = words("""
169.254.169.254 0.0.0.0 [::] [fe80::1] [fe80::1%25lo] [fd00:ec2::254]
224.0.0.1 100.64.0.1 192.0.2.1 [64:ff9b::a9fe:a9fe]""")


@pytest.mark.parametrize("host", REFUSED_IN_DEVELOPMENT)
async def test_development_allows_loopback_and_private_addresses_and_no_more(host: str) -> None:
    with pytest.raises(OutboundRefused):
        await OutboundClient(DEVELOPMENT).post(f"http://{host}/", content=b"{}")
    for allowed in ("127.0.0.1", "10.0.0.1", "[::1]"):
        assert OutboundClient(DEVELOPMENT).url_problem(f"http://{allowed}/") is None


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "::1"]])
async def test_one_internal_address_behind_a_name_is_enough_to_refuse_it(
    addresses: list[str],
) -> None:
    lookup = names(*addresses)
    client = OutboundClient(PRODUCTION, lookup=lookup)
    assert client.url_problem(f"https://hooks.example.test{SECRET}") is None
    with pytest.raises(OutboundRefused) as refused:
        await client.post(f"https://hooks.example.test{SECRET}", content=b"{}")
    assert refused.value.message == (
        "hooks.example.test leads to an address that is not allowed: it is private. Use a public "
        "address, or let the operator list its network in [outbound] allow_networks."
    )
    assert lookup.asked == [("hooks.example.test", 443)]


async def test_what_can_never_be_allowed_is_not_suggested() -> None:
    client = OutboundClient(PRODUCTION, lookup=names("169.254.169.254"))
    with pytest.raises(OutboundRefused) as refused:
        await client.post("https://hooks.example.test/", content=b"{}")
    assert refused.value.message.endswith(
        "it is a metadata service of a cloud. Use a public address."
    )


BAD = {
    "": "must start with https://",
    "hooks.example.com": "must start with https://",
    "//hooks.example.com/x": "must start with https://",
    "https:hooks.example.com": "cannot be read|must name a host",
    "ftp://hooks.example.com/": "must start with https://",
    "file:///etc/passwd": "must start with https://",
    "gopher://127.0.0.1:6379/_x": "must start with https://",
    "https:///path": "must name a host",
    "https://./": "must name a host",
    "https://.../": "must name a host",
    "https://a..b/": "must name a host",
    "https://-a.example/": "must name a host",
    "https://*.example/": "must name a host",
    "https://%31%32%37.0.0.1/": "must name a host",
    f"https://{'a' * 64}.example/": "must name a host",
    f"https://{'a.' * 130}example/": "must name a host",
    "https://\uff11\uff12\uff17.0.0.1/": "cannot be read as a URL",
    "https://0177.0.0.1/": "cannot be read as a URL",
    "https://0251.0376.0251.0376/": "cannot be read as a URL",
    "https://user@hooks.example.com/": "must not contain a user",
    "https://user:s3cr3t@hooks.example.com/": "must not contain a user",
    "https://:@hooks.example.com/": "must not contain a user",
    "https://evil.example\\@hooks.example.com/": "must not contain white space",
    "https://hooks.example.com/\r\nX: y": "must not contain white space",
    "https://hooks.example.com/a b": "must not contain white space",
    " https://hooks.example.com/": "must not contain white space",
    "https://hooks.example.com:0/": "must have a port",
    "https://hooks.example.com:65536/": "must have a port",
    "https://hooks.example.com:port/": "cannot be read as a URL",
    "https://[::1/": "cannot be read as a URL",
    f"https://hooks.example.com/{'x' * MAX_URL}": "must be at most",
}


@pytest.mark.parametrize("url", BAD)
async def test_a_bad_url_is_told_at_the_start_and_refused_later(url: str) -> None:
    lookup = Names()
    client = OutboundClient(DEVELOPMENT, lookup=lookup)
    problem = client.url_problem(url) or ""
    assert any(problem.startswith(each) for each in BAD[url].split("|"))
    assert not any(part in problem for part in ("s3cr3t", "passwd", "evil", "_x"))
    with pytest.raises(OutboundRefused):
        await client.post(url, content=b"{}")
    assert lookup.asked == []


def test_production_takes_https_alone() -> None:
    assert OutboundClient(PRODUCTION).url_problem("http://hooks.example.com/") == (
        "must start with https://"
    )
    assert OutboundClient(DEVELOPMENT).url_problem("http://hooks.example.com/") is None


@pytest.mark.parametrize(
    ("url", "host", "authority"),
    [
        ("https://hooks.example.com/x", "hooks.example.com", "hooks.example.com"),
        ("HTTPS://Hooks.Example.COM:443/", "hooks.example.com", "hooks.example.com"),
        ("https://hooks.example.com.:8443/", "hooks.example.com", "hooks.example.com:8443"),
        ("https://Bücher.example/", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("https://faß.example/", "xn--fa-hia.example", "xn--fa-hia.example"),
        ("https://_srv.example/", "_srv.example", "_srv.example"),
        ("https://8.8.8.8:80/", "8.8.8.8", "8.8.8.8:80"),
        ("https://[2606:4700::1111]:444/", "2606:4700::1111", "[2606:4700::1111]:444"),
    ],
)
def test_a_host_is_read_as_the_certificate_and_the_host_header_have_it(
    url: str, host: str, authority: str
) -> None:
    target = read_target(url, PRODUCTION)
    assert (target.host, target.authority) == (host, authority)


def test_what_is_configured_takes_the_place_of_the_environments_default() -> None:
    strict = OutboundClient(rules_for(production=False, allow_networks=[]))
    assert "not allowed: it is loopback" in (strict.url_problem("http://127.0.0.1/") or "")
    own = OutboundClient(rules_for(production=True, allow_networks=["10.1.0.0/16"]))
    assert own.url_problem("https://10.1.2.3/") is None
    assert "not allowed: it is private" in (own.url_problem("https://10.2.0.1/") or "")
