"""What each test would make anew, always the same, or wait for, with nothing to show for it."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path
from types import CodeType
from typing import Any

import httpx
import pytest
import uvicorn.server
from httpx._transports import default as transports
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from nullspend_margins.dashboard import rendering
from nullspend_margins.plugins import candidates


class CompiledTemplates(BytecodeCache):
    """Code of templates, by their names, files and texts, and by what else it is made of.

    To compile one takes 50 ms and more.
    """

    def __init__(self) -> None:
        self._known: dict[object, CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get(_origin(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[_origin(bucket)] = bucket.code


def _origin(bucket: Bucket) -> object:
    of = bucket.environment
    names = frozenset(of.filters), frozenset(of.tests), frozenset(of.globals)
    return bucket.key, bucket.checksum, of.autoescape, *names


@cache
def _default_context(_trust_env: bool, _file: str | None, _folder: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=_trust_env)


def _context(
    verify: ssl.SSLContext | str | bool = True, cert: object = None, trust_env: bool = True
) -> ssl.SSLContext:
    """The context of a client with default settings: to read the authorities takes 20 ms."""
    if verify is True and cert is None:
        places = (os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
        return _default_context(trust_env, *places)
    return httpx.create_ssl_context(verify=verify, cert=cert, trust_env=trust_env)


def _entry_points(group: str) -> EntryPoints:
    """What is installed: each distribution's file is read."""
    places = [(place, Path(place).stat().st_mtime_ns) for place in sys.path if Path(place).is_dir()]
    return _installed(group, *places)


@cache
def _installed(group: str, *_places: tuple[str, int]) -> EntryPoints:
    return entry_points(group=group)


class _ShortTicks:
    """asyncio, as uvicorn sees it: a server looks ten times as often whether it is to end.

    Each of ours would take up to two tenths of a second for it, and there are thousands.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


@contextmanager
def haste() -> Iterator[None]:
    """Templates, the authorities that httpx trusts by default and the list of installed plugins
    are made once; servers in this process end at once.
    """
    templates = CompiledTemplates()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "Environment", partial(Environment, bytecode_cache=templates))
        patch.setattr(transports, "create_ssl_context", _context)
        patch.setattr(candidates, "entry_points", _entry_points)
        patch.setattr(uvicorn.server, "asyncio", _ShortTicks())
        yield
