"""The certificate is that of the name, though the connection goes to an address."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from nullspend_margins import ServiceUnavailable
from tests.outbound.receivers import NAME, Authority, client, names, receiving


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_a_certificate_of_the_name_is_accepted_and_the_name_is_told(
    authority: Authority,
) -> None:
    told: list[str | None] = []
    tls = authority.server(NAME)
    tls.sni_callback = lambda _socket, name, _context: told.append(name)
    async with receiving(tls=tls) as receiver:
        found = await client(tls=authority.trusted).post(
            f"https://{NAME}:{receiver.port}/x", content=b"{}"
        )
    assert found.body == b"ok"
    assert receiver.received[0].headers["host"] == f"{NAME}:{receiver.port}"
    assert told == [NAME]


@pytest.mark.parametrize("written", ["HOOKS.example.test", "hooks.example.test."])
async def test_the_name_may_be_written_otherwise(authority: Authority, written: str) -> None:
    async with receiving(tls=authority.server(NAME)) as receiver:
        found = await client(tls=authority.trusted).post(
            f"https://{written}:{receiver.port}/", content=b"{}"
        )
    assert found.status == 200


async def test_an_international_name_is_checked_in_ascii(authority: Authority) -> None:
    name = "xn--bcher-kva.example"
    async with receiving(tls=authority.server(name)) as receiver:
        found = await client(names("127.0.0.1", name=name), tls=authority.trusted).post(
            f"https://Bücher.example:{receiver.port}/", content=b"{}"
        )
    assert found.status == 200


@pytest.mark.parametrize("certified", ["other.example.test", "127.0.0.1", "example.test"])
async def test_a_certificate_of_another_name_is_not_and_nothing_is_sent(
    authority: Authority, certified: str
) -> None:
    """Not even one of the address that is connected to."""
    async with receiving(tls=authority.server(certified)) as receiver:
        with pytest.raises(ServiceUnavailable) as failed:
            await client(tls=authority.trusted).post(
                f"https://{NAME}:{receiver.port}/", content=b"{}"
            )
    assert failed.value.message == (
        f"{NAME} cannot be reached: its certificate is not accepted: Hostname mismatch, "
        f"certificate is not valid for '{NAME}'. Try again later."
    )
    assert receiver.received == []


async def test_a_certificate_of_an_unknown_authority_is_not(authority: Authority) -> None:
    async with receiving(tls=authority.server(NAME)) as receiver:
        with pytest.raises(ServiceUnavailable, match="its certificate is not accepted: unable to"):
            await client().post(f"https://{NAME}:{receiver.port}/", content=b"{}")
    assert receiver.received == []


async def test_an_operators_own_authority_is_named_by_the_environment(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "authorities.pem").write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    async with receiving(tls=authority.server(NAME)) as receiver:
        found = await client().post(f"https://{NAME}:{receiver.port}/", content=b"{}")
    assert found.status == 200


async def test_a_url_with_an_address_needs_a_certificate_of_that_address(
    authority: Authority,
) -> None:
    for certified, accepted in (("127.0.0.1", True), (NAME, False)):
        async with receiving(tls=authority.server(certified)) as receiver:
            own = client(names("127.0.0.1", name="127.0.0.1"), tls=authority.trusted)
            url = f"https://127.0.0.1:{receiver.port}/"
            if accepted:
                assert (await own.post(url, content=b"{}")).status == 200
            else:
                with pytest.raises(ServiceUnavailable, match="IP address mismatch"):
                    await own.post(url, content=b"{}")


async def test_a_server_without_tls_gets_nothing() -> None:
    received = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.read(65536))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(ServiceUnavailable, match="cannot be reached: no TLS connection"):
            await client().post(f"https://{NAME}:{port}/s3cr3t", content=b"{}")
    assert NAME.encode() in received  # the hello, which names the server
    assert b"s3cr3t" not in received


async def test_old_tls_is_not_spoken(authority: Authority) -> None:
    tls = authority.server(NAME)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning):
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    async with receiving(tls=tls) as receiver:
        with pytest.raises(ServiceUnavailable, match="cannot be reached: no TLS connection"):
            await client(tls=authority.trusted).post(
                f"https://{NAME}:{receiver.port}/", content=b"{}"
            )
    assert receiver.received == []


async def test_authorities_that_cannot_be_read_are_told_and_stop_no_plain_http(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing of use")
    for file in (tmp_path / "missing.pem", broken):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        own = client()
        with pytest.raises(ServiceUnavailable, match="SSL_CERT_FILE"):
            await own.post(f"https://{NAME}/", content=b"{}")
        async with receiving() as receiver:
            answer = await own.post(f"http://{NAME}:{receiver.port}/", content=b"{}")
        assert answer.is_success
