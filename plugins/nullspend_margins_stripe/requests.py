"""Requests to Stripe with one key, over plain HTTP, and what their failures mean.

The SDK's objects cost ten times the CPU of a typed decode and would stall the host's event loop
for 200 ms a page; pages are therefore fetched by httpx, in the SDK's API version.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from nullspend_margins import Clock, MarginsError
from nullspend_margins_stripe import failures
from nullspend_margins_stripe.answers import ObjectKind, read_error
from nullspend_margins_stripe.failures import Transient, Unknown, not_answered
from nullspend_margins_stripe.objects import Identified, Page

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
R = TypeVar("R")
O = TypeVar("O", bound=Identified)  # noqa: E741 - an object

_UNKNOWN = frozenset({400, 404, 405})
"""What servers answer that do not know a list, or what it is asked for."""

Params = Mapping[str, "str | int | Sequence[str]"]


class Fetch(Protocol):
    """Runs an attempt until it answers."""

    async def __call__(self, attempt: Callable[[float], Awaitable[T]]) -> T:
        """What ``attempt``, given its seconds, answers at last."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeRequests:
    """What every request of one sync has in common. All methods raise ``Transient`` and the
    product's errors.
    """

    http: httpx.AsyncClient
    api_base: str
    headers: dict[str, str] = field(repr=False)  # the key is in there
    clock: Clock

    async def page(
        self, kind: ObjectKind[T], path: str, params: Params, seconds: float, *, optional: bool
    ) -> Page[T]:
        """One page, within ``seconds``.

        Raises ``Unknown`` where the list is ``optional`` and nothing that the server knows, or
        asked for in a way that it does not know.
        """
        answer = await self._get(path, params, seconds)
        if answer.status_code != 200:
            if optional and _is_unknown(answer):
                raise Unknown(path)
            raise self._failure(answer)
        return kind.read_page(answer.content)

    async def one(self, kind: ObjectKind[T], path: str, params: Params, seconds: float) -> T | None:
        """One object; ``None`` where there is none."""
        answer = await self._get(path, params, seconds)
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise self._failure(answer)
        return kind.read_one(answer.content)

    async def _get(self, path: str, params: Params, seconds: float) -> httpx.Response:
        import httpx

        try:
            return await self.http.get(
                f"{self.api_base}{path}",
                params=dict(params),
                headers=self.headers,
                timeout=seconds,
                follow_redirects=False,
            )
        except httpx.TimeoutException:
            raise not_answered(seconds) from None
        except httpx.HTTPError as error:
            raise Transient(f"the connection failed ({type(error).__name__})") from None

    def _failure(self, answer: httpx.Response) -> MarginsError | Transient:
        status, detail = answer.status_code, read_error(answer.content)
        if failures.is_transient(status, detail.code if detail else None):
            wait = failures.retry_after_seconds(answer.headers.get("retry-after"), self.clock.now())
            return failures.answered_with(status, wait)
        if status == 401:
            return failures.refused(detail.code if detail else None)
        if status == 403:
            return failures.forbidden(detail.message if detail else None)
        if detail is None:
            return failures.unreadable(status)
        return failures.unexpected(status, detail.message)


def _is_unknown(answer: httpx.Response) -> bool:
    detail = read_error(answer.content)
    is_limit = failures.is_transient(answer.status_code, detail.code if detail else None)
    return answer.status_code in _UNKNOWN and not is_limit


class Asker:
    """Asks on behalf of one cursor of a sync, with a patience of its own."""

    __slots__ = ("_fetch", "_requests")

    def __init__(self, requests: StripeRequests, fetch: Fetch) -> None:
        self._requests = requests
        self._fetch = fetch

    async def pages(
        self,
        kind: ObjectKind[O],
        path: str,
        params: Params,
        read: Callable[[list[O]], R],
        *,
        after: str | None = None,
        optional: bool = False,
    ) -> AsyncGenerator[R, None]:
        """Every page of a list, as ``read`` makes it: within the attempt, which it may fail.

        ``after`` is the object that the list begins after. ``optional`` lists may be unknown, which
        the first page says: whoever has answered it knows the list, and a rest that is missing
        later is a failure.
        """
        more, may_be_unknown = True, optional
        while more:
            attempt = partial(self._page, kind, path, params, read, after, may_be_unknown)
            found, after = await self._fetch(attempt)
            more, may_be_unknown = after is not None, False
            yield found

    async def one(
        self, kind: ObjectKind[O], path: str, params: Params | None = None, *, expected: str
    ) -> O | None:
        """The object with the id ``expected``; ``None`` where there is none."""

        async def attempt(seconds: float) -> O | None:
            found = await self._requests.one(kind, path, params or {}, seconds)
            if found is not None and found.id != expected:
                raise Transient(f"it answered another {kind.name} than was asked for")
            return found

        return await self._fetch(attempt)

    async def _page(
        self,
        kind: ObjectKind[O],
        path: str,
        params: Params,
        read: Callable[[list[O]], R],
        after: str | None,
        optional: bool,
        seconds: float,
    ) -> tuple[R, str | None]:
        asked = params if after is None else {**params, "starting_after": after}
        page = await self._requests.page(kind, path, asked, seconds, optional=optional)
        _check_advance(page, after)
        return read(page.data), page.data[-1].id if page.has_more else None


def _check_advance(page: Page[O], after: str | None) -> None:
    """Refuse an answer that promises more and leads nowhere.

    Ending there would tell the product that the rest is gone, and its revenue would be deleted.
    """
    if page.has_more and not page.data:
        raise Transient("it answered an empty page and said that there is more")
    if after is not None and any(one.id == after for one in page.data):
        raise Transient("it answered the same page again")
