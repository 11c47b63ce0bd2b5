"""What a call came to, and what an error tells to whoever reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import TypeVar
from urllib.parse import quote

from nullspend_margins.errors import MarginsError
from nullspend_margins.testing.rules import RuleBroken

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

_SHOWN = 200


async def outcome(asking: Awaitable[T]) -> T | Exception:
    """The answer, or the exception in its place. A cancellation goes through."""
    try:
        return await asking
    except Exception as problem:
        return problem


async def read_all(pages: AsyncIterator[T]) -> list[T]:
    """Every page, and then the iterator closed."""
    try:
        return [page async for page in pages]
    finally:
        await close(pages)


async def close(pages: AsyncIterator[object]) -> None:
    """What the product does with an iterator that it stops reading: closed if it can be."""
    aclose = getattr(pages, "aclose", None)
    if aclose is not None:
        await aclose()


async def read_until_it_fails(pages: AsyncIterator[T]) -> tuple[list[T], Exception | None]:
    """The pages that came, and what ended them; ``None`` when they ended by themselves."""
    found: list[T] = []
    try:
        async for page in pages:
            found.append(page)  # noqa: PERF401 - what came before a failure counts
    except Exception as problem:
        return found, problem
    finally:
        await close(pages)
    return found, None


def require_answer(asked: str, found: T | Exception, *, guess: str | None = None) -> T:
    """``found`` when it is an answer. Raises ``RuleBroken`` when it is an exception."""
    if isinstance(found, Exception):
        raise RuleBroken(f"{asked} raised {described(found)}", guess=guess) from found
    return found


def require_error(asked: str, found: object, wanted: type[E], *, guess: str | None = None) -> E:
    """``found`` when it is the error ``wanted``. Raises ``RuleBroken`` for anything else."""
    if isinstance(found, wanted):
        return found
    if isinstance(found, Exception):
        happened = f"{asked} raised {described(found)}, not {wanted.__name__}"
        raise RuleBroken(happened, guess=guess) from found
    raise RuleBroken(
        f"{asked} returned {shortened(found)} and did not raise {wanted.__name__}", guess=guess
    )


def is_same(one: object, other: object) -> bool:
    """Equal answers, or errors of the same class."""
    if isinstance(one, Exception) or isinstance(other, Exception):
        return type(one) is type(other)
    return one == other


def described(found: object) -> str:
    """An answer, or an exception with its message, in one short line."""
    if isinstance(found, Exception):
        return shortened_text(f"{type(found).__name__}: {found}")
    return shortened(found)


def shortened(value: object) -> str:
    """``repr`` of at most 200 characters."""
    return shortened_text(repr(value))


def shortened_text(text: str) -> str:
    """``text`` of at most 200 characters."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def tells(problem: BaseException, secret: str) -> bool:
    """Whether ``secret`` is in what a person, an answer or a log would show of ``problem``."""
    forms = {secret, quote(secret), quote(secret, safe="")}
    return any(form in text for text in _texts(problem) for form in forms)


def _texts(problem: BaseException) -> Iterator[str]:
    """Messages, arguments, notes and details, of causes too. No source lines: they are code."""
    met: set[int] = set()
    waiting: list[BaseException | None] = [problem]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in met:
            continue
        met.add(id(each))
        yield from (str(each), repr(each.args), *getattr(each, "__notes__", ()))
        if isinstance(each, MarginsError):
            yield f"{each.message} {each.details!r}"
        waiting += [each.__cause__, None if each.__suppress_context__ else each.__context__]
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
