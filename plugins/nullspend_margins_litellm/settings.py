"""What ``[plugins.litellm]`` may say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Literal

from nullspend_margins import Secret

CustomerFrom = Literal[
    "end_user", "key_alias", "key_metadata", "team_id", "team_alias", "user_id", "organization_id"
]
ROLES = ("viewer", "member", "admin", "owner")
ADMIN_ROLES = frozenset({"proxy_admin", "proxy_admin_viewer"})
"""Those whose keys belong to the proxy as a whole and to no team."""

_OF_PRISMA = frozenset(
    {"schema", "connection_limit", "pool_timeout", "socket_timeout", "pgbouncer", "sslaccept"}
    | {"sslidentity", "statement_cache_size", "max_connection_lifetime", "single_use_connections"}
    | {"max_idle_connection_lifetime"}
)
"""What may stand behind the ? of the ``DATABASE_URL`` of a proxy, which people copy."""
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_MOST_ORG = 256
_HEADER = re.compile(r"[a-z0-9-]{1,100}")
_NO_TABLE: Mapping[str, str] = MappingProxyType({})
_DEFAULT_ROLES: Mapping[str, str] = MappingProxyType(
    {"proxy_admin": "owner", "proxy_admin_viewer": "viewer"}
)


def _path_problem(path: str) -> str | None:
    return None if _PATH.fullmatch(path) else 'must be a path, for example "/margins"'


def _org_problem(org_id: str) -> str | None:
    fits = org_id.isprintable() and org_id.strip() and len(org_id) <= _MOST_ORG
    return None if fits else f"must be an org's id, of 1 to {_MOST_ORG} characters"


def _orgs_problem(orgs: Mapping[str, str]) -> str | None:
    wrong = [team for team, org_id in orgs.items() if _org_problem(org_id)]
    return f'"{wrong[0]}" {_org_problem(orgs[wrong[0]])}' if wrong else None


def _headers_problem(names: Iterable[str]) -> str | None:
    wrong = [name for name in names if not _HEADER.fullmatch(name)]
    return f'"{wrong[0]}" is no name of a header in small letters' if wrong else None


def _roles_problem(roles: Mapping[str, str]) -> str | None:
    wrong = [role for role in roles.values() if role not in ROLES]
    return f'"{wrong[0]}" is none of {", ".join(ROLES)}' if wrong else None


def _day_problem(day: str) -> str | None:
    """Days are compared as texts, so no other way of writing one will do."""
    try:
        is_day = date.fromisoformat(day).isoformat() == day
    except ValueError:
        is_day = False
    return None if is_day else "must be a day, for example 2026-04-01"


def _database_problem(url: Secret) -> str | None:
    if not url.reveal().startswith(("postgresql://", "postgres://")):
        return "must be a URL that begins with postgresql://"
    given = {each.partition("=")[0] for each in url.reveal().partition("?")[2].split("&")}
    wrong = sorted(_OF_PRISMA & given)
    if not wrong:
        return None
    return (
        f"has {wrong[0]}, which the proxy's own driver takes and PostgreSQL's does not; leave it "
        "away. In place of schema=NAME write options=-csearch_path%3DNAME"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteLLMSettings:
    """Whose costs, which customers are believed, who may see, and what is read from tables."""

    org: str | None = field(
        default=None,
        metadata={
            "help": "The org that costs belong to and people see, unless `orgs` names another",
            "unit": "1 to 256 characters",
            "check": _org_problem,
        },
    )
    orgs: Mapping[str, str] = field(
        default_factory=lambda: _NO_TABLE,
        metadata={
            "help": "A table: the proxy's team or organization id to org. The team is looked up "
            "first",
            "unit": "",
            "check": _orgs_problem,
        },
    )
    path: str = field(
        default="/margins",
        metadata={
            "help": "Where the margins are in the proxy: `/margins/api/margins` and so on",
            "unit": "",
            "check": _path_problem,
        },
    )
    roles: Mapping[str, str] = field(
        default_factory=lambda: _DEFAULT_ROLES,
        metadata={
            "help": "A table: a role of the proxy's keys to a role here; `none` is for keys "
            "without one. Roles not listed may not sign in. Not set: `proxy_admin` is `owner`, "
            "`proxy_admin_viewer` is `viewer`",
            "unit": "",
            "check": _roles_problem,
        },
    )
    customer: CustomerFrom = field(
        default="end_user",
        metadata={
            "help": "What names the customer: the request's end user, or something of its key",
            "unit": "",
        },
    )
    customer_metadata_key: str = field(
        default="customer",
        metadata={
            "help": 'With `customer = "key_metadata"`: the key in the metadata of the proxy\'s key',
            "unit": "",
        },
    )
    trusted_headers: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "Request headers that may name the customer, the first one wins. All others "
            "that the proxy would take one from are removed",
            "unit": "",
            "check": _headers_problem,
        },
    )
    trust_body: bool = field(
        default=False,
        metadata={
            "help": "Whether a request's body (`user`, `metadata.user_id` and so on) may name the "
            "customer",
            "unit": "",
        },
    )
    trust_call_ids: bool = field(
        default=False,
        metadata={
            "help": "Whether clients may choose `x-litellm-call-id`. Calls with the same one "
            "count once",
            "unit": "",
        },
    )
    discounts: Literal["vendor", "customer"] = field(
        default="vendor",
        metadata={
            "help": "Who gives the discounts of `cost_discount_config`: the vendor (they lower "
            "the cost), or you to your customers (they don't)",
            "unit": "",
        },
    )
    database_url: Secret | None = field(
        default=None,
        metadata={
            "help": "The proxy's PostgreSQL, read as a cost source. A role with SELECT is enough",
            "unit": "URL",
            "check": _database_problem,
        },
    )
    read: Literal["auto", "daily", "spend_logs"] = field(
        default="auto",
        metadata={
            "help": "Which of its tables: the daily sums, the single calls, or the daily sums if "
            "they are there and tell enough",
            "unit": "",
        },
    )
    read_before: str | None = field(
        default=None,
        metadata={
            "help": "Read calls of days before this one (UTC) alone: history, where the callback "
            "counts what came after",
            "unit": "day",
            "check": _day_problem,
        },
    )
    late_minutes: int = field(
        default=60,
        metadata={
            "help": "How long after a call its row may still appear among the single calls",
            "unit": "minutes",
            "at_least": 1,
            "at_most": 10_080,
        },
    )
    late_days: int = field(
        default=3,
        metadata={
            "help": "How long the sums of a day may still change",
            "unit": "days",
            "at_least": 1,
            "at_most": 31,
        },
    )

    def __post_init__(self) -> None:
        if self.database_url is not None and self.org is None and not self.orgs:
            raise ValueError("org is missing; it says whose costs the database's calls are")
        if self.read != "daily":
            return
        if self.customer != "end_user":
            raise ValueError(
                f'read = "daily" knows customers by end user alone; customer = "{self.customer}" '
                'needs read = "spend_logs"'
            )
        if self.orgs:
            raise ValueError('read = "daily" knows no teams; orgs needs read = "spend_logs"')

    def org_of(self, team_id: object, organization_id: object) -> str | None:
        """The org of a call or a key; ``None`` where nothing says it."""
        for each in (team_id, organization_id):
            if isinstance(each, str) and each in self.orgs:
                return self.orgs[each]
        return self.org

    @property
    def reads_daily_sums(self) -> bool:
        """Whether the daily sums may be read, where there are any."""
        return self.read == "daily" or (
            self.read == "auto" and self.customer == "end_user" and not self.orgs
        )

    def problem_beside_the_callback(self, today: date) -> str | None:
        """What would lose costs, or count them twice, where the proxy counts each call itself."""
        if self.org is None and not self.orgs:
            return "plugins.litellm.org: is missing; it says whose costs the proxy's calls are"
        history_ends = self.read_before and date.fromisoformat(self.read_before) <= today
        if self.database_url is None or self.read == "spend_logs" or history_ends:
            return None
        return (
            "plugins.litellm.read: the proxy counts each call itself, so its daily sums would "
            f'count twice. Set read_before = "{today.isoformat()}" to read the sums of the days '
            'before today alone, or read = "spend_logs", whose calls count once'
        )
