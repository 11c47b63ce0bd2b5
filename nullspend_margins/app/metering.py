"""The metering form: costs from the responses of a host's own app."""

from __future__ import annotations

from starlette.types import ASGIApp

from nullspend_margins.app.margins import Margins
from nullspend_margins.errors import ConfigurationError
from nullspend_margins.metering import AskCustomer, Meter, customer_function


class MeteringMiddleware(Meter):
    """Counts what the responses of ``app`` cost, and for whom; passes everything on unchanged.

    Pure ASGI, for a host that mounts ``margins.app``. ``customer`` is asked whose a request is:
    it gets the ASGI scope and returns the customer, an ``Attribution`` or ``None``, and may be
    ``async``; without it the function named by ``[metering] customer``, if any, is asked. Raises
    ``ConfigurationError`` when ``[metering] org`` is not set or that function cannot be found.
    """

    def __init__(
        self, app: ASGIApp, margins: Margins, *, customer: AskCustomer | None = None
    ) -> None:
        config = margins.config
        settings = config.metering
        if not settings.org:
            raise ConfigurationError(
                f"{config.locate('metering.org')}: is missing, and metering needs it: "
                "whose costs are these?"
            )
        if customer is None and settings.customer:
            customer = customer_function(settings.customer, config.locate("metering.customer"))
        super().__init__(app, settings, margins.recorder.append, margins._clock, customer)
