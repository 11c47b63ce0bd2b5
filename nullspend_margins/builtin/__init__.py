"""The defaults, as plugins like any other: each can be put last, replaced or disabled."""

from nullspend_margins.builtin.defaults import builtin_plugins

__all__ = ["builtin_plugins"]
