"""What comes back from real servers on loopback, and what is made of it."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from nullspend_margins import ServiceUnavailable
from nullspend_margins.outbound.contract import MAX_BODY, OutboundAnswer
from tests.outbound.receivers import NAME, SECRET, answer, client, receiving


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_a_failure_that_says_so(status: int) -> None:
    async with (
        receiving(address="127.0.0.2") as internal,
        receiving(
            answer(status, Location=f"http://127.0.0.2:{internal.port}/s3cr3t")
        ) as redirecting,
    ):
        with pytest.raises(ServiceUnavailable) as failed:
            await client().post(f"http://{NAME}:{redirecting.port}/", content=b"{}")
    assert failed.value.message == (
        f"{NAME} answered with a redirect ({status}), and redirects are not followed. "
        "Configure the URL that it leads to."
    )
    assert internal.connections == 0


@pytest.mark.parametrize("status", [200, 204, 400, 404, 410, 429, 500, 503])
async def test_any_other_status_is_an_answer(status: int) -> None:
    async with receiving(answer(status)) as receiver:
        found = await client().post(f"http://{NAME}:{receiver.port}/", content=b"{}")
    assert (found.status, found.is_success) == (status, status < 300)


async def test_a_huge_body_is_read_to_the_limit_and_no_further() -> None:
    endless = [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", *[b"x" * 65536] * 1000]
    async with receiving(endless) as receiver:
        found = await client().post(f"http://{NAME}:{receiver.port}/", content=b"{}")
    assert found.body == b"x" * MAX_BODY


@pytest.mark.parametrize(("limit", "read"), [(0, b""), (3, b"slo"), (99_999_999, b"slow")])
async def test_no_more_of_a_body_is_waited_for_than_is_wanted(limit: int, read: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    parts = [head, b"slow"] if limit > 3 else [head, read, b""]  # and then it goes silent
    async with receiving([each for each in parts if each or limit <= 3]) as receiver:
        url = f"http://{NAME}:{receiver.port}/"
        found = await client(seconds=5).post(url, content=b"{}", max_body=limit)
    assert (found.status, found.body) == (200, read)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30", 30),
        (" 7 ", 7),
        ("Sun, 15 Nov 2026 12:01:00 GMT", 60),
        ("Sun, 15 Nov 2026 11:59:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("1e9", None),
        ("\u0663", None),
        ("9" * 5000, 999_999_999),
        ("Sun, 15 Nov 99999 12:01:00 GMT", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(written: str, seconds: float | None) -> None:
    found = OutboundAnswer(host=NAME, status=429, headers={"retry-after": written}, body=b"")
    assert found.retry_after_seconds(datetime(2026, 11, 15, 12, tzinfo=UTC)) == seconds
    silent = OutboundAnswer(host=NAME, status=429, headers={}, body=b"")
    assert silent.retry_after_seconds(datetime(2026, 11, 15, 12, tzinfo=UTC)) is None


async def test_a_compressed_body_stays_compressed() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    assert len(bomb) < MAX_BODY
    async with receiving(answer(200, bomb, Content_Encoding="gzip")) as receiver:
        found = await client().post(f"http://{NAME}:{receiver.port}/", content=b"{}")
    assert found.body == bomb


@pytest.mark.parametrize(
    "parts",
    [
        [b""],
        [b"HTTP/1.1 200 OK\r\n", b""],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx", b""],
        [b"HTTP/1.1 102 Wait\r\n\r\n", b"HTTP/1.1 102 Wait\r\n\r\n", b""],
    ],
    ids=["no answer", "half a head", "half a body", "wait, and wait"],
)
async def test_a_slow_answer_ends_with_the_time_limit(parts: list[bytes]) -> None:
    async with receiving(parts) as receiver:
        with pytest.raises(ServiceUnavailable, match=f"^{NAME} gave no complete answer within 0.2"):
            await client(seconds=0.2).post(f"http://{NAME}:{receiver.port}/", content=b"{}")


@pytest.mark.parametrize(
    "parts",
    [
        [b"SSH-2.0-OpenSSH_9.9\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"],
        [b"HTTP/1.1 200 OK\r\n", *[b"X-Endless: " + b"x" * 1000 + b"\r\n"] * 200],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ],
    ids=["not HTTP", "a short body", "endless headers", "a broken chunk"],
)
async def test_a_broken_answer_is_a_failure(parts: list[bytes]) -> None:
    async with receiving(parts) as receiver:
        with pytest.raises(ServiceUnavailable, match=f"^{NAME} gave no usable answer"):
            await client().post(f"http://{NAME}:{receiver.port}{SECRET}", content=b"{}")
