"""What people are asked for to connect to Stripe."""

from __future__ import annotations

import httpx
import pytest

from nullspend_margins_stripe import permissions
from nullspend_margins_stripe.form import connect_form
from nullspend_margins_stripe.permissions import remedy_url
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import FakeTime, make_provider


def provider(environment: str) -> StripeProvider:
    return make_provider(httpx.AsyncClient, FakeTime(), environment=environment)


def test_every_permission_that_is_of_use_is_to_be_ticked() -> None:
    form = connect_form("production")
    assert tuple(each.name for each in form.permissions) == permissions.ALL
    needed = tuple(each.name for each in form.permissions if each.needed)
    assert needed == permissions.NEEDED


@pytest.mark.parametrize(
    ("environment", "live", "placeholder"),
    [("production", [True, False], "rk_live_..."), ("development", [False, True], "rk_test_...")],
)
def test_the_link_of_the_environment_comes_first(
    environment: str, live: list[bool], placeholder: str
) -> None:
    form = provider(environment).connect_form
    assert [each.url for each in form.links] == [remedy_url(livemode=each) for each in live]
    [way] = form.ways
    [key] = way.fields
    assert (key.name, key.secret, key.placeholder) == ("stripeKey", True, placeholder)


def test_bases_need_what_they_are_approximate_without() -> None:
    losses = (
        permissions.REFUNDS,
        permissions.CREDIT_NOTES,
        permissions.DISPUTES,
        permissions.DISPUTED_CUSTOMERS,
        permissions.EVENTS,
        permissions.RATES,
    )
    form = {each.name: set(each.bases) for each in connect_form("production").permissions}
    for loss in losses:
        assert set(loss.bases) <= form[loss.permission]
