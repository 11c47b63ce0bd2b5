"""Requests to real servers on loopback."""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path

import pytest

from nullspend_margins import OutboundRefused, ServiceUnavailable
from nullspend_margins.outbound.addresses import read_networks
from nullspend_margins.outbound.client import OutboundClient
from nullspend_margins.outbound.target import OutboundRules
from nullspend_margins.version import __version__
from tests.outbound.receivers import NAME, OK, SECRET, Names, answer, client, names, receiving


async def test_a_request_goes_to_the_address_that_was_checked_under_the_name() -> None:
    lookup = names("127.0.0.1")
    async with receiving(answer(201, b"taken", X_Seen="yes")) as receiver:
        url = f"http://{NAME}:{receiver.port}{SECRET}"
        found = await client(lookup).post(url, content=b"{}", headers={"X-Own": "1"})
    assert (found.host, found.status, found.body, found.is_success) == (NAME, 201, b"taken", True)
    assert found.headers["x-seen"] == "yes"
    [request] = receiver.received
    assert request.line == f"POST {SECRET} HTTP/1.1"
    assert request.body == b"{}"
    assert request.headers == {
        "user-agent": f"nullspend-margins/{__version__}",
        "accept": "*/*",
        "x-own": "1",
        "host": f"{NAME}:{receiver.port}",
        "accept-encoding": "identity",
        "connection": "close",
        "content-length": "2",
    }
    assert lookup.asked == [(NAME, receiver.port)]


async def test_headers_of_the_connection_are_not_the_callers() -> None:
    async with receiving() as receiver:
        wrong = {
            "host": "internal.example",
            "Content-Length": "7",
            "Transfer-Encoding": "chunked",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
            "User-Agent": "own/1",
        }
        await client().post(f"http://{NAME}:{receiver.port}/", content=b"{}", headers=wrong)
    [request] = receiver.received
    assert request.headers["host"] == f"{NAME}:{receiver.port}"
    assert request.headers["content-length"] == "2"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["connection"] == "close"
    assert "transfer-encoding" not in request.headers
    assert request.headers["user-agent"] == "own/1"


async def test_a_name_is_asked_for_once_however_its_answer_changes() -> None:
    """DNS rebinding: the second answer is another, internal address."""
    lookup = Names(hooks_example_test=[["127.0.0.1"], ["127.0.0.2"]])
    rules = OutboundRules(needs_https=False, allowed=read_networks(["127.0.0.1"]))
    pinned = OutboundClient(rules, lookup=lookup)
    async with (
        receiving() as checked,
        receiving(address="127.0.0.2", port=checked.port) as internal,
    ):
        url = f"http://{NAME}:{checked.port}/"
        assert (await pinned.post(url, content=b"{}")).status == 200
        assert len(lookup.asked) == 1
        with pytest.raises(OutboundRefused):
            await pinned.post(url, content=b"{}")
        assert len(lookup.asked) == 2
    assert (len(checked.received), internal.connections) == (1, 0)


async def test_one_refused_address_keeps_the_others_from_being_used() -> None:
    async with receiving() as receiver:
        mixed = client(names("127.0.0.1", "169.254.169.254"))
        with pytest.raises(OutboundRefused):
            await mixed.post(f"http://{NAME}:{receiver.port}/", content=b"{}")
    assert receiver.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost"])
async def test_an_allowed_address_is_reached_in_every_notation(host: str) -> None:
    rules = OutboundRules(needs_https=False, allowed=read_networks(["127.0.0.0/8", "::1"]))
    async with receiving() as receiver:
        own = OutboundClient(rules)
        assert (await own.post(f"http://{host}:{receiver.port}/", content=b"{}")).body == b"ok"


async def test_an_ipv4_address_in_ipv6s_notation_is_reached_as_what_it_is() -> None:
    async with receiving() as receiver:
        found = await client(names("::ffff:127.0.0.1")).post(
            f"http://{NAME}:{receiver.port}/", content=b"{}"
        )
    assert found.status == 200


async def test_the_next_address_is_tried_where_one_takes_no_connection() -> None:
    async with receiving() as receiver:
        found = await client(names("127.0.0.2", "127.0.0.3", "127.0.0.1")).post(
            f"http://{NAME}:{receiver.port}/", content=b"{}"
        )
    assert found.status == 200
    assert len(receiver.received) == 1


async def test_an_address_that_took_the_request_and_failed_is_the_last() -> None:
    """Whether it acted on the request cannot be known."""
    async with (
        receiving(b"") as silent,
        receiving(address="127.0.0.2", port=silent.port) as other,
    ):
        silent.answers = [[b"not HTTP\r\n\r\n"]]
        with pytest.raises(ServiceUnavailable, match=f"^{NAME} gave no usable answer"):
            await client(names("127.0.0.1", "127.0.0.2")).post(
                f"http://{NAME}:{silent.port}/", content=b"{}"
            )
    assert (len(silent.received), other.connections) == (1, 0)


async def test_a_name_with_endless_addresses_is_given_up() -> None:
    dead = [f"127.0.0.{last}" for last in range(2, 100)]
    async with receiving() as receiver:
        with pytest.raises(ServiceUnavailable, match=f"^{NAME} cannot be reached: no connection"):
            await client(names(*dead, "127.0.0.1")).post(
                f"http://{NAME}:{receiver.port}/", content=b"{}"
            )
    assert receiver.connections == 0


async def test_nobody_listens_nobody_is_there_and_the_name_is_unknown() -> None:
    async with receiving() as gone:
        pass
    for lookup, reason in (
        (names("127.0.0.1"), "cannot be reached: no connection"),
        (names(), "cannot be reached: it has no address"),
        (Names(), "was not found by the name service"),
    ):
        with pytest.raises(ServiceUnavailable, match=f"^{NAME} {reason}"):
            await client(lookup).post(f"http://{NAME}:{gone.port}/", content=b"{}")


async def test_the_machines_own_resolver_says_that_a_name_is_unknown() -> None:
    rules = OutboundRules(needs_https=False)
    with pytest.raises(ServiceUnavailable, match=r"^nobody\.invalid was not found"):
        await OutboundClient(rules).post("http://nobody.invalid/", content=b"{}")


async def test_a_slow_name_service_ends_with_the_time_limit() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    slow = OutboundClient(OutboundRules(needs_https=False), lookup=never, seconds=0.05)
    with pytest.raises(ServiceUnavailable, match="gave no complete answer"):
        await slow.post(f"http://{NAME}/", content=b"{}")


async def test_neither_proxies_nor_netrc_nor_cookies_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(f"machine {NAME} login ada password s3cr3t\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    own = client()
    async with (
        receiving(answer(200, Set_Cookie="a=b; Path=/")) as receiver,
        receiving() as proxy,
    ):
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for _ in range(2):
            await own.post(f"http://{NAME}:{receiver.port}/", content=b"{}")
    assert proxy.connections == 0
    assert len(receiver.received) == 2
    assert not any({"cookie", "authorization"} & set(each.headers) for each in receiver.received)


async def test_no_connection_is_kept() -> None:
    """A kept one would have been checked under the name it was made for."""
    own = client()
    async with receiving(OK) as receiver:
        for _ in range(3):
            await own.post(f"http://{NAME}:{receiver.port}/", content=b"{}")
    assert receiver.connections == 3


async def test_neither_logs_nor_errors_have_the_path_or_the_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    async with (
        receiving(OK, b"bad\r\n\r\n", answer(302, Location="/")) as receiver,
        receiving() as gone,
    ):
        port = receiver.port
        own, blocked = client(), client(names("169.254.169.254"))
        await own.post(f"http://{NAME}:{port}{SECRET}", content=b"{}")
        for each, url in (
            (own, f"http://{NAME}:{port}{SECRET}"),
            (own, f"http://{NAME}:{port}{SECRET}"),
            (own, f"http://{NAME}:{gone.port + 0}\\{SECRET}"),
            (own, f"http://ada:s3cr3t@{NAME}{SECRET}"),
            (own, f"http://{NAME}:s3cr3t/"),
            (blocked, f"http://{NAME}{SECRET}"),
            (client(Names()), f"http://{NAME}{SECRET}"),
            (client(names("127.0.0.9")), f"http://{NAME}:{port}{SECRET}"),
            (client(seconds=0), f"http://{NAME}:{port}{SECRET}"),
        ):
            with pytest.raises(ServiceUnavailable) as failed:
                await each.post(url, content=b"{}")
            told.append("".join(traceback.format_exception(failed.value)))
            told.append(repr(failed.value))
    assert len(told) == 18
    assert "s3cr3t" not in "".join(told)
    assert NAME in caplog.text
    assert "s3cr3t" not in caplog.text
