"""Working with the client that a generator made of the served document."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.openapi.served import Served

PACKAGE = "generated_margins_client"


class Client:
    """The generated functions by their names, for one holder of one credential."""

    def __init__(self, url: str, header: str, credential: str) -> None:
        self._client = module("client").AuthenticatedClient(
            base_url=url,
            token=credential,
            prefix="",
            auth_header_name=header,
            httpx_args={"trust_env": False},
        )
        self.http: httpx.Client = self._client.get_httpx_client()

    def __call__(self, function: str, **arguments: Any) -> Any:
        """The typed answer of ``tag.function``."""
        return module(f"api.{function}").sync(client=self._client, **arguments)

    def status(self, function: str, **arguments: Any) -> int:
        """The status of ``tag.function``."""
        answer = module(f"api.{function}").sync_detailed(client=self._client, **arguments)
        return int(answer.status_code)


def module(name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{name}")


@contextmanager
def person(product: Served, role: str) -> Iterator[Client]:
    client = Client(product.url, "Cookie", product.here.cookie(role)["Cookie"])
    with client.http:
        yield client
