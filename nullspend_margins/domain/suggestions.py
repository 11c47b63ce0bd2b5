"""Tag values that may be a customer's: by names and e-mail domains. Proposed, never applied.

Tags are looked up by their words, their hosts and their letter triples, so the work grows with
the customers and not with customers times tags.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Literal, NamedTuple, Protocol

from nullspend_margins.domain.names import (
    SimplifiedName,
    company_of_host,
    host_of,
    mail_domain,
    simplified,
    words_of,
)
from nullspend_margins.domain.text import isolated

MOST_SUGGESTIONS = 3
"""Of one customer."""

Rule = Literal["name", "email", "domain", "words", "similar"]
_RANKS: Mapping[Rule, int] = {"name": 0, "email": 0, "domain": 1, "words": 2, "similar": 3}

_SHORTEST_WORD = 3
_MOST_TAGS_OF_A_WORD = 20
_MOST_TAGS_OF_A_TRIPLE = 50
_LEAST_SIMILAR = 60
"""Percent of letter triples that two names share."""


class Customer(Protocol):
    """Whom a tag is sought for."""

    @property
    def provider(self) -> str:
        """The revenue provider's name."""
        ...

    @property
    def customer_id(self) -> str:
        """The provider's id."""
        ...

    @property
    def name(self) -> str | None:
        """What the customer is called."""
        ...

    @property
    def email(self) -> str | None:
        """Where its bills go."""
        ...


class Suggestion(NamedTuple):
    """A tag value that may be a customer's. ``compared``: its name, e-mail or mail domain.

    ``score`` is 0 to 100, to order suggestions of one rule.
    """

    provider: str
    customer_id: str
    tag_value: str
    rule: Rule
    compared: str
    score: int

    @property
    def reason(self) -> str:
        """Why, in words."""
        if self.rule == "domain":
            return f"e-mail domain {isolated(self.compared)}"
        if self.rule == "email":
            return f"e-mail is the same: {isolated(self.compared)}"
        words = {
            "name": "name is the same",
            "words": "name has the same words",
            "similar": "name is similar",
        }
        compared, tag_value = isolated(self.compared), isolated(self.tag_value)
        return f"{words[self.rule]}: {compared} ~ {tag_value}"


class Suggester:
    """Finds the best of ``tags`` for customers, and remembers what it found for each.

    ``tags`` are the tag values that may be suggested, ``rejected`` the (provider, customer id, tag
    value) that people turned down. The same input gives the same suggestions, in any order.
    Safe between threads.
    """

    def __init__(
        self, tags: Iterable[str], rejected: Collection[tuple[str, str, str]] = frozenset()
    ) -> None:
        self._index = _Index(tags)
        self._rejected = rejected
        self._found: dict[tuple[str, str], Sequence[Suggestion]] = {}

    def suggest(self, customers: Iterable[Customer]) -> dict[tuple[str, str], Sequence[Suggestion]]:
        """By provider and customer id; those without any are left out."""
        found: dict[tuple[str, str], Sequence[Suggestion]] = {}
        for customer in customers:
            key = customer.provider, customer.customer_id
            best = self._found.get(key)
            if best is None:
                best = self._found[key] = self._best(customer)
            if best:
                found[key] = best
        return found

    def _best(self, customer: Customer) -> Sequence[Suggestion]:
        best = [each for each in self._index.of(customer) if each[:3] not in self._rejected]
        best.sort(key=lambda each: (_RANKS[each.rule], -each.score, each.tag_value))
        return tuple(best[:MOST_SUGGESTIONS])


def by_tag(
    suggestions: Mapping[tuple[str, str], Sequence[Suggestion]],
    at_most: int = MOST_SUGGESTIONS,
) -> dict[str, Sequence[Suggestion]]:
    """The same from the other side: the customers that a tag value may belong to."""
    found: dict[str, list[Suggestion]] = defaultdict(list)
    for each in suggestions.values():
        for suggestion in each:
            found[suggestion.tag_value].append(suggestion)
    return {
        tag: sorted(
            each, key=lambda one: (_RANKS[one.rule], -one.score, one.provider, one.customer_id)
        )[:at_most]
        for tag, each in found.items()
    }


class _Tag(NamedTuple):
    value: str
    name: SimplifiedName


class _Index:
    """Tags by all that a customer can be compared with."""

    def __init__(self, tags: Iterable[str]) -> None:
        self._by_text: dict[str, list[_Tag]] = defaultdict(list)
        self._by_host: dict[str, list[_Tag]] = defaultdict(list)
        self._by_key: dict[str, list[_Tag]] = defaultdict(list)
        self._by_word: dict[str, list[_Tag]] = defaultdict(list)
        self._by_triple: dict[str, list[int]] = defaultdict(list)
        self._tags = [_Tag(value, simplified(value)) for value in sorted(set(tags))]
        for place, tag in enumerate(self._tags):
            value = tag.value
            self._by_text[value.casefold()].append(tag)
            self._by_host[host_of(value)].append(tag)
            self._by_key[tag.name.key].append(tag)
            for word in tag.name.words:
                self._by_word[word].append(tag)
            for triple in tag.name.triples:
                self._by_triple[triple].append(place)

    def of(self, customer: Customer) -> list[Suggestion]:
        """At most one for each tag, by the first rule that finds it."""
        found: dict[str, Suggestion] = {}

        def add(tags: Iterable[_Tag], rule: Rule, compared: str, score: int = 100) -> None:
            for tag in tags:
                found.setdefault(
                    tag.value,
                    Suggestion(
                        customer.provider, customer.customer_id, tag.value, rule, compared, score
                    ),
                )

        name = simplified(customer.name) if customer.name else None
        if name is not None and customer.name and name.key:
            add(self._by_key.get(name.key, ()), "name", customer.name)
        if customer.email:
            add(self._by_text.get(customer.email.casefold(), ()), "email", customer.email)
            domain = mail_domain(customer.email)
            if domain is not None:
                add(self._of_domain(domain), "domain", domain)
        if name is not None and customer.name:
            for tag, score in self._with_the_words_of(name):
                add([tag], "words", customer.name, score)
            for tag, score in self._similar_to(name):
                add([tag], "similar", customer.name, score)
        return [*found.values()]

    def _of_domain(self, domain: str) -> list[_Tag]:
        company = company_of_host(domain)
        hosts = [*self._by_host.get(domain, ())]
        return [*hosts, *self._by_key.get(company, ())] if len(company) > 1 else hosts

    def _with_the_words_of(self, name: SimplifiedName) -> Iterable[tuple[_Tag, int]]:
        """Tags all of whose words the name has, or that have all of the name's."""
        words = frozenset(name.words)
        for word in name.words:
            tags = self._by_word.get(word, ())
            if not _tells(word) or len(tags) > _MOST_TAGS_OF_A_WORD:
                continue
            for tag in tags:
                others = frozenset(tag.name.words)
                if others <= words or words <= others:
                    yield tag, 100 * len(words & others) // len(words | others)

    def _similar_to(self, name: SimplifiedName) -> Iterable[tuple[_Tag, int]]:
        """Tags with most of the name's letter triples, and the same numbers."""
        those = [self._by_triple.get(triple, ()) for triple in name.triples]
        telling = [places for places in those if len(places) <= _MOST_TAGS_OF_A_TRIPLE]
        passed_over = len(those) - len(telling)
        # Most tags share a triple or two: counting these spares the comparison with all others.
        for place, met in Counter(chain.from_iterable(telling)).items():
            tag = self._tags[place]
            both = len(name.triples) + len(tag.name.triples)
            if 200 * (met + passed_over) < _LEAST_SIMILAR * both:
                continue
            score = 200 * len(name.triples & tag.name.triples) // both
            if score >= _LEAST_SIMILAR and tag.name.numbers == name.numbers:
                yield tag, score


def _tells(word: str) -> bool:
    """Whether it may be the one word that two names share."""
    return len(word) >= _SHORTEST_WORD and not word.isdigit() and word not in _GENERIC


_GENERIC = words_of(
    """account agency and app apps api bank box care client cloud consulting corp customer data
    demo dev digital energy europe finance for global group health holding holdings hub
    international labs lab legal live logistics main marketing media net network new old online
    org partners platform prod production project service services shop software solutions
    staging store studio studios system systems tech technologies technology team test the trial
    usa user ventures web works world"""
)
"""Words that many companies have."""
