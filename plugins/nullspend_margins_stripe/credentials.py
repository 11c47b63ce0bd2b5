"""Which Stripe keys are accepted, and how one is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nullspend_margins import Credential, ValidationFailed

FIELD = "stripeKey"

_MAX_REST = 490
# Any visible ASCII: what a key may hold after its prefix is Stripe's to say.
_KEY = re.compile(rf"(?:rk_live|rk_test|sk_test)_[!-~]{{1,{_MAX_REST}}}")

_MAKE_ONE = (
    "make a restricted key (rk_live_... or rk_test_...) in the Stripe dashboard, with read access "
    "to customers and invoices (for all bases of revenue also to charges and refunds, credit "
    "notes, disputes, events and balance transaction sources)"
)

# Read from the top: the first prefix that fits explains the mistake. No message repeats the input.
_MISTAKES = (
    ("sk_live_", f"is a secret key, which can move money; {_MAKE_ONE}"),
    ("sk_test_", f"is a secret key, accepted outside production only; {_MAKE_ONE}"),
    ("pk_", f"is a publishable key, which cannot read invoices; {_MAKE_ONE}"),
    ("whsec_", f"is a webhook signing secret, not an API key; {_MAKE_ONE}"),
    ("ns_", f"is a NullSpend key, not one of Stripe's; {_MAKE_ONE}"),
    ("acct_", f"is an account id, not an API key; {_MAKE_ONE}"),
)


def parse_credential(body: Mapping[str, object], *, environment: str) -> Credential:
    """The key in a connect request's body, without the spaces around it.

    Raises ``ValidationFailed`` with path ``stripeKey`` for anything that is no usable key; the
    message guesses the mistake and never repeats what was sent.
    """
    value = body.get(FIELD)
    if value is None:
        raise ValidationFailed.of((FIELD, f"is required: {_MAKE_ONE}"))
    if not isinstance(value, str):
        raise ValidationFailed.of((FIELD, "must be a string"))
    key = value.strip()
    secret_key_allowed = environment != "production"
    usable = _KEY.fullmatch(key) and not _is_shortened(key)
    if usable and (secret_key_allowed or not key.startswith("sk_")):
        return Credential(secret=key, label=label_of(key))
    raise ValidationFailed.of((FIELD, _mistake(key)))


def label_of(key: str) -> str:
    """What people see in place of ``key``: its first 12 characters, ``...``, its last 4."""
    return f"{key[:12]}...{key[-4:]}"


def _mistake(key: str) -> str:
    if not key:
        return f"must not be empty: {_MAKE_ONE}"
    if key.startswith(("rk_live_", "rk_test_")):
        return _malformed(key)
    for prefix, problem in _MISTAKES:
        if key.startswith(prefix):
            return problem
    return f"is not a Stripe API key; {_MAKE_ONE}"


def _malformed(key: str) -> str:
    rest = key[len("rk_live_") :]
    if not rest:
        return "ends after its prefix; copy the whole key"
    if _is_shortened(rest):
        return "is the shortened form that Stripe shows; copy the whole key, or make a new one"
    if len(rest) > _MAX_REST:
        return "is too long for a Stripe key; copy the key alone"
    return "has characters that no Stripe key has; copy the key alone"


def _is_shortened(key: str) -> bool:
    return "*" in key or "…" in key or "..." in key
