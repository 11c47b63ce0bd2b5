"""Costs from the host's own tables, by SQL. Configured in ``[plugins.sql.sources.NAME]``."""
