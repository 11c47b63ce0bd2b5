"""What a plugin's functions take, whatever is written for the types."""

from __future__ import annotations

import sys

import pytest

from nullspend_margins import CallableAuthenticator

from .support import load, module

_LATE = "" if sys.version_info >= (3, 14) else "from __future__ import annotations"
"""With which no type is looked up before somebody asks for it, as in Python 3.14."""
_PLUGIN = f"""{_LATE}
from typing import TYPE_CHECKING
from nullspend_margins import hookimpl
if TYPE_CHECKING:
    from elsewhere import Alert, Context, Scope

class Pager:
    name = "pager"

    async def notify(self, alert: Alert) -> None: ...

@hookimpl
def register_notifiers(context: Context):
    return [Pager()]

async def session(scope: Scope) -> None: ...

async def no_session(org: Scope, user: Scope) -> None: ...
"""


def test_types_that_only_checkers_know_stop_no_start() -> None:
    plugin = module("late", _PLUGIN)
    registry = load(plugin, CallableAuthenticator(plugin.session))
    assert "pager" in [each.name for each in registry.notifiers]
    with pytest.raises(TypeError, match=r"\(org: 'Scope', user: 'Scope'\).*called with \(scope\)"):
        CallableAuthenticator(plugin.no_session)
