"""Entry point: registers Stripe as a revenue provider.

Importing this costs next to nothing: the Stripe SDK and httpx load with the first request.
"""

from __future__ import annotations

from nullspend_margins import PluginContext, RevenueProvider, hookimpl
from nullspend_margins_stripe.provider import StripeProvider
from nullspend_margins_stripe.settings import StripeSettings


@hookimpl
def register_revenue_providers(context: PluginContext) -> list[RevenueProvider]:
    """The one provider, ``stripe``, as ``[plugins.stripe]`` configures it."""
    return [
        StripeProvider(
            context.settings(StripeSettings),
            environment=context.environment,
            http=lambda: context.http,
            clock=context.clock,
        )
    ]
