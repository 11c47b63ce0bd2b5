"""``/api/margins``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from nullspend_margins.domain.access import Role
from nullspend_margins.web.endpoints import margins
from nullspend_margins.web.route import Header, Link, Parameter, Reply, Route, SessionRoute
from nullspend_margins.web.wire import examples
from nullspend_margins.web.wire.base import AskedPeriod
from nullspend_margins.web.wire.bases import BasisName
from nullspend_margins.web.wire.customer import CustomerMarginAnswer
from nullspend_margins.web.wire.explanation import ExplanationAnswer
from nullspend_margins.web.wire.explanation_example import EXPLANATION
from nullspend_margins.web.wire.margins import MarginTableAnswer
from nullspend_margins.web.wire.unmatched import UnmatchedAnswer

TableFormat = Annotated[
    Literal["json", "csv"], Meta(title="TableFormat", description="How the table is written.")
]
# An array would be sent as several parameters by many clients, and the last of them counts.
Include = Annotated[
    Literal["coverage", "bases", "coverage,bases", "bases,coverage"],
    Meta(title="Include", description="What may come with the table: one thing, or both."),
]
CustomerInclude = Annotated[
    Literal["bases"],
    Meta(title="CustomerInclude", description="What may come with a customer."),
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
    BasisName,
    "Which revenue counts, and when; by default what `[revenue] basis` says.",
    "net",
)
_INCLUDE = Parameter(
    "include",
    "query",
    Include,
    "`coverage`: how much of the period's cost and revenue the table covers. `bases`: each row's"
    " revenue by every basis. Both: separated by a comma. Not for `csv`.",
    "coverage,bases",
)
_CUSTOMER_INCLUDE = Parameter(
    "include", "query", CustomerInclude, "`bases`: the revenue by every basis.", "bases"
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
    examples={
        "table": examples.TABLE,
        "coverage": examples.COVERED_TABLE,
        "bases": examples.TABLE_WITH_BASES,
    },
    links=(
        Link(
            name="worstCustomer",
            to="getCustomerMargin",
            description="The first row in detail.",
            parameters={"path.customer": "$response.body#/data/customers/0/tagValue"},
        ),
        Link(
            name="explanation",
            to="explainCustomerMargin",
            description="What the first row is made of.",
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
        description="One row a tag value that is mapped and has revenue or cost in the period."
        " `basis` decides on rows, order and margins.",
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
        " in `getCustomerMargin`, and only then do `period`, `basis` and `include` count.",
        endpoint=margins.unmatched,
        role=Role.VIEWER,
        parameters=(_PERIOD, _BASIS, _CUSTOMER_INCLUDE, _TAG_VALUE),
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
        path="/api/margins/{customer:path}/explain",
        operation_id="explainCustomerMargin",
        tag="margins",
        summary="What one customer's revenue and cost of a period are made of",
        description="Lists the parts of invoices, refunds, credit notes and disputes that are"
        " revenue of the period by one basis, and the costs by day: each list adds up exactly to"
        " what the table and the customer's own route tell. A slash of the tag value must be"
        " encoded (`%2F`): the path of the tag value `a/explain` is `a%2Fexplain`.",
        endpoint=margins.explain,
        role=Role.VIEWER,
        parameters=(_CUSTOMER, _PERIOD, _BASIS, _TAG_VALUE),
        replies=(
            Reply(
                status=200,
                kinds=(ExplanationAnswer,),
                description="The explanation.",
                examples={"explanation": EXPLANATION},
                links=(
                    Link(
                        name="customer",
                        to="getCustomerMargin",
                        description="The customer with its months and models.",
                        parameters={"path.customer": "$response.body#/data/tagValue"},
                    ),
                ),
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
        parameters=(_CUSTOMER, _PERIOD, _BASIS, _CUSTOMER_INCLUDE, _TAG_VALUE),
        replies=(
            Reply(
                status=200,
                kinds=(CustomerMarginAnswer,),
                description="The customer.",
                examples={
                    "customer": examples.CUSTOMER,
                    "bases": examples.CUSTOMER_WITH_BASES,
                },
            ),
        ),
        errors=("validation_error", "not_found"),
    ),
)
