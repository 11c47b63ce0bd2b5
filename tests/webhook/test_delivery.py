"""Alerts as a receiver gets them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import traceback
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from nullspend_margins import OutboundRefused, ServiceUnavailable, ValidationFailed
from nullspend_margins.version import __version__
from tests.outbound.receivers import Received, answer, client, names, receiving
from tests.webhook.support import ALERT, OTHER, SECRET, notifiers, one
from tests.world import FixedClock


def plain_signatures(request: Received) -> tuple[str, list[str]]:
    """The time and the signatures of ``X-NullSpend-Signature``."""
    time, *signatures = request.headers["x-nullspend-signature"].split(",")
    assert time.startswith("t=")
    assert all(each.startswith("v1=") for each in signatures)
    return time[2:], [each[3:] for each in signatures]


async def test_the_body_is_the_payload_as_compact_json() -> None:
    async with receiving() as receiver:
        await one(receiver.port).notify(ALERT)
    [request] = receiver.received
    assert request.line == "POST /margins?token=s3cr3t HTTP/1.1"
    expected = json.dumps(ALERT.payload, ensure_ascii=False, separators=(",", ":"))
    assert request.body == expected.encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"nullspend-margins/{__version__}"
    assert request.headers["webhook-id"] == "evt_5c1e"


async def test_the_official_package_verifies_it() -> None:
    async with receiving() as receiver:
        await one(receiver.port).notify(ALERT)
    [request] = receiver.received
    assert Webhook(SECRET).verify(request.body, dict(request.headers)) == ALERT.payload
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(request.body, dict(request.headers))


async def test_both_signatures_are_as_documented() -> None:
    clock = FixedClock(datetime(2026, 4, 5, 10, 0, 0, 900_000, tzinfo=UTC))
    async with receiving() as receiver:
        await one(receiver.port, clock=clock).notify(ALERT)
    [request] = receiver.received
    at = str(int(datetime(2026, 4, 5, 10, tzinfo=UTC).timestamp()))
    assert request.headers["webhook-timestamp"] == at

    key = bytes(range(32))
    signed = b"evt_5c1e." + at.encode() + b"." + request.body
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{mac}"

    mac = hmac.new(SECRET.encode(), at.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-nullspend-signature"] == f"t={at},v1={mac}"


async def test_white_space_around_a_secret_is_no_part_of_it() -> None:
    async with receiving() as receiver:
        await one(receiver.port, f" {SECRET}\r\n").notify(ALERT)
    [request] = receiver.received
    assert Webhook(SECRET).verify(request.body, dict(request.headers)) == ALERT.payload
    at, [signature] = plain_signatures(request)
    wanted = hmac.new(SECRET.encode(), f"{at}.".encode() + request.body, hashlib.sha256)
    assert signature == wanted.hexdigest()


async def test_while_a_secret_changes_the_old_and_the_new_one_verify() -> None:
    async with receiving() as receiver:
        await one(receiver.port, OTHER, SECRET).notify(ALERT)
    [request] = receiver.received
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(request.body, dict(request.headers)) == ALERT.payload
        at, signatures = plain_signatures(request)
        wanted = hmac.new(secret.encode(), f"{at}.".encode() + request.body, hashlib.sha256)
        assert wanted.hexdigest() in signatures
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    assert len(plain_signatures(request)[1]) == 2


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_what_was_tampered_with_does_not_verify(header: str) -> None:
    async with receiving() as receiver:
        await one(receiver.port).notify(ALERT)
    [request] = receiver.received
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body.replace(b"-0.05", b"+0.05"), dict(request.headers))
    value = request.headers[header]
    changed = {
        "webhook-id": "evt_5c1f",
        "webhook-timestamp": str(int(request.headers["webhook-timestamp"]) + 1),
        "webhook-signature": f"{value[:-3]}{'A' if value[-3] != 'A' else 'B'}{value[-2:]}",
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body, {**request.headers, header: changed[header]})


async def test_each_attempt_has_the_same_id_and_its_own_time() -> None:
    clock = FixedClock(datetime(2020, 1, 1, tzinfo=UTC))
    async with receiving(answer(500), answer(503), answer(204)) as receiver:
        notifier = one(receiver.port, clock=clock)
        for _ in range(2):
            with pytest.raises(ServiceUnavailable):
                await notifier.notify(ALERT)
            clock.advance(hours=1)
        await notifier.notify(ALERT)
    times = [int(each.headers["webhook-timestamp"]) for each in receiver.received]
    assert [each - times[0] for each in times] == [0, 3600, 7200]
    assert {each.headers["webhook-id"] for each in receiver.received} == {"evt_5c1e"}
    assert len({each.body for each in receiver.received}) == 1
    assert len({each.headers["webhook-signature"] for each in receiver.received}) == 3
    # A request that somebody recorded is refused by its time.
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(receiver.received[0].body, dict(receiver.received[0].headers))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_delivered(status: int) -> None:
    async with receiving(answer(status)) as receiver:
        await one(receiver.port).notify(ALERT)
    assert len(receiver.received) == 1


async def test_gone_is_final() -> None:
    async with receiving(answer(410)) as receiver:
        with pytest.raises(ValidationFailed) as failed:
            await one(receiver.port).notify(ALERT)
    assert failed.value.message == "hooks.example.test answered with 410: the endpoint is gone."


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503])
async def test_anything_else_is_tried_again(status: int) -> None:
    async with receiving(answer(status, b"s3cr3t", Location="/s3cr3t")) as receiver:
        with pytest.raises(ServiceUnavailable) as failed:
            await one(receiver.port).notify(ALERT)
    assert "hooks.example.test answered with" in failed.value.message
    assert str(status) in failed.value.message


@pytest.mark.parametrize(("status", "waits"), [(429, 30), (503, 30), (500, None)])
async def test_a_busy_receiver_says_when_to_come_back(status: int, waits: float | None) -> None:
    async with receiving(answer(status, Retry_After="30")) as receiver:
        with pytest.raises(ServiceUnavailable) as failed:
            await one(receiver.port).notify(ALERT)
    assert failed.value.retry_after_seconds == waits


async def test_its_body_is_not_waited_for() -> None:
    async with receiving([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b""]) as receiver:
        await one(receiver.port).notify(ALERT)


async def test_neither_logs_nor_errors_have_the_path_or_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    async with receiving(answer(200), answer(500, b"s3cr3t"), answer(410)) as receiver:
        notifier = one(receiver.port)
        await notifier.notify(ALERT)
        for _ in range(2):
            with pytest.raises((ServiceUnavailable, ValidationFailed)) as failed:
                await notifier.notify(ALERT)
            told += "".join(traceback.format_exception(failed.value)) + repr(failed.value)
    table = {"url": "http://hooks.example.test/s3cr3t", "secrets": [SECRET]}
    [refused] = notifiers(table, outbound=client(names("169.254.169.254")))
    with pytest.raises(OutboundRefused) as failed:
        await refused.notify(ALERT)
    told += "".join(traceback.format_exception(failed.value)) + caplog.text + repr(notifier)
    assert "s3cr3t" not in told
    assert SECRET not in told
