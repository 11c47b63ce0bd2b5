"""``plugins``: what is loaded."""

from __future__ import annotations

from nullspend_margins.cli.options import ConfigFile
from nullspend_margins.cli.output import log_to_stderr, show_table


def plugins(config: ConfigFile) -> None:
    """List what is loaded, in the order of asking: from which distribution, implementing what."""
    from nullspend_margins.app import Margins
    from nullspend_margins.config import load_config

    log_to_stderr()
    loaded = Margins(load_config(config, keep_secrets=False)).registry.loaded
    show_table(
        ("Plugin", "Distribution", "Version", "Origin", "Implements"),
        [
            (
                plugin.name,
                plugin.distribution or "-",
                plugin.version or "-",
                plugin.origin,
                ", ".join(plugin.provides) or "-",
            )
            for plugin in loaded
        ],
    )
