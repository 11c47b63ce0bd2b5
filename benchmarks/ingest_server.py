"""A server on uvicorn in a process of its own: the product, or an app that does nothing.

    python -m benchmarks.ingest_server '{"database": "sqlite:////tmp/margins.db"}'

With an empty ``database`` every request is read and answered with a small JSON body: what is
left then is the cost of HTTP itself, in uvicorn and in the client.
"""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from benchmarks.children import answer, arguments, until_parent_ends
from benchmarks.products import ORG, product
from nullspend_margins.app.serving import listen, run, serving

_BODY = b'{"data":{"id":"00000000-0000-4000-8000-000000000000"}}'
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BODY)).encode()),
]


async def nothing(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request and answer."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 201, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


async def main() -> None:
    """Serve until the parent ends."""
    database = arguments()["database"]
    listener = listen("127.0.0.1", 0)
    if not database:
        async with serving(nothing, listener) as url:
            answer({"url": url, "key": ""})
            await until_parent_ends()
        return
    margins = product(database)
    async with margins.lifespan(), serving(margins.app, listener) as url:
        key, _ = await (await margins.services()).keys.create(ORG)
        answer({"url": url, "key": key})
        await until_parent_ends()


if __name__ == "__main__":
    run(main())
