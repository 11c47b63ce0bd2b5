"""Stripe's form of errors, and the parameters that every list takes."""

from __future__ import annotations

import math
import re
from collections.abc import Set as AbstractSet

from starlette.datastructures import QueryParams

from nullspend_margins.demo.stripe_templates import Json

_RANGES = ("gt", "gte", "lt", "lte")
_COMMON = {"limit", "starting_after", "expand[]", "created", *(f"created[{x}]" for x in _RANGES)}


# Arrays are sent as ``types[]`` or, by the SDK, as ``types[0]``.
_INDEX = re.compile(r"\[[0-9]+\]$")


class StripeRefusal(Exception):
    """An error answer in Stripe's form."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param

    @classmethod
    def no_such(cls, kind: str, object_id: str, *, status: int = 404) -> StripeRefusal:
        """There is no object with this id."""
        param = "id" if status == 404 else "starting_after"
        message = f"No such {kind}: '{object_id}'"
        return cls(status, message, code="resource_missing", param=param)

    def body(self) -> Json:
        """The JSON of the answer."""
        kinds = {429: "rate_limit_error"}
        kind = "api_error" if self.status >= 500 else "invalid_request_error"
        error: Json = {"message": self.message, "type": kinds.get(self.status, kind)}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def checked(params: QueryParams, known: AbstractSet[str]) -> QueryParams:
    """The parameters, if the list knows them all."""
    for name in params:
        if _INDEX.sub("[]", name) not in _COMMON | known:
            raise StripeRefusal(
                400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name
            )
    return params


def limit_of(params: QueryParams) -> int:
    """How many objects a page may have."""
    limit = _integer(params, "limit")
    if limit is None:
        return 10
    if not 1 <= limit <= 100:
        bound = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
        raise StripeRefusal(
            400,
            f"This value must be {bound} (it currently is '{limit}').",
            code="parameter_invalid_integer",
            param="limit",
        )
    return limit


def created_range(params: QueryParams) -> tuple[float, float]:
    """The half-open range ``[first, end)`` of Unix seconds that the filters leave."""
    first: float = -math.inf
    end: float = math.inf
    exact = _integer(params, "created")
    if exact is not None:
        return exact, exact + 1
    for name in _RANGES:
        value = _integer(params, f"created[{name}]")
        if value is None:
            continue
        if name.startswith("g"):
            first = max(first, value if name == "gte" else value + 1)
        else:
            end = min(end, value if name == "lt" else value + 1)
    return first, end


def _integer(params: QueryParams, name: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise StripeRefusal(
            400, f"Invalid integer: {text}", code="parameter_invalid_integer", param=name
        ) from None


def items_of(params: QueryParams, name: str) -> list[str]:
    """The items of an array, however it was sent."""
    return [value for key, value in params.multi_items() if _INDEX.sub("[]", key) == f"{name}[]"]
