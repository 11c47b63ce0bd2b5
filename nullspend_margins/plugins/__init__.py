"""Plugins: found, checked and frozen into a ``Registry``, once, at start."""

from nullspend_margins.plugins.loading import load_plugins
from nullspend_margins.plugins.registry import LoadedPlugin, Origin, Registry

__all__ = ["LoadedPlugin", "Origin", "Registry", "load_plugins"]
