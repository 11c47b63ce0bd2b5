"""``/api/openapi.json``."""

from __future__ import annotations

from starlette.responses import Response

from nullspend_margins.web.answers import answer
from nullspend_margins.web.call import Incoming


async def openapi(request: Incoming) -> Response:
    """The description of this API, for the mount it is asked under."""
    body = request.document(request.scope.get("root_path", ""))
    return answer(body, headers={"Cache-Control": "public, max-age=300"})
