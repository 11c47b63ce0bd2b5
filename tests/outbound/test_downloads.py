"""Large answers, received part by part from real servers on loopback."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from nullspend_margins import OutboundAnswer, OutboundRefused, ServiceUnavailable
from nullspend_margins.outbound.client import OutboundClient
from nullspend_margins.outbound.contract import MAX_BODY
from nullspend_margins.outbound.target import OutboundRules
from tests.outbound.receivers import (
    NAME,
    SECRET,
    Authority,
    Receiver,
    answer,
    client,
    names,
    receiving,
)


class Kept:
    """What was received."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    async def __call__(self, part: bytes) -> None:
        self.parts.append(part)

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)


async def fetched(
    receiver: Receiver, kept: Kept, most: int = 10_000_000, **options: float
) -> OutboundAnswer:
    url = f"http://{NAME}:{receiver.port}{SECRET}"
    return await client().get(url, receive=kept, max_body=most, **options)


async def test_a_large_body_comes_in_parts_and_is_not_kept() -> None:
    body = bytes(range(256)) * 20_000
    kept = Kept()
    async with receiving(answer(200, body, X_Seen="yes")) as receiver:
        found = await fetched(receiver, kept)
    assert (found.status, found.headers["x-seen"], found.body) == (200, "yes", b"")
    assert kept.body == body
    assert max(map(len, kept.parts)) <= MAX_BODY < len(body)


async def test_it_is_a_get_under_the_rules_of_every_request() -> None:
    async with receiving(answer(200, b"x")) as receiver:
        url = f"http://{NAME}:{receiver.port}{SECRET}"
        headers = {"Accept": "text/csv", "Host": "internal.example", "Accept-Encoding": "gzip"}
        await client().get(url, receive=Kept(), max_body=1, headers=headers)
    [request] = receiver.received
    assert (request.line, request.body) == (f"GET {SECRET} HTTP/1.1", b"")
    assert request.headers["host"] == f"{NAME}:{receiver.port}"
    assert request.headers["accept"] == "text/csv"
    assert request.headers["accept-encoding"] == "identity"
    assert "content-length" not in request.headers


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "until the end"])
async def test_more_than_is_wanted_is_a_failure_and_not_a_part(declared: bool) -> None:
    length = b"Content-Length: 3000000\r\n" if declared else b""
    parts = [b"HTTP/1.1 200 OK\r\n" + length + b"\r\n", *[b"x" * 1_000_000] * 3]
    kept = Kept()
    async with receiving(parts) as receiver:
        with pytest.raises(ServiceUnavailable) as failed:
            await fetched(receiver, kept, most=2_000_000)
    assert failed.value.message == (
        f"{NAME} answered with more than 2,000,000 bytes, which is the most that is read."
    )
    assert len(kept.body) <= 2_000_000


async def test_as_much_as_is_wanted_is_whole() -> None:
    kept = Kept()
    async with receiving(answer(200, b"x" * 1_000)) as receiver:
        await fetched(receiver, kept, most=1_000)
    assert kept.body == b"x" * 1_000


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"],
    ],
    ids=["by its length", "by its chunks"],
)
async def test_a_body_that_breaks_off_is_a_failure(parts: list[bytes]) -> None:
    async with receiving(parts) as receiver:
        with pytest.raises(ServiceUnavailable, match=f"^{NAME} gave no usable answer"):
            await fetched(receiver, Kept())


async def test_a_slow_body_ends_with_the_time_limit_of_the_caller() -> None:
    parts = [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"slow", b""]
    async with receiving(parts) as receiver:
        with pytest.raises(ServiceUnavailable, match=r"gave no complete answer within 0.2 s"):
            await fetched(receiver, Kept(), timeout_seconds=0.2)


@pytest.mark.parametrize("status", [403, 404, 429, 500])
async def test_an_answer_that_is_no_success_has_no_body(status: int) -> None:
    kept = Kept()
    async with receiving(answer(status, b"why", Retry_After="30")) as receiver:
        found = await fetched(receiver, kept)
    assert (found.status, found.headers["retry-after"]) == (status, "30")
    assert (found.body, kept.parts) == (b"", [])


async def test_a_redirect_is_not_followed() -> None:
    async with (
        receiving(answer(200, b"internal"), address="127.0.0.2") as internal,
        receiving(answer(302, Location=f"http://127.0.0.2:{internal.port}/")) as redirecting,
    ):
        with pytest.raises(ServiceUnavailable, match=r"redirect \(302\)"):
            await fetched(redirecting, Kept())
    assert internal.connections == 0


async def test_a_compressed_body_stays_compressed() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    kept = Kept()
    async with receiving(answer(200, bomb, Content_Encoding="gzip")) as receiver:
        found = await fetched(receiver, kept)
    assert (found.headers["content-encoding"], kept.body) == ("gzip", bomb)


@asynccontextmanager
async def never_asked() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver
    assert receiver.connections == 0


async def test_an_address_that_is_not_allowed_is_not_asked() -> None:
    strict = OutboundClient(OutboundRules(needs_https=False), lookup=names("127.0.0.1"))
    async with never_asked() as receiver:
        for host in (NAME, "127.0.0.1"):
            with pytest.raises(OutboundRefused, match="loopback"):
                await strict.get(f"http://{host}:{receiver.port}/", receive=Kept(), max_body=9)


async def test_certificates_are_checked_for_the_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for named, is_good in ((NAME, True), ("other.example.test", False)):
        kept = Kept()
        asking = client(tls=authority.trusted)
        async with receiving(answer(200, b"csv"), tls=authority.server(named)) as receiver:
            url = f"https://{NAME}:{receiver.port}/"
            if is_good:
                await asking.get(url, receive=kept, max_body=9)
            else:
                with pytest.raises(ServiceUnavailable, match="its certificate is not accepted"):
                    await asking.get(url, receive=kept, max_body=9)
        assert kept.body == (b"csv" if is_good else b"")
