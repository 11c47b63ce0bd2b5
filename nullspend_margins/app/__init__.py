"""Puts configuration, plugins, database, services and web together."""

from nullspend_margins.app.margins import Margins
from nullspend_margins.app.metering import MeteringMiddleware
from nullspend_margins.app.middleware import MarginsMiddleware

__all__ = ["Margins", "MarginsMiddleware", "MeteringMiddleware"]
