"""A Slack on loopback takes the messages, or doesn't."""

from __future__ import annotations

import logging
import traceback

import pytest

from nullspend_margins import OutboundRefused, ServiceUnavailable, ValidationFailed
from tests.outbound.receivers import answer, client, names
from tests.slack.support import OK, alert, notifiers, slack


async def test_slack_takes_the_message() -> None:
    async with slack(link="https://app.example.com/margins") as here:
        await here.notifier.notify(alert())
        [message] = here.messages
        [request] = here.receiver.received
    assert message["blocks"][0]["text"]["text"] == "Moderate → critical: Acme Corp"
    assert "https://app.example.com/margins" in message["blocks"][2]["elements"][1]["text"]
    assert request.line == "POST /services/T00/B00/s3cr3t HTTP/1.1"
    assert request.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "invalid_token"),
        (403, "action_prohibited"),
        (404, "channel_not_found"),
        (404, "no_service"),
        (410, "channel_is_archived"),
    ],
)
async def test_a_webhook_that_is_gone_is_final(status: int, code: str) -> None:
    async with slack(answer(status, code.encode())) as here:
        with pytest.raises(ValidationFailed) as failed:
            await here.notifier.notify(alert())
    assert failed.value.message == (
        f"Slack takes no messages here any more: it answered with {status} ({code}). "
        "Make a new webhook."
    )


async def test_too_many_messages_are_tried_again_and_slacks_wish_is_told() -> None:
    async with slack(answer(429, b"rate_limited", Retry_After="30"), OK) as here:
        with pytest.raises(ServiceUnavailable) as failed:
            await here.notifier.notify(alert())
        await here.notifier.notify(alert())
        assert len(here.messages) == 2
    assert failed.value.message == (
        "Slack did not take the message: it answered with 429 (rate_limited), "
        "and asks to wait 30 s."
    )
    assert failed.value.retry_after_seconds == 30


@pytest.mark.parametrize(
    "given",
    [
        answer(500, b"rollup_error"),
        answer(503),
        answer(400, b"invalid_payload"),
        answer(302, Location="/elsewhere"),
        answer(200, b"<html>a captive portal</html>"),
        answer(200),
        answer(429, b"", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"),
    ],
)
async def test_anything_else_but_ok_is_tried_again(given: bytes) -> None:
    async with slack(given) as here:
        with pytest.raises(ServiceUnavailable) as failed:
            await here.notifier.notify(alert())
    assert "html" not in failed.value.message
    assert "Oct" not in failed.value.message


async def test_neither_logs_nor_errors_have_the_url(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    async with slack(OK, answer(500, b"s3cr3t"), answer(403, b"no/s3cr3t"), b"x\r\n\r\n") as here:
        await here.notifier.notify(alert())
        for _ in range(3):
            with pytest.raises((ServiceUnavailable, ValidationFailed)) as failed:
                await here.notifier.notify(alert())
            told += "".join(traceback.format_exception(failed.value)) + repr(failed.value)
        told += repr(here.notifier)
    [refused] = notifiers(
        {"url": "http://hooks.example.test/s3cr3t"}, outbound=client(names("169.254.169.254"))
    )
    with pytest.raises(OutboundRefused) as failed:
        await refused.notify(alert())
    told += "".join(traceback.format_exception(failed.value)) + caplog.text
    assert "s3cr3t" not in told
