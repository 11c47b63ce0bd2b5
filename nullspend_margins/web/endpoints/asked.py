"""What several endpoints are asked for in the same words: a customer, a period, a basis, more."""

from __future__ import annotations

from collections.abc import Sequence

from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue_part import Basis, parse_basis
from nullspend_margins.domain.text import text_problem
from nullspend_margins.errors import NotFound, ValidationFailed
from nullspend_margins.web.call import OrgCall, ServicesCall


def asked_period(call: OrgCall) -> Period:
    """The period asked for; by default the current one."""
    text = call.request.query("period")
    return call.services.margins.current_period() if text is None else Period.parse(text)


def asked_basis(call: OrgCall) -> Basis | None:
    """The basis asked for; ``None``: the configured one."""
    text = call.request.query("basis")
    return None if text is None else parse_basis(text)


def asked_inclusions(call: ServicesCall, known: Sequence[str]) -> frozenset[str]:
    """What of ``known`` is to come with the answer: ``include``, separated by commas."""
    asked = call.request.query("include")
    if asked is None:
        return frozenset()
    words = asked.split(",", len(known))
    if not set(words) <= set(known):
        several = ", or several of them separated by commas" if len(known) > 1 else ""
        raise ValidationFailed.of(("include", f"must be {' or '.join(known)}{several}"))
    if len(set(words)) < len(words):
        raise ValidationFailed.of(("include", "must name each thing once"))
    return frozenset(words)


def asked_customer(call: OrgCall) -> str:
    """The tag value in ``tagValue``, else in the path."""
    return call.request.customer(call.request.query("tagValue"))


def require_possible(tag_value: str) -> None:
    """Raise ``NotFound`` for a tag value that no mapping can have."""
    if text_problem(tag_value):
        raise NotFound("No customer is mapped to that tag value; none could be.")
