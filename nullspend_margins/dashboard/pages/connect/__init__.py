"""Connect: what is connected and how that goes, connecting, syncing, disconnecting."""

from nullspend_margins.dashboard.pages.connect.keys import connect, replace, replacing
from nullspend_margins.dashboard.pages.connect.leaving import asking, disconnect
from nullspend_margins.dashboard.pages.connect.looking import overview, provider, sync

__all__ = [
    "asking",
    "connect",
    "disconnect",
    "overview",
    "provider",
    "replace",
    "replacing",
    "sync",
]
