"""Which column of a file is what: said by its name, or by who imports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nullspend_margins.domain.text import printable
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.importing.names import (
    CATEGORY,
    COST,
    CUSTOMER,
    DATE,
    FIELDS,
    FOCUS,
    FOCUS_MANDATORY,
    ID,
    MANDATORY,
    MODEL,
    ORG,
    PROVIDER,
    REQUESTS,
    TAGS,
    UNIT_WORDS,
    USUAL,
    focus_normal,
    normal,
)
from nullspend_margins.importing.options import ImportOptions

_TAG_OF_FOCUS = "customer"
_MOST_LISTED = 60
_WITHOUT = {
    CUSTOMER: "none, so all of it is unattributed",
    PROVIDER: 'none, "unknown"',
    MODEL: 'none, "unknown"',
    REQUESTS: "none, so no requests are counted",
    ID: "none: one fact for each day, customer, provider and model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """``columns`` has the column by field, of those that there are. ``unit`` is of the cost.

    ``customer_tag``: the customer is found under this key of the tags. ``missed`` has the normal
    names of the columns that would have been taken for something.
    """

    columns: Mapping[str, str]
    unit: str
    is_focus: bool
    customer_tag: str | None
    missed: frozenset[str]

    def told(self) -> Iterator[tuple[str, str]]:
        """Field and column, for the person who imports."""
        for field in FIELDS:
            column = self.columns.get(field)
            if field == TAGS:
                continue
            if field == CUSTOMER and self.customer_tag is not None:
                yield field, f"{self.columns[TAGS]}, its {self.customer_tag!r}"
            elif column is not None:
                yield field, f"{column}, in {self.unit}" if field == COST else column
            elif field in _WITHOUT:
                yield field, _WITHOUT[field]


def find_layout(columns: Sequence[str], options: ImportOptions) -> Layout:
    """Find out which column is what. Raises ``ValidationFailed`` saying what to choose."""
    given = {field: _given(columns, field, name) for field, name in options.columns.items()}
    is_focus = _is_focus(columns, options)
    not_wanted = TAGS if options.customer_tag is None else CUSTOMER
    found = _of_focus(columns, given) if is_focus else _of_names(columns, {not_wanted: "", **given})
    found.update({field: column for field, column in given.items() if column})
    tag = _customer_tag(found, given, options, is_focus=is_focus)
    _check(columns, found, options, tag)
    names = FOCUS if is_focus else USUAL
    unassigned = names.keys() - found.keys() - given.keys() - {CUSTOMER if tag else TAGS}
    return Layout(
        columns=found,
        unit=_unit(found[COST], options.unit, is_focus=is_focus),
        is_focus=is_focus,
        customer_tag=tag,
        missed=frozenset(normal(name) for field in unassigned for name in names[field]),
    )


def _given(columns: Sequence[str], field: str, name: str) -> str:
    if name and name not in columns:
        raise _refusal(f"--column {field}={name}: {_listed(columns)}")
    return name


def _is_focus(columns: Sequence[str], options: ImportOptions) -> bool:
    present = {focus_normal(column) for column in columns}
    missing = [name for name in FOCUS_MANDATORY if focus_normal(name) not in present]
    if options.format == "focus" and missing:
        raise _refusal(f"This is no FOCUS data: {', '.join(missing)} missing.")
    return not missing


def _of_focus(columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    by_name: dict[str, list[str]] = {}
    for column in columns:
        by_name.setdefault(focus_normal(column), []).append(column)
    found = {}
    for field, names in FOCUS.items():
        there = [by_name[each] for name in names if (each := focus_normal(name)) in by_name]
        if field in given or not there:
            continue
        found[field], *others = there[0]
        if others and others[0] != found[field]:
            raise _refusal(
                f"{field} may be {' or '.join(there[0])}: say --column {field}={found[field]}, "
                "or another."
            )
    return found


def _of_names(columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    free = [column for column in columns if column not in given.values()]
    found, choices = {}, []
    for field, names in USUAL.items():
        there = [column for column in free if normal(column) in names]
        if field in given or not there:
            continue
        found[field] = there[0]
        if len(set(there)) > 1:  # of one name: told below, with what helps
            none = "" if field in (COST, DATE) else f", or --column {field}= for none"
            choices.append(
                f"{field} may be {' or '.join(there)}: say --column {field}={there[0]}, "
                f"or another{none}."
            )
    if choices:
        raise _refusal("\n".join(choices))
    return found


def _customer_tag(
    found: dict[str, str], given: Mapping[str, str], options: ImportOptions, *, is_focus: bool
) -> str | None:
    """The key of the customer among the tags; of what is not needed then, nothing is left."""
    tag = options.customer_tag
    if tag is None and is_focus and CUSTOMER not in given:
        tag = _TAG_OF_FOCUS
    if tag is None:
        found.pop(TAGS, None)
        return None
    if given.get(CUSTOMER):
        raise _refusal("Either --customer-tag or --column customer=...: not both.")
    if TAGS not in found:
        raise _refusal(
            "There is no column of tags to find the customer in: say --column tags=COLUMN, "
            "--column customer=COLUMN, or --column customer= for none."
        )
    found.pop(CUSTOMER, None)
    return tag


def _check(
    columns: Sequence[str], found: Mapping[str, str], options: ImportOptions, tag: str | None
) -> None:
    absent = [
        field
        for field in MANDATORY
        if field not in found
        and not (field == CUSTOMER and (tag or options.columns.get(field) == ""))
    ]
    if absent:
        wanted = " ".join(f"--column {field}=COLUMN" for field in absent)
        raise _refusal(f"No column for {', '.join(absent)}: say {wanted}. {_listed(columns)}")
    twice = [column for column in found.values() if list(columns).count(column) > 1]
    if twice:
        raise _refusal(f"The header names {twice[0]} twice: rename one of them.")
    if ORG in found and options.org_id is not None:
        raise _refusal(
            f"The column {found[ORG]} names orgs, and --org one more: leave --org out, or the "
            "column by --column org="
        )
    if ORG not in found and options.org_id is None:
        raise _refusal("Whose costs are these? Say --org ORG, or --column org=COLUMN.")
    if options.without and CATEGORY not in found:
        raise _refusal("There is no column of charge categories, so none can be left out.")


def _unit(column: str, said: str | None, *, is_focus: bool) -> str:
    """The unit that a column's name ends with, or that is said; else dollars."""
    named = None if is_focus else UNIT_WORDS.get(normal(column).rpartition("_")[2])
    if said and named and said != named:
        raise _refusal(f"The column {column} is in {named} by its name, --unit says {said}.")
    return said or named or "usd"


def _listed(columns: Sequence[str]) -> str:
    more = ", ..." if len(columns) > _MOST_LISTED else ""
    return f"the columns are {', '.join(columns[:_MOST_LISTED])}{more}."


def _refusal(message: str) -> ValidationFailed:
    """The names of columns in it are somebody else's."""
    return ValidationFailed("\n".join(map(printable, message.splitlines())))
