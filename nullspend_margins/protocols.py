"""What plugins implement. Every method is asynchronous; the docstrings are the contract.

A plugin returns objects with these attributes from its hooks (``hookspecs``). Inheriting is
allowed and brings the defaults; it is not required.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Protocol, runtime_checkable

from nullspend_margins.domain.access import ROLES, Role
from nullspend_margins.domain.alert import Alert
from nullspend_margins.domain.cost import CostEvent, CostFact, ModelCost, MonthCost, TagCost
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import RevenueItem, RevenueWindow
from nullspend_margins.domain.text import text_problem

Scope = Mapping[str, Any]
MAX_CURSOR = 2_000
"""Characters of a ``CostBatch.cursor``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking: a person, in one org, with one role.

    ``role`` is ``viewer``, ``member``, ``admin`` or ``owner``. Raises ``ValueError`` for any
    other role and for an empty or overlong id: a host's mistake must not become a right.
    """

    org_id: str
    """The tenant, 1 to 256 characters: it keys every row."""
    user_id: str
    """The person in it, 1 to 256 characters."""
    role: str
    """``viewer``, ``member``, ``admin`` or ``owner``."""

    def __post_init__(self) -> None:
        for name, value in (("org_id", self.org_id), ("user_id", self.user_id)):
            problem = text_problem(value) if isinstance(value, str) else "must be a string"
            if problem:
                raise ValueError(f"Principal.{name} {problem}")
        if self.role not in ROLES:
            raise ValueError(f"Principal.role must be one of {', '.join(ROLES)}, not {self.role!r}")

    @property
    def rank(self) -> Role:
        """The role as an ordered value."""
        return ROLES[self.role]


@runtime_checkable
class Authenticator(Protocol):
    """Finds out who is asking. Asked in order until one answers.

    An optional attribute ``bearer = True`` lets it see requests with ``Authorization: Bearer``;
    an authenticator without it is not asked about those.
    """

    name: str
    """Unique among authenticators."""

    async def authenticate(self, scope: Scope) -> Principal | None:
        """The person behind an ASGI ``http`` scope.

        ``None``: not mine, ask the next one. Raises ``AuthenticationRequired``: mine, and
        refused; nobody else is asked.
        """
        ...


@runtime_checkable
class PlanChecker(Protocol):
    """Tells what an org pays for. Asked in order until one answers."""

    name: str

    async def plan(self, org_id: str) -> str | None:
        """``free``, ``pro`` or ``enterprise``. ``None``: not mine, ask the next one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBatch:
    """Some costs of one org, and how far that brought the source.

    Events, facts and ``cursor`` are stored in one transaction: after a crash the source is asked
    again from the last stored cursor, and nothing counts twice.
    """

    org_id: str
    """Whose costs they are."""
    events: Sequence[CostEvent] = ()
    """1,000 together with ``facts`` at most, in any order."""
    facts: Sequence[CostFact] = ()
    """Keyed costs, which replace those of the same key."""
    cursor: str
    """How far it is: 1 to 2,000 characters, given back to ``pull`` as it is."""


@runtime_checkable
class CostSource(Protocol):
    """Where costs come from. Implement ``PulledCostSource`` or ``AggregatingCostSource``.

    A source that *pushes* needs no protocol: it calls ``Margins.ingest``.
    """

    name: str
    """Unique among cost sources, and the ``source`` its events and facts are keyed by."""


@runtime_checkable
class PulledCostSource(CostSource, Protocol):
    """A source the product reads, at every cron call and ``sync`` command."""

    def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        """Everything after ``cursor`` (``None``: from the beginning), in batches.

        At most 1,000 events and facts a batch. Raises ``ServiceUnavailable`` when the source does
        not answer: what came before it stays, and its message is shown to people of every org
        that the source delivers to. Read to its end, it has delivered, with or without a batch.
        """
        ...


@runtime_checkable
class AggregatingCostSource(CostSource, Protocol):
    """A source that adds up in its own engine, at every read.

    Raises ``ServiceUnavailable`` when it cannot answer: the read then fails and names it, never
    shows a smaller cost; a sync leaves matches and alerts to the next one.
    """

    async def month_costs(self, org_id: str, first: Period, last: Period) -> Sequence[MonthCost]:
        """Cost of every tag value in each month, ``first`` and ``last`` included."""
        ...

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> Sequence[ModelCost]:
        """Cost and request count by model, of one customer in one period."""
        ...

    async def tag_costs(self, org_id: str, since: date) -> Sequence[TagCost]:
        """Cost and request count by tag value, from the UTC day ``since`` on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a provider needs to read an account.

    ``secret`` is stored encrypted and handed back to the provider as it is; ``label`` is what
    people see in its place (``rk_live_abcd...wxyz``).
    """

    secret: str = field(repr=False)
    """Kept encrypted; not in ``repr``."""
    label: str
    """What people see in its place."""


@runtime_checkable
class RevenueProvider(Protocol):
    """Reads what customers paid. One connection per org and provider.

    Errors of every method: ``CredentialRefused`` (the provider does not know the credential),
    ``PermissionMissing`` (it may not read something needed), ``ProviderUnavailable`` (no usable
    answer after the provider's own retries; says nothing about the credential). An error's
    message never contains the secret.

    An optional attribute ``connect_form``, a ``ConnectForm``, tells what people are asked for in
    the dashboard, and which permissions are of use. Without it they write the JSON body of a
    connect request themselves. It is read at the start, and again when the form is shown.
    """

    name: str
    """Unique among providers; the path segment in ``/api/connections/{provider}``."""

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        """The credential in the JSON body of a connect request. No network.

        Raises ``ValidationFailed`` with issues; never echoes what was sent.
        """
        ...

    async def check_credential(self, secret: str) -> None:
        """Ask the provider whether ``secret`` can read all that a sync needs."""
        ...

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        """Whether ``secret`` sees this customer: is it the same account as before?"""
        ...

    def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueItem]]:
        """All revenue of ``window``, page by page, in any order, in constant memory.

        All facts whose ``occurred_at`` is in the window: what is missing here at the end is taken
        to be gone, so raise rather than end early. Facts of other months may come too, a late
        payment's for example: they replace what is stored of them, and stay.

        What the credential may not read, and the product can do without, is told as a
        ``RevenueGap`` among the facts; how far this went as a ``RevenueCursor``, which the next
        sync finds in ``window.cursor``.

        An optional attribute ``tells_all_services = True`` promises that partial facts
        (``RevenueFact.is_partial``) come with every window that is no backfill, all there are:
        then those that are missing are gone too.

        An optional method ``async def find_gaps(secret) -> Sequence[RevenueGap]`` tells of gaps
        before there is a sync: for whoever connects with ``include=permissions``.
        """
        ...


@runtime_checkable
class Notifier(Protocol):
    """Delivers alerts. Each notifier is tried on its own; one failing does not stop another.

    An optional attribute ``orgs``, a collection of org ids, limits it to the alerts of those;
    without it, or with ``None``, it gets every org's. It is read once, at the start.
    """

    name: str
    """Unique among notifiers. What is on its way is kept by it, so don't change it."""

    async def notify(self, alert: Alert) -> None:
        """Deliver ``alert`` within 15 seconds, or raise: it is then kept and tried again later.

        ``ValidationFailed`` says that trying again would not help: the alert is given up at once,
        and kept to be sent again by hand. ``ServiceUnavailable`` with ``retry_after_seconds`` (up
        to a day) leaves the receiver alone for that long. Of the product's own errors the
        message is logged and shown, of any other, ``SystemExit`` included, only its class, since
        it may quote a URL with a token in it.

        The same alert may come again after a crash; ``alert.alert_id`` stays the same.
        """
        ...


class Clock(Protocol):
    """Where the product gets the time from; tests bring their own."""

    def now(self) -> datetime:
        """The current instant, UTC and aware."""
        ...


class SystemClock:
    """The machine's clock."""

    __slots__ = ()

    def now(self) -> datetime:
        """The current instant, UTC and aware."""
        return datetime.now(UTC)
