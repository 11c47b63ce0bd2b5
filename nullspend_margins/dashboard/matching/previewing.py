"""What an upload would do, line by line, and what of that travels to the form that does it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nullspend_margins.dashboard.matching.providers import provider_problem
from nullspend_margins.dashboard.matching.upload import UploadProblem, UploadRow
from nullspend_margins.domain.mapping import CustomerMapping, MatchType
from nullspend_margins.domain.mapping_changes import Doing, Outcome, Seen, Wanted
from nullspend_margins.domain.text import isolated
from nullspend_margins.services.unmatched import RECENT_DAYS, Profiles, Unmatched

_DEFAULT_PROVIDER = "stripe"
MOST_SHOWN = 200
"""Lines of each kind."""


class Line(NamedTuple):
    """A line of the file, what would become of it, and what may be wrong with it."""

    line: int
    outcome: Outcome
    name: str | None
    warnings: Sequence[str]


class KeptLine(NamedTuple):
    """A line that would change something, and what a person was told of it."""

    line: int
    provider: str
    customer_id: str
    tag_value: str
    doing: Doing
    was: str | None
    was_type: MatchType | None
    holder: str | None

    @property
    def wanted(self) -> Wanted:
        """The pair."""
        return Wanted(self.provider, self.customer_id, self.tag_value)

    @property
    def seen(self) -> Seen:
        """What was told."""
        return Seen(self.doing, self.was, self.was_type, self.holder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """All lines, by what would become of them. ``refused`` are in the file's order."""

    create: Sequence[Line]
    change: Sequence[Line]
    same: Sequence[Line]
    refused: Sequence[UploadProblem]

    @property
    def doable(self) -> Sequence[Line]:
        """What would be stored."""
        return [*self.create, *self.change]

    @property
    def kept(self) -> list[KeptLine]:
        """What the form holds."""
        return [_kept(each.line, each.outcome.wanted, each.outcome.seen) for each in self.doable]

    @property
    def warned(self) -> Sequence[Line]:
        """What would be stored, and may be a mistake."""
        return [each for each in self.doable if each.warnings]


def of_known_providers(
    rows: Sequence[UploadRow], known: Collection[str]
) -> tuple[list[UploadRow], list[UploadProblem]]:
    """Lines that name a provider that is there, or none; and the others with what is wrong."""
    usable: list[UploadRow] = []
    problems: list[UploadProblem] = []
    for row in rows:
        wrong = provider_problem(row.provider, known) if row.provider else None
        if wrong is None:
            usable.append(row)
        else:
            problems.append(UploadProblem(row.line, wrong))
    return usable, problems


def wanted_of(rows: Sequence[UploadRow], known: Profiles, providers: Sequence[str]) -> list[Wanted]:
    """The pairs. A line that names no provider means the one that knows the customer."""
    usual = providers[0] if providers and _DEFAULT_PROVIDER not in providers else _DEFAULT_PROVIDER

    def provider_of(row: UploadRow) -> str:
        knowing = [provider for provider in known if row.customer_id in known[provider]]
        return row.provider or (knowing[0] if len(knowing) == 1 else usual)

    return [Wanted(provider_of(row), row.customer_id, row.tag_value) for row in rows]


def preview_of(
    numbers: Sequence[int],
    outcomes: Sequence[Outcome],
    problems: Sequence[UploadProblem],
    unmatched: Unmatched,
) -> Preview:
    """``numbers`` are the lines of ``outcomes``, ``problems`` the lines that can't be used."""
    by_doing: dict[Doing, list[Line]] = defaultdict(list)
    refused = [*problems]
    for number, outcome in zip(numbers, outcomes, strict=True):
        if outcome.doing == "refuse":
            refused.append(UploadProblem(number, _refusal(outcome, numbers, outcomes, unmatched)))
            continue
        wanted = outcome.wanted
        by_doing[outcome.doing].append(
            Line(
                line=number,
                outcome=outcome,
                name=unmatched.name(wanted.provider, wanted.customer_id),
                warnings=_warnings(outcome, unmatched),
            )
        )
    return Preview(
        create=by_doing["create"],
        change=sorted(by_doing["change"] + by_doing["confirm"], key=lambda each: each.line),
        same=by_doing["same"],
        refused=sorted(refused),
    )


def _kept(line: int, wanted: Wanted, seen: Seen) -> KeptLine:
    return KeptLine(line, wanted.provider, wanted.customer_id, wanted.tag_value, *seen)


def _refusal(
    outcome: Outcome, numbers: Sequence[int], outcomes: Sequence[Outcome], unmatched: Unmatched
) -> str:
    wanted, holder = outcome.wanted, outcome.holder
    if outcome.twin is not None:
        other = outcomes[outcome.twin].wanted
        if other == wanted:
            return f"It says the same as line {numbers[outcome.twin]}."
        what = (
            f"the customer {isolated(wanted.customer_id)}"
            if other[:2] == wanted[:2]
            else f"the tag value {isolated(wanted.tag_value)}"
        )
        return f"Line {numbers[outcome.twin]} has {what} already."
    if holder is None:
        return "It can't be done with the lines before it."
    name = _name(unmatched, holder)
    return f"The tag value {isolated(wanted.tag_value)} belongs to {name}. Unmap that first."


def _warnings(outcome: Outcome, unmatched: Unmatched) -> list[str]:
    wanted, found = outcome.wanted, []
    if not unmatched.knows(wanted.provider, wanted.customer_id):
        found.append("No revenue of this provider names this customer.")
    if wanted.tag_value not in unmatched.seen_tags:
        found.append(f"No cost of the last {RECENT_DAYS} days has this tag value.")
    if outcome.holder is not None:
        holder = outcome.holder
        name = _name(unmatched, holder)
        found.append(f"The unconfirmed match with {name} is given up.")
    return found


def _name(unmatched: Unmatched, mapping: CustomerMapping) -> str:
    name = unmatched.name(mapping.provider, mapping.customer_id)
    shown = isolated(mapping.customer_id)
    return f"{isolated(name)} ({shown})" if name else shown
