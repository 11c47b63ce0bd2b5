"""``/api/margins``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from nullspend_margins.domain.access import Role
from nullspend_margins.web.endpoints import margins
from nullspend_margins.web.route import Header, Link, Parameter, Reply, Route, SessionRoute
from nullspend_margins.web.wire import examples
from nullspend_margins.web.wire.base import AskedPeriod
from nullspend_margins.web.wire.margins import CustomerMarginAnswer, MarginTableAnswer
from nullspend_margins.web.wire.unmatched import UnmatchedAnswer

TableFormat = Annotated[
    Literal["json", "csv"], Meta(title="TableFormat", description="How the table is written.")
]
Include = Annotated[
    Literal["coverage"], Meta(title="Include", description="What may come with the table.")
]
AskedBasis = Annotated[
    Literal["invoiced", "cash", "net", "accrual"],
    Meta(title="Basis", description="What counts as revenue, and when."),
]
FileName = Annotated[
    str,
    Meta(extra_json_schema={"pattern": r'^attachment; filename="margins-[0-9]{4}-[0-9]{2}\.csv"$'}),
]

_PERIOD = Parameter(
    "period", "query", AskedPeriod, "The month, in UTC; by default the current one.", "2026-04"
)
_FORMAT = Parameter(
    "format", "query", TableFormat, "`json`, the default, or `csv`, which downloads a file.", "json"
)
_BASIS = Parameter(
    "basis",
    "query",
    AskedBasis,
    "Which revenue counts, and when; by default what `[revenue] basis` says.",
    "net",
)
_INCLUDE = Parameter(
    "include",
    "query",
    Include,
    "`coverage`: how much of the period's cost and revenue the table covers. Not for `csv`.",
    "coverage",
)
_CUSTOMER = Parameter(
    "customer",
    "path",
    str,
    "The tag value, percent-encoded once. It may hold `/`, spaces and any Unicode.",
    "acme-corp",
    required=True,
)
_TAG_VALUE = Parameter(
    "tagValue",
    "query",
    str,
    "The tag value in place of the path's, for what a path cannot carry: `unmatched`, `.`, `..`.",
    "acme-corp",
)
_PENDING = "$response.body#/data/pendingAutoMatches/0"

_TABLE = Reply(
    status=200,
    kinds=(MarginTableAnswer,),
    description="The table, worst customer first.",
    examples={"table": examples.TABLE, "coverage": examples.COVERED_TABLE},
    links=(
        Link(
            name="worstCustomer",
            to="getCustomerMargin",
            description="The first row in detail.",
            parameters={"path.customer": "$response.body#/data/customers/0/tagValue"},
        ),
    ),
)
_FILE = Reply(
    status=200,
    media_type="text/csv",
    description="The table as a file (RFC 4180, UTF-8, amounts in US dollars).",
    examples={"file": examples.CSV},
    headers={
        "Content-Disposition": Header(
            description="With `format=csv`: the name of the file.",
            kind=FileName,
            example='attachment; filename="margins-2026-04.csv"',
        )
    },
)
_UNMATCHED_LINKS = (
    Link(
        name="map",
        to="saveCustomerMapping",
        description="Join the first customer with the first tag value, if they are the same.",
        body={
            "stripeCustomerId": "$response.body#/data/unmatchedStripeCustomers/0/stripeCustomerId",
            "tagValue": "$response.body#/data/unmappedTagValues/0/tagValue",
        },
    ),
    Link(
        name="confirm",
        to="saveCustomerMapping",
        description="Confirm the first automatic match.",
        body={
            "stripeCustomerId": f"{_PENDING}/stripeCustomerId",
            "tagValue": f"{_PENDING}/tagValue",
            "matchType": "manual",
        },
    ),
    Link(
        name="reject",
        to="deleteCustomerMapping",
        description="Reject the first automatic match.",
        parameters={"query.id": f"{_PENDING}/id"},
    ),
)

MARGIN_ROUTES: tuple[Route, ...] = (
    SessionRoute(
        method="GET",
        path="/api/margins",
        operation_id="getMarginTable",
        tag="margins",
        summary="The margin table of a period",
        description="One row a tag value that is mapped and has revenue or cost in the period.",
        endpoint=margins.table,
        role=Role.VIEWER,
        parameters=(_PERIOD, _FORMAT, _BASIS, _INCLUDE),
        replies=(_TABLE, _FILE),
        errors=("validation_error", "service_unavailable"),
    ),
    SessionRoute(
        method="GET",
        path="/api/margins/unmatched",
        operation_id="getUnmatched",
        tag="margins",
        summary="Customers and tag values that are not mapped",
        description="What is left to map. With `tagValue` this is the customer of that name, as"
        " in `getCustomerMargin`, and only then does `period` count.",
        endpoint=margins.unmatched,
        role=Role.VIEWER,
        parameters=(_PERIOD, _BASIS, _TAG_VALUE),
        replies=(
            Reply(
                status=200,
                kinds=(UnmatchedAnswer, CustomerMarginAnswer),
                description="What is left to map; with `tagValue`, that customer.",
                examples={"unmatched": examples.UNMATCHED, "customer": examples.CUSTOMER},
                links=_UNMATCHED_LINKS,
            ),
        ),
        errors=("validation_error", "not_found"),
    ),
    SessionRoute(
        method="GET",
        path="/api/margins/{customer:path}",
        operation_id="getCustomerMargin",
        tag="margins",
        summary="One customer in a period",
        description="Revenue, cost and margin of one tag value, with its months and models.",
        endpoint=margins.customer,
        role=Role.VIEWER,
        parameters=(_CUSTOMER, _PERIOD, _BASIS, _TAG_VALUE),
        replies=(
            Reply(
                status=200,
                kinds=(CustomerMarginAnswer,),
                description="The customer.",
                examples={"customer": examples.CUSTOMER},
            ),
        ),
        errors=("validation_error", "not_found"),
    ),
)
