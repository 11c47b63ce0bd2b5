"""Connections to revenue providers."""

from __future__ import annotations

from typing import Literal

ConnectionStatus = Literal["active", "error", "revoked"]
"""``error``: the stored credential cannot be read. ``revoked``: the provider refused it."""
