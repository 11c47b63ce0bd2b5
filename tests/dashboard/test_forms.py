"""What forms send, within limits."""

import httpx
import pytest

from nullspend_margins.dashboard.forms import MAX_FIELDS, Form, read_form
from nullspend_margins.errors import PayloadTooLarge, UnsupportedMediaType, ValidationFailed
from nullspend_margins.web.bodies import MAX_BODY_BYTES
from nullspend_margins.web.call import Incoming


async def read(request: httpx.Request) -> Form:
    """The form of a request as an HTTP client makes it."""
    sent = [{"type": "http.request", "body": request.read(), "more_body": False}]

    async def receive() -> dict:
        return sent.pop()

    headers = [(name.lower(), value) for name, value in request.headers.raw]
    scope = {"type": "http", "method": "POST", "headers": headers}
    return await read_form(
        Incoming(scope=scope, receive=receive, params={}, document=lambda _mount: b"")
    )


def post(**what: object) -> httpx.Request:
    return httpx.Request("POST", "http://host.example/", **what)


async def test_fields_come_in_their_order_and_as_often_as_sent() -> None:
    form = await read(post(data={"id": ["1", "2"], "name": "Zürich & Co"}))
    assert form.all("id") == ["1", "2"]
    assert (form.get("id"), form.get("name"), form.get("other")) == ("2", "Zürich & Co", "")


async def test_a_file_is_beside_the_fields() -> None:
    form = await read(post(data={"a": "1"}, files={"file": ("x.csv", b"a,b\r\n")}))
    assert (form.get("a"), form.files) == ("1", {"file": b"a,b\r\n"})


async def test_text_to_store_is_checked() -> None:
    form = await read(post(data={"good": "  acme ", "empty": " ", "long": "x" * 257, "nul": "\0"}))
    assert form.text("good") == "acme"
    for name in ("empty", "long", "nul", "missing"):
        with pytest.raises(ValidationFailed, match=name):
            form.text(name)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
async def test_other_bodies_are_refused(kind: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        await read(post(content=b"a=1", headers={"Content-Type": kind}))


@pytest.mark.parametrize(
    "request_",
    [
        post(data={f"f{n}": "" for n in range(MAX_FIELDS + 1)}),
        post(files=[("a", b"1"), ("b", b"2")]),
        post(content=b"no parts", headers={"Content-Type": "multipart/form-data; boundary=x"}),
        post(content=b"--x\r\n", headers={"Content-Type": "multipart/form-data"}),
    ],
    ids=["too many fields", "two files", "not multipart", "no boundary"],
)
async def test_what_cannot_be_read_is_told(request_: httpx.Request) -> None:
    with pytest.raises(ValidationFailed):
        await read(request_)


async def test_a_form_has_a_limit() -> None:
    with pytest.raises(PayloadTooLarge):
        await read(post(data={"a": "x" * MAX_BODY_BYTES}))
