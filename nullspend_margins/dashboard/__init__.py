"""The pages for people, rendered on the server from the same services as the API.

Nothing here is loaded before somebody opens a page: ``routes`` is all that a host's start sees.
"""

from nullspend_margins.dashboard.overrides import template_problems
from nullspend_margins.dashboard.routes import dashboard_routes

__all__ = ["dashboard_routes", "template_problems"]
