"""What ``import-costs`` says: results on stdout, problems on stderr."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nullspend_margins.cli.output import complain, counted, say, say_safely, show_table

if TYPE_CHECKING:
    from nullspend_margins.importing import Layout, RowReader
    from nullspend_margins.services.cost_import import Outcome
    from nullspend_margins.services.import_reading import Reading
    from nullspend_margins.storage.scratch import Scratch

_LARGEST = 10
_KEYS_SHOWN = 10
_LONGEST_PROBLEM = 300


def tell_layout(file: Path, reader: RowReader, layout: Layout) -> None:
    """What the file is taken for, before it is read."""
    say_safely(f"{file.name}: {reader.format}{', FOCUS' if layout.is_focus else ''}")
    for field, column in layout.told():
        say_safely(f"  {field:<9} {column}")


def tell_unknown_org(org_id: str | None, known: Iterable[str]) -> None:
    """An org that is much like one of the configuration's is a slip; another may be anybody's."""
    from nullspend_margins.config.nearest import nearest

    names = list(known)
    guess = nearest(org_id, names) if org_id is not None and org_id not in names else None
    if guess is not None:
        complain(f"--org {org_id}: [plans.orgs] has no such org. Did you mean {guess}?")


def tell_problems(file: Path, reading: Reading, *, skipped: bool) -> None:
    """The first by line, and how many there are."""
    from nullspend_margins.domain.text import printable

    for problem in reading.shown:
        complain(printable(f"{file.name}:{problem}")[:_LONGEST_PROBLEM])
    if reading.bad > len(reading.shown):
        complain(f"and {reading.bad - len(reading.shown):,} more")
    if reading.bad and skipped:
        complain(f"{counted(reading.bad, 'row')} with problems left out.")
    elif reading.bad:
        complain(
            f"{counted(reading.bad, 'problem')}; nothing is imported. "
            "Mend the file, or leave such rows out with --skip-bad."
        )


def tell_missing_tags(layout: Layout, reading: Reading, keys: Counter[str]) -> None:
    """A key that no row has is probably another one."""
    used = _used(reading)
    if layout.customer_tag is None or not used or reading.unattributed < used:
        return
    from nullspend_margins.domain.text import printable

    seen = ", ".join(key for key, _ in keys.most_common(_KEYS_SHOWN)) or "none"
    complain(printable(f"No row has the tag {layout.customer_tag!r}; the tags are: {seen}."))


def tell_reading(file: Path, reading: Reading, source: str) -> None:
    """How much there is, and what is left out or seen in another way than it stands there."""
    rows, facts = counted(reading.rows, "row"), counted(reading.facts, "fact")
    say_safely(f"{file.name}: {rows}, {facts} of {source}")
    if reading.left_out:
        reasons = ", ".join(
            f"{count:,} {reason}" for reason, count in reading.left_out.most_common()
        )
        say_safely(f"  {counted(reading.left_out.total(), 'row')} left out: {reasons}")
    for number, what in (
        (reading.unattributed, "without a customer: unattributed"),
        (reading.repeated, "repeated: counted once"),
        (reading.long, "for more than a day: counted on the first"),
    ):
        if number:
            say(f"  {counted(number, 'row')} {what}")


def tell_sums(scratch: Scratch) -> None:
    """What would be stored, by month and by customer, in US dollars."""
    say("By month, USD:")
    show_table(
        ("Org", "Month", "Cost"),
        [(org, str(period), _usd(cost)) for org, period, cost in scratch.month_sums()],
    )
    say("Customers that cost most, USD:")
    show_table(
        ("Org", "Customer", "Cost"),
        [(org, tag or "(none)", _usd(cost)) for org, tag, cost in scratch.largest(_LARGEST)],
    )


def tell_outcome(outcome: Outcome, *, dry_run: bool, replace: bool) -> None:
    """What changed, or would."""
    removed = f", {outcome.removed:,} removed" if replace else ""
    say(
        f"{'Dry run: ' if dry_run else ''}{outcome.new:,} new, {outcome.changed:,} changed, "
        f"{outcome.unchanged:,} unchanged{removed}"
    )


def _used(reading: Reading) -> int:
    return reading.rows - reading.bad - reading.repeated - reading.left_out.total()


def _usd(nanodollars: int) -> str:
    from nullspend_margins.domain.money import format_dollars, to_microdollars

    return format_dollars(to_microdollars(nanodollars))
