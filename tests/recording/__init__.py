"""Recorded cost events: from a host's request path to the database, through a journal."""
