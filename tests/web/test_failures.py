"""Errors as answers."""

import logging
from typing import Any

import pytest

from nullspend_margins import errors
from nullspend_margins.errors import CredentialRefused, MarginsError, ServiceUnavailable
from nullspend_margins.web.failures import STATUS_OF_CODE
from tests.web.fakes import Web
from tests.web.requests import raw_request

JSON = {"Content-Type": "application/json"}


def test_every_error_that_a_request_may_meet_has_a_status() -> None:
    start_up = (errors.ConfigurationError, errors.PluginError)
    codes = {
        kind.code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, MarginsError) and kind not in start_up
    }
    assert codes == set(STATUS_OF_CODE)


async def test_a_refused_credential_has_stripes_code_for_stripe_alone(web: Web) -> None:
    web.connections.error = CredentialRefused("Stripe says no.")
    for path, code in (
        ("/api/stripe/connect", "stripe_validation_failed"),
        ("/api/connections/stripe", "stripe_validation_failed"),
        ("/api/connections/other", "validation_error"),
    ):
        answer = await web.http.post(path, content=b'{"stripeKey": "rk"}', headers=JSON)
        assert answer.status_code == 400
        assert answer.json() == {
            "error": {"code": code, "message": "Stripe says no.", "details": None}
        }
    assert web.connections.bodies == [{"stripeKey": "rk"}] * 3


async def test_a_defect_shows_nothing_of_itself_but_in_the_log(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await web.http.post("/api/stripe/connect", content=b"{}", headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert "secret internals" not in answer.text
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.name == "nullspend_margins.web"


async def test_a_message_cannot_forge_a_line_of_the_log(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    web.margins.error = ServiceUnavailable("down\nroot: all is well\x1b[2J")
    answer = await web.http.get("/api/margins")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "service_unavailable")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().isprintable()


async def test_every_answer_forbids_caches_and_guessing(web: Web) -> None:
    for path in ("/api/margins", "/nowhere", "/api/margins?period=x"):
        answer = await web.http.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_client_that_leaves_while_sending_is_no_failure(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await raw_request(
        web.app,
        "/api/customer-mappings",
        method="POST",
        headers=[(b"content-type", b"application/json")],
        messages=[{"type": "http.request", "body": b"{", "more_body": True}],
    )
    assert answer is None
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_client_that_leaves_before_its_answer_is_no_failure(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        raise OSError("gone")

    async def receive() -> object:
        return {"type": "http.disconnect"}

    path = "/api/openapi.json"
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    await web.app(scope, receive, send)
    assert [message["status"] for message in sent] == [200]
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.INFO, None)
    assert "went away" in record.getMessage()


async def test_services_that_cannot_start_are_a_503(web: Web) -> None:
    async def broken() -> object:
        raise ServiceUnavailable("The database does not answer.")

    web.app._services = broken
    assert (await web.http.get("/api/margins")).status_code == 503
    assert (await web.http.get("/api/openapi.json")).status_code == 200
