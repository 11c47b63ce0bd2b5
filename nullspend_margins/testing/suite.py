"""What every plugin object must keep, whatever its protocol."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar

import pytest

from nullspend_margins.config.nearest import nearest
from nullspend_margins.plugins.contracts import article, problems_of
from nullspend_margins.testing.blocking import blocking_calls, can_watch
from nullspend_margins.testing.outcomes import described, is_same, outcome
from nullspend_margins.testing.rules import HOME, RuleBroken, bounded, rule

P = TypeVar("P")

_STEPS = (1, 2, 3, 5, 8, 13, 21, 34)
"""After how many turns of the event loop a call is cancelled, one try each."""
_STALLED_STEPS = 50
_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Question(Generic[P]):
    """One call that the product makes, in words and in code; answers can be compared."""

    words: str
    ask: Callable[[P], Awaitable[object]]


class PluginSuite(Generic[P]):
    """The rules of all kinds. Subclass the suite of one kind, not this one."""

    patience_seconds: float = 30
    """How long a rule may take before it fails; it is there for what would never end."""

    _kind: ClassVar[str]
    _facts: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What an author must state: the attribute, and what it is with an example."""

    def make(self) -> P:
        """A new object to test, over a sample whose contents are known. Called in every rule."""
        self._fail(f"has no make(). Write: def make(self): return ..., {article(self._kind)}")

    def make_unreachable(self) -> P:
        """One whose service or file does not answer at all."""
        self._skip("make_unreachable", "an object whose service does not answer")

    def make_stalled(self) -> P | None:
        """One whose service never answers, for cancelling it while it waits. May be left out."""
        return None

    def _questions(self) -> Sequence[Question[P]]:
        """The calls that the rules of all kinds are tried with."""
        raise NotImplementedError

    @rule
    def test_it_has_the_form_of_its_protocol(self) -> None:
        """Name, methods and their arguments are what the protocol asks for.

        Why: the product checks the same at its start and refuses to start otherwise.
        To do: write the method as the message shows it; all are in docs/plugins.md.
        """
        problems = problems_of(self._kind, self._made())
        if problems:
            raise RuleBroken("\n  ".join(problems))

    @rule
    async def test_its_name_stays_the_same(self) -> None:
        """`name` is the same on every object and after use.

        Why: what is stored is keyed by it; under another name, old rows belong to nobody.
        To do: make `name` a constant of the class, or of its settings.
        """
        plugin, other = self._made(), self._made()
        before = _name_of(plugin)
        await self._ask_all(plugin)
        for name in (_name_of(plugin), _name_of(other)):
            if name != before:
                raise RuleBroken(f"it was called {before!r} first and {name!r} later")

    @rule
    def test_it_works_on_one_event_loop_after_another(self) -> None:
        """What works on one event loop works on the next one, with the same object.

        Why: commands, tests and reloading hosts run more than one loop in a process.
        To do: keep nothing that belongs to a loop: take `context.http` anew in each call, and
        make clients, locks and tasks where they are used.
        """
        plugin = self._made()
        before, after = (
            asyncio.run(bounded(self._ask_all(plugin), self.patience_seconds)) for _ in range(2)
        )
        for question, first, second in zip(self._questions(), before, after, strict=True):
            if isinstance(second, Exception) and type(first) is not type(second):
                raise RuleBroken(
                    f"{question.words}: on the second loop it raised {described(second)}",
                    guess="it keeps a client, lock, queue or task of the first loop",
                ) from second

    @rule
    async def test_calls_at_the_same_time_get_their_own_answers(self) -> None:
        """Calls that overlap on one object end as they do one after another.

        Why: one object serves every request of the process.
        To do: keep what belongs to one call in local variables, not on `self`.
        """
        questions = [*self._questions()] * _AT_ONCE
        plugin, other = self._made(), self._made()
        together = await asyncio.gather(*(outcome(each.ask(plugin)) for each in questions))
        for question, found in zip(questions, together, strict=True):
            alone = await outcome(question.ask(other))
            if not is_same(found, alone):
                cause = found if isinstance(found, Exception) else None
                raise RuleBroken(
                    f"{question.words}: {described(found)} among other calls, and "
                    f"{described(alone)} alone",
                    guess="calls share an attribute of self, or one connection",
                ) from cause

    @rule
    async def test_a_cancelled_call_ends_as_cancelled(self) -> None:
        """A call that is cancelled while it waits ends with `CancelledError`.

        Why: the product cancels what takes too long, and everything when it stops; a call that
        goes on after that keeps the process from ending.
        To do: let `CancelledError` through: `except Exception` does, `except BaseException` and
        a bare `except:` must raise it again. Clean up in `finally`.
        """
        for question in self._questions():
            for steps in _STEPS:
                if not await _is_cancelled(question, self._made(), steps):
                    break  # it ends sooner than that
            stalled = self.make_stalled()
            if stalled is not None:
                await _is_cancelled(question, stalled, _STALLED_STEPS)

    @rule
    async def test_it_never_blocks_the_event_loop(self) -> None:
        """No call sleeps, looks up a host or waits on a socket in the event loop's thread.

        Why: one blocking call holds up every request of the process.
        To do: use `context.http` for HTTP, `asyncio.sleep`, and `asyncio.to_thread` around what
        has no asynchronous form. Noticed are `time.sleep`, name lookups and blocking sockets
        (`requests`, `urllib`); not everything that blocks can be.
        """
        if not can_watch():
            pytest.skip("a profiler watches this thread, so this rule can't")
        plugin = self._made()
        for question in self._questions():
            with blocking_calls() as found:
                await outcome(question.ask(plugin))
            if found:
                raise RuleBroken(f"{question.words}: {found[0]}")

    def _made(self) -> P:
        for name, fact in self._facts.items():
            if inspect.getattr_static(self, name, None) == {}:  # no rule would look at anything
                self._fail(f"has an empty {name}: {fact}")
        plugin = self.make()
        if inspect.isawaitable(plugin):
            if inspect.iscoroutine(plugin):
                plugin.close()
            self._fail("has an async make(); make it a plain def that returns the object")
        if plugin is None:
            self._fail("has a make() that returned None. Is a `return` missing?")
        return plugin

    async def _ask_all(self, plugin: P) -> list[object]:
        return [await outcome(question.ask(plugin)) for question in self._questions()]

    def _skip(self, name: str, what: str) -> NoReturn:
        """Leave out a rule that needs an optional ``name``."""
        pytest.skip(f"{type(self).__name__} has no {name}: {what}{self._misspelt(name)}")

    def _fail(self, problem: str) -> NoReturn:
        pytest.fail(f"{type(self).__name__} {problem}", pytrace=False)

    def _misspelt(self, name: str) -> str:
        """A hint when the author's class has something that is called nearly like ``name``."""
        ours = [cls for cls in type(self).__mro__ if cls.__module__.startswith(HOME)]
        known = {*self._facts, *(each for cls in ours for each in dir(cls))}
        own = [each for each in vars(type(self)) if each not in known and not each.startswith("_")]
        guess = nearest(name, own)
        return f". It has {guess}; did you mean {name}?" if guess else ""

    if not TYPE_CHECKING:  # for type checkers an attribute that isn't declared stays an error

        def __getattr__(self, name: str) -> Any:
            fact = type(self)._facts.get(name)
            if fact is None:
                raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
            self._fail(f"has no {name}: {fact}{self._misspelt(name)}")


def _name_of(plugin: object) -> object:
    return getattr(plugin, "name", None)


async def _is_cancelled(question: Question[P], plugin: P, steps: int) -> bool:
    """Cancel a call after ``steps`` turns of the loop; ``False`` when it had ended by then.

    Raises ``RuleBroken`` when the call made something else of it.
    """
    call = asyncio.ensure_future(outcome(question.ask(plugin)))
    for _ in range(steps):
        await asyncio.sleep(0)
    if call.done():
        return False
    call.cancel()
    await asyncio.wait((call,))
    if call.cancelled():
        return True
    found = call.result()
    raise RuleBroken(
        f"{question.words}: cancelled while it waited, it ended with {described(found)}",
        guess="an `except` swallows the cancellation",
    ) from (found if isinstance(found, Exception) else None)
