"""The rules about a service that answers with what is no answer, and about what failures tell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar, TypeVar

from nullspend_margins.errors import MarginsError
from nullspend_margins.testing.outcomes import outcome, require_error
from nullspend_margins.testing.rules import RuleBroken, rule
from nullspend_margins.testing.suite import PluginSuite, Question

P = TypeVar("P")

STATUSES = (200, 404, 502)
"""With which a proxy, a wrong address or a maintenance page answers in a service's place."""

OTHER_FORMS: Sequence[object] = (None, "Sorry", [None], [{}], {"message": "Sorry"})
"""JSON that is no answer of any service: none is empty, so none can mean that there is nothing."""

_OK = 200
_OF_A_URL = {
    "the user or password of a URL": re.compile(r"//[^/\s@]+@"),
    "the query of a URL": re.compile(r"[\w/]\?[^\s=]+="),
}


class BadDayRules(PluginSuite[P]):
    """What the rules of cost sources and of revenue providers share."""

    secrets: Sequence[str] = ()
    """What of its settings is nobody's business: a token, the secret part of a URL."""

    _unavailable: ClassVar[type[MarginsError]]

    def make_garbled(self, status: int) -> P:  # noqa: ARG002 - for subclasses
        """One whose service answers everything with a page of HTML and this HTTP ``status``."""
        self._skip("make_garbled", "an object whose service answers with a page of HTML")

    def make_answering(self, body: object) -> P:  # noqa: ARG002 - for subclasses
        """One whose service answers everything with HTTP 200 and ``body`` as JSON."""
        self._skip("make_answering", "an object whose service answers with JSON of another form")

    def _is_answer(self, question: Question[P], status: int, found: object) -> bool:  # noqa: ARG002 - for subclasses
        """Whether ``found`` is right all the same."""
        return False

    @rule
    async def test_an_answer_that_is_none_is_a_failure(self) -> None:
        """A page of HTML raises what no answer raises, whatever its status. Needs `make_garbled`.

        Why: a proxy's page, a wrong address or a service under repair is no defect of yours, and
        no empty answer; any other exception is an HTTP 500 and an alarm for somebody.
        To do: look at the status before the body; turn what your decoder raises (`ValueError`)
        into `ProviderUnavailable` or, in a cost source, `ServiceUnavailable`.
        """
        for status in STATUSES:
            for question in self._bad_day_questions():
                found = await outcome(question.ask(self.make_garbled(status)))
                if not self._is_answer(question, status, found):
                    asked = f"{question.words}, answered by HTML with HTTP {status},"
                    require_error(asked, found, self._unavailable)

    @rule
    async def test_json_of_another_form_is_a_failure(self) -> None:
        """JSON without what is read from it raises what no answer raises. Needs `make_answering`.

        Why: services change, and tell errors with HTTP 200. A bare `KeyError` is an HTTP 500 and
        an alarm for somebody; a default in a missing field's place is revenue that vanishes.
        To do: read the fields in one place, in a `try`; turn `LookupError`, `TypeError` and
        `ValueError` into `ProviderUnavailable` or, in a cost source, `ServiceUnavailable`.
        """
        for body in OTHER_FORMS:
            for question in self._bad_day_questions():
                found = await outcome(question.ask(self.make_answering(body)))
                if not self._is_answer(question, _OK, found):
                    asked = f"{question.words}, answered by {json.dumps(body)},"
                    require_error(asked, found, self._unavailable, guess=_guess(found))

    @rule
    async def test_a_failure_keeps_secrets_and_urls_to_itself(self) -> None:
        """No message of a failure has `secrets`, a URL's user or a query in it.

        Why: the message is stored, shown and logged, and a URL may hold a password or a token.
        To do: say who does not answer, in words of your own; never put a library's message into
        yours, since HTTP clients and drivers quote the URL. Needs `make_unreachable`,
        `make_garbled` or, where there are several pages or batches, `make_failing_half_way`.
        """
        for words, make in self._bad_days():
            for question in self._bad_day_questions():
                found = await outcome(question.ask(make()))
                told = self._told_by(found) if isinstance(found, MarginsError) else None
                if told:
                    raise RuleBroken(
                        f"{question.words}, {words}: the message of {type(found).__name__} has "
                        f"{told} in it"
                    )

    def _half_way(self) -> Callable[[], P] | None:
        """How one is made that fails after its first answer, if the author has said."""
        return None

    def _bad_day_questions(self) -> Sequence[Question[P]]:
        return self._questions()

    def _bad_days(self) -> Iterator[tuple[str, Callable[[], P]]]:
        """How it may fail, as far as the author has said; skips when that is not at all."""
        own = type(self)
        is_known = False
        if own.make_unreachable is not PluginSuite.make_unreachable:
            is_known = True
            yield "unreachable", self.make_unreachable
        if own.make_garbled is not BadDayRules.make_garbled:
            is_known = True
            for status in STATUSES:
                yield f"answered by HTML with HTTP {status}", partial(self.make_garbled, status)
        half_way = self._half_way()
        if half_way is not None:
            is_known = True
            yield "gone after its first answer", half_way
        if not is_known:
            self._skip("make_garbled", "an object whose service answers with a page of HTML")

    def _told_by(self, problem: MarginsError) -> str | None:
        text = f"{problem.message} {problem.details!r}"
        if any(secret in text for secret in self.secrets):
            return "one of `secrets`"
        return next((what for what, form in _OF_A_URL.items() if form.search(text)), None)


def _guess(found: object) -> str | None:
    """Why JSON of another form was no failure, or another one."""
    if isinstance(found, LookupError | TypeError | AttributeError):
        return "it reads a field where nothing turns what is raised into the protocol's error"
    if isinstance(found, Exception):
        return None
    return "a default stands for what is missing, or nothing of the answer is looked at"
