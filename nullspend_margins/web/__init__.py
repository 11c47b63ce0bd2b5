"""HTTP: the route table, what goes over the wire, who may pass, and errors as statuses."""

from nullspend_margins.web.application import WebApp

__all__ = ["WebApp"]
