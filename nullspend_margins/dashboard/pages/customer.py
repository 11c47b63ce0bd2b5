"""One customer."""

from __future__ import annotations

from nullspend_margins.dashboard.call import Page, PageCall
from nullspend_margins.dashboard.pages.asked import asked_period, periods_offered


async def detail(call: PageCall) -> Page:
    """What one customer brings in and costs."""
    period = asked_period(call)
    tag_value = asked_tag(call)
    found = await call.services.margins.customer(call.org_id, tag_value, period)
    return Page(
        template="customer.html",
        context={"period": period, "periods": periods_offered(call, period), "customer": found},
    )


def asked_tag(call: PageCall) -> str:
    """The tag value: of the path, or of ``?tagValue=`` for those that a path can't carry."""
    given = call.query("tagValue")
    return given if given is not None else call.request.params["customer"]
