"""``/api/customer-mappings``."""

from __future__ import annotations

from nullspend_margins.domain.access import Role
from nullspend_margins.web.endpoints import mappings
from nullspend_margins.web.route import Link, Parameter, Reply, Route, SessionRoute
from nullspend_margins.web.wire import examples
from nullspend_margins.web.wire.base import DeletedAnswer, Uuid
from nullspend_margins.web.wire.mappings import MappingAnswer, MappingRequest, MappingsAnswer

_MAPPING_ID = Parameter(
    "id",
    "query",
    Uuid,
    "The mapping's id.",
    "0b7c9c4e-6f0e-4c53-9f1d-2f1f8f6a7b11",
    required=True,
)


def _links(mapping: str) -> tuple[Link, ...]:
    """What to do with a mapping that an answer holds at ``mapping``."""
    return (
        Link(
            name="delete",
            to="deleteCustomerMapping",
            description="Delete the mapping.",
            parameters={"query.id": f"$response.body#{mapping}/id"},
        ),
        Link(
            name="margin",
            to="getCustomerMargin",
            description="The margin of the customer.",
            parameters={"path.customer": f"$response.body#{mapping}/tagValue"},
        ),
    )


_LISTING = Link(name="list", to="listCustomerMappings", description="The org's other mappings.")

MAPPING_ROUTES: tuple[Route, ...] = (
    SessionRoute(
        method="GET",
        path="/api/customer-mappings",
        operation_id="listCustomerMappings",
        tag="customer-mappings",
        summary="All mappings of the org",
        description="Manual and automatic ones, of every provider and tag key.",
        endpoint=mappings.listing,
        role=Role.VIEWER,
        replies=(
            Reply(
                status=200,
                kinds=(MappingsAnswer,),
                description="The mappings, oldest first.",
                examples={"mappings": examples.MAPPINGS},
                links=_links("/data/0"),
            ),
        ),
    ),
    SessionRoute(
        method="POST",
        path="/api/customer-mappings",
        operation_id="saveCustomerMapping",
        tag="customer-mappings",
        summary="Create or update a mapping",
        description="Creates a mapping, or changes the one of that provider, customer and tag"
        " key. A tag value belongs to one customer per provider and tag key; a manual mapping"
        " displaces an unconfirmed automatic one.",
        endpoint=mappings.save,
        role=Role.ADMIN,
        request=MappingRequest,
        request_examples={"mapping": examples.MAPPING_REQUEST},
        replies=(
            Reply(
                status=201,
                kinds=(MappingAnswer,),
                description="The mapping, created or updated.",
                examples={"mapping": examples.MAPPING},
                links=(*_links("/data"), _LISTING),
            ),
        ),
        errors=("conflict",),
    ),
    SessionRoute(
        method="DELETE",
        path="/api/customer-mappings",
        operation_id="deleteCustomerMapping",
        tag="customer-mappings",
        summary="Delete a mapping",
        description="The pair is not matched again by itself until somebody posts it.",
        endpoint=mappings.delete,
        role=Role.ADMIN,
        parameters=(_MAPPING_ID,),
        replies=(
            Reply(
                status=200,
                kinds=(DeletedAnswer,),
                description="It is deleted.",
                examples={"deleted": examples.DELETED},
                links=(_LISTING,),
            ),
        ),
        errors=("validation_error", "not_found"),
    ),
)
