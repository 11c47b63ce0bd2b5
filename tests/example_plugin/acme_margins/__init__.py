"""Acme for NullSpend Margins: start reading in ``plugin.py``."""
