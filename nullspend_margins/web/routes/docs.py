"""``/api/openapi.json``."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from nullspend_margins.web.endpoints import docs
from nullspend_margins.web.route import PublicRoute, Reply, Route

OpenApiDocument = Annotated[
    dict[str, Any],
    Meta(title="OpenApiDocument", description="An OpenAPI 3.1 document, as its standard has it."),
]

DOCS_ROUTES: tuple[Route, ...] = (
    PublicRoute(
        method="GET",
        path="/api/openapi.json",
        operation_id="getOpenApiDocument",
        tag="description",
        summary="This document",
        description="The description of this API for the mount it is asked under. Open to"
        " everybody.",
        endpoint=docs.openapi,
        replies=(
            Reply(
                status=200,
                kinds=(OpenApiDocument,),
                description="OpenAPI 3.1.",
                examples={
                    "beginning": {
                        "openapi": "3.1.0",
                        "info": {"title": "NullSpend Margins", "version": "0.1.0"},
                        "paths": {},
                    }
                },
            ),
        ),
    ),
)
