"""How a file can't be had."""

from __future__ import annotations

from nullspend_margins import ProviderUnavailable


class NotThere(ProviderUnavailable):
    """There is no file that can be read where one was said to be.

    Who connects it is told that this is wrong; a sync takes it for a bad day.
    """
