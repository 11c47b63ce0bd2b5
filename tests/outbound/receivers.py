"""Receivers of outbound requests: real servers on loopback, a name service, an authority."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nullspend_margins.outbound.addresses import LOCAL_NETWORKS
from nullspend_margins.outbound.client import OutboundClient
from nullspend_margins.outbound.target import OutboundRules

NAME = "hooks.example.test"
SECRET = "/services/T00/s3cr3t?token=s3cr3t"
"""Path and query that nothing may tell."""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Names:
    """A name service: each name has answers, given in turn; the last one stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.asked: list[tuple[str, int]] = []
        self._answers = {name.replace("_", "."): list(given) for name, given in answers.items()}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        if host not in self._answers:
            raise OSError("no such name")
        left = self._answers[host]
        return left.pop(0) if len(left) > 1 else left[0]


def words(text: str) -> list[str]:
    """A table of single words."""
    return text.split()


def names(*addresses: str, name: str = NAME) -> Names:
    """A name service that knows one name."""
    return Names(**{name.replace(".", "_"): [addresses]})


def client(lookup: Names | None = None, **options: object) -> OutboundClient:
    """A client that may reach this machine, over plain HTTP as well."""
    rules = OutboundRules(needs_https=False, allowed=LOCAL_NETWORKS)
    return OutboundClient(rules, lookup=lookup or names("127.0.0.1"), **options)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came over the line; names of headers in lower case."""

    line: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """A server that answers each request with ``answers`` in turn, the last one again and again.

    An empty ``bytes`` at the end of an answer's parts is not sent: the server then goes silent.
    """

    answers: list[Sequence[bytes]]
    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, in a task of its own."""
        self.connections += 1
        self._open[asyncio.ensure_future(self._serve(reader, writer))] = writer

    async def close(self) -> None:
        """Break the connections off that are still open."""
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rows = head.rstrip("\r\n").split("\r\n")
            headers = dict(row.split(": ", 1) for row in rows)
            headers = {name.lower(): value for name, value in headers.items()}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.received.append(Received(line, headers, body))
            for part in self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]:
                if not part:
                    await reader.read()  # until the client goes away
                writer.write(part)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has heard enough
        finally:
            writer.close()


@asynccontextmanager
async def receiving(
    *answers: bytes | Sequence[bytes],
    address: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Receiver]:
    """A receiver on ``address`` while the block runs; without ``answers`` it says ``ok``."""
    parts = [[each] if isinstance(each, bytes) else each for each in answers or (OK,)]
    receiver = Receiver(parts)
    server = await asyncio.start_server(receiver.accept, address, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await receiver.close()
        await server.wait_closed()


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole HTTP answer; ``_`` in the names of headers stands for ``-``."""
    lines = [f"HTTP/1.1 {status} Because", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """A certificate authority of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name.from_rfc4514_string("CN=Authority of the tests")
        self._certificate = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS_CERTIFICATES, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The certificate of the authority itself."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def trusted(self) -> ssl.SSLContext:
        """What a client needs to trust this authority, and no other."""
        return ssl.create_default_context(cadata=self.pem.decode())

    def server(self, *names: str) -> ssl.SSLContext:
        """A server's side, with a certificate for host names and IP addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(x509.Name([]), key)
            .add_extension(x509.SubjectAlternativeName(list(map(_general, names))), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        """With all that strict clients ask for: Python 3.13 is one."""
        now, ours = datetime.datetime.now(datetime.UTC), self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours), critical=False)
        )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
