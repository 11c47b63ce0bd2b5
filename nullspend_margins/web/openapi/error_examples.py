"""Failures as they come: for each code what was said, and of which operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nullspend_margins.web.route import Route

Details = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ErrorExample:
    """One failure. ``of`` holds beginnings of operation ids; none: any operation with the code."""

    name: str
    code: str
    message: str
    details: Details | None = None
    of: tuple[str, ...] = ()

    def is_of(self, route: Route) -> bool:
        """Whether ``route`` may fail like this."""
        return not self.of or route.operation_id.startswith(self.of)


def _wrong(path: str, message: str) -> Details:
    return {"issues": [{"path": path, "message": message}]}


_PERIOD = "must be a calendar month as YYYY-MM, for example 2026-04"
_BASIS = "must be one of invoiced, cash, net, accrual"
_MISSING = {"permission": "rak_invoice_read"}
_CONNECTED = ("replace", "disconnect", "sync")
_PROVIDER = (
    "getProvider",
    "connectProvider",
    "replaceProvider",
    "disconnectProvider",
    "syncProvider",
)

ERROR_EXAMPLES = (
    ErrorExample(
        "wrongPeriod",
        "validation_error",
        f"period: {_PERIOD}",
        _wrong("period", _PERIOD),
        of=("getMarginTable", "getUnmatched", "getCustomerMargin", "explainCustomerMargin"),
    ),
    ErrorExample(
        "wrongBasis",
        "validation_error",
        f"basis: {_BASIS}",
        _wrong("basis", _BASIS),
        of=("getMarginTable", "getUnmatched", "getCustomerMargin", "explainCustomerMargin"),
    ),
    ErrorExample(
        "wrongInclude",
        "validation_error",
        "include: must be permissions",
        _wrong("include", "must be permissions"),
        of=("getStripeConnection", "getProviderConnection"),
    ),
    ErrorExample(
        "wrongId",
        "validation_error",
        "id: must be the UUID of a mapping",
        _wrong("id", "must be the UUID of a mapping"),
        of=("deleteCustomerMapping",),
    ),
    ErrorExample(
        "wrongField",
        "validation_error",
        "tagValue: is required",
        _wrong("tagValue", "is required"),
        of=("saveCustomerMapping",),
    ),
    ErrorExample(
        "wrongEvent",
        "validation_error",
        "costMicrodollars: must be `integer`, not `float`",
        _wrong("costMicrodollars", "must be `integer`, not `float`"),
        of=("reportCostEvent",),
    ),
    ErrorExample(
        "wrongKey",
        "validation_error",
        "stripeKey: ends after its prefix; copy the whole key",
        _wrong("stripeKey", "ends after its prefix; copy the whole key"),
        of=("connect", "replace"),
    ),
    ErrorExample(
        "invalidJson",
        "invalid_json",
        "The body is not JSON: Expecting value: line 1 column 1 (char 0).",
    ),
    ErrorExample(
        "keyRefused",
        "stripe_validation_failed",
        "Stripe does not accept this key. Check that it was copied whole and was not revoked.",
    ),
    ErrorExample(
        "keyLacksPermission",
        "stripe_validation_failed",
        "The key may not read invoices: give it the permission rak_invoice_read.",
        _MISSING,
    ),
    ErrorExample(
        "authenticationRequired",
        "authentication_required",
        "Sign in first: this request carries no valid session.",
    ),
    ErrorExample(
        "plan",
        "forbidden",
        "Margins need the pro plan or above; this org is on free. Upgrade at "
        "https://host.example/upgrade.",
        {
            "requiredPlan": "pro",
            "currentPlan": "free",
            "upgradeUrl": "https://host.example/upgrade",
        },
    ),
    ErrorExample(
        "role",
        "forbidden",
        "This needs the role admin; you are viewer in this org.",
        {"requiredRole": "admin", "currentRole": "viewer"},
    ),
    ErrorExample(
        "origin",
        "forbidden",
        "This request comes from another site, so it does not count as yours.",
    ),
    ErrorExample(
        "unknownPath",
        "not_found",
        "There is nothing at this path; see /api/openapi.json for what is.",
    ),
    ErrorExample(
        "unknownCustomer",
        "not_found",
        "No customer is mapped to the tag value 'acme-corp'.",
        of=("getUnmatched", "getCustomerMargin", "explainCustomerMargin"),
    ),
    ErrorExample(
        "unknownMapping",
        "not_found",
        "This org has no mapping with the id 0b7c9c4e-6f0e-4c53-9f1d-2f1f8f6a7b11.",
        of=("deleteCustomerMapping",),
    ),
    ErrorExample(
        "notConnected",
        "not_found",
        "This org is not connected to Stripe; connect it first.",
        of=_CONNECTED,
    ),
    ErrorExample(
        "unknownProvider",
        "not_found",
        "There is no revenue provider 'paddle'; installed: stripe.",
        of=_PROVIDER,
    ),
    ErrorExample(
        "methodNotAllowed",
        "method_not_allowed",
        "PATCH is not allowed here; use GET or HEAD or POST.",
    ),
    ErrorExample(
        "tagValueIsHeld",
        "conflict",
        "The tag value 'acme-corp' belongs to the customer cus_abc123; remove that mapping first.",
        {
            "stripeCustomerId": "cus_abc123",
            "mappingId": "0b7c9c4e-6f0e-4c53-9f1d-2f1f8f6a7b11",
        },
        of=("saveCustomerMapping",),
    ),
    ErrorExample(
        "alreadyConnected",
        "conflict",
        "This org is already connected to this provider; disconnect first, or replace the key.",
        of=("connect",),
    ),
    ErrorExample(
        "anotherAccount",
        "conflict",
        "This credential belongs to another account of Stripe: it does not see the customers "
        "that are already stored. Disconnect first to change the account.",
        of=("replace",),
    ),
    ErrorExample(
        "changedMeanwhile",
        "conflict",
        "The connection to Stripe was changed meanwhile; try again.",
        of=("replace",),
    ),
    ErrorExample(
        "replacedMeanwhile",
        "conflict",
        "The key of Stripe was replaced during this sync; sync again.",
        of=("sync",),
    ),
    ErrorExample(
        "syncInProgress", "sync_in_progress", "A sync of this org with Stripe is running already."
    ),
    ErrorExample(
        "connectionRevoked",
        "connection_revoked",
        "Stripe refuses the stored key; replace it, or disconnect and connect again.",
    ),
    ErrorExample(
        "permissionMissing",
        "permission_missing",
        "The key may not read invoices: give it the permission rak_invoice_read.",
        _MISSING,
    ),
    ErrorExample("payloadTooLarge", "payload_too_large", "The body must be at most 1048576 bytes."),
    ErrorExample(
        "unsupportedMediaType",
        "unsupported_media_type",
        "Send the body with Content-Type: application/json; none was declared.",
    ),
    ErrorExample(
        "rateLimitExceeded",
        "rate_limit_exceeded",
        "Over 600 requests a minute; come back in 30 s.",
        {"retryAfterSeconds": 30},
    ),
    ErrorExample(
        "internalError",
        "internal_error",
        "Something went wrong on this side. It has been logged.",
    ),
    ErrorExample(
        "providerUnavailable",
        "provider_unavailable",
        "Stripe gave no usable answer within 20 s. Nothing was changed; try again later.",
    ),
    ErrorExample(
        "serviceUnavailable",
        "service_unavailable",
        "The database does not answer; try again later.",
    ),
)


def examples_of(route: Route, code: str) -> Iterator[ErrorExample]:
    """How ``route`` fails with ``code``: as only it does, if there is something of the kind."""
    found = [each for each in ERROR_EXAMPLES if each.code == code and each.is_of(route)]
    own = [each for each in found if each.of]
    yield from own or found
