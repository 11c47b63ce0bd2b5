"""Where the written contract and JSON Schema do not agree, and what is asked because of that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure

from tests.world import KEY

STRIPE_CREDENTIALS = frozenset({"connectStripe", "replaceStripeCredential"})
ANY_CREDENTIALS = frozenset({"connectProvider", "replaceProviderCredential"})
COST_EVENTS = frozenset({"reportCostEvent", "reportCostEventBatch"})


def operation_id(case: Case) -> str:
    """The name of the operation that was asked."""
    return str(case.operation.definition.raw["operationId"])


def is_no_exemption(
    _context: HookContext, failure: Failure, case: Case, response: Response
) -> bool:
    """False where the contract has it otherwise, or JSON Schema cannot say what it wants."""
    operation = operation_id(case)
    if "use_after_free" in failure.checks and operation == "getProviderConnection":
        # The contract answers 200 with null where nothing is connected (any more).
        return response.status_code != 200 or response.json() != {"data": None}
    if "ensure_resource_availability" in failure.checks and operation == "replaceStripeCredential":
        # What is connected by /connect is deleted by /disconnect, which schemathesis cannot know.
        return False
    if "positive_data_acceptance" not in failure.checks or response.status_code != 400:
        return True
    error = response.json()["error"]
    if operation == "getMarginTable" and error["code"] == "validation_error":
        # That two parameters do not go together, a parameter's schema cannot say.
        together = {"include", "format"} <= (case.query or {}).keys()
        return not together or [each["path"] for each in error["details"]["issues"]] != ["include"]
    if operation in STRIPE_CREDENTIALS:
        # A well-formed key may still be refused, but by Stripe alone.
        return bool(error["code"] != "stripe_validation_failed")
    if operation in ANY_CREDENTIALS:
        # What a provider asks for is the provider's to say, so the document takes any object.
        return error["code"] not in {"stripe_validation_failed", "validation_error"}
    if operation in COST_EVENTS and error["code"] == "validation_error":
        return not all(map(_is_beyond_schemas, error["details"]["issues"]))
    return True


def required_alone(_context: HookContext, query: Any) -> Any:
    return query and {name: value for name, value in query.items() if name == "id"}


def existing_provider(_context: HookContext, parameters: Any) -> Any:
    if parameters and "provider" in parameters:
        return {**parameters, "provider": "stripe"}
    return parameters


def right_credential(_context: HookContext, _body: Any) -> Any:
    """To the document any object may be a credential, so that hardly one in fifty is one."""
    return {"stripeKey": KEY}


def with_integers(_context: HookContext, body: Any) -> Any:
    """To JSON Schema 5.0 is an integer; the contract says that it is none: ask with 5 mostly."""
    if isinstance(body, dict):
        return {name: with_integers(_context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [with_integers(_context, value) for value in body]
    return int(body) if isinstance(body, float) and body.is_integer() else body


def _is_beyond_schemas(issue: Mapping[str, str]) -> bool:
    if re.fullmatch(r"must be `integer( \| null)?`, not `float`", issue["message"]):
        return True
    # Neither bytes, levels and texts at any depth, nor today's date can be written in a schema.
    return issue["path"].endswith(("costBreakdown", "occurredAt"))
