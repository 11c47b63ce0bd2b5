"""Which arguments a function takes."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence


def signature_of(function: Callable[..., object]) -> inspect.Signature:
    """The signature; what is written for types is not evaluated, as they may be of checkers alone.

    Raises ``TypeError`` and ``ValueError`` for what has none, as much that is written in C.
    """
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return inspect.signature(function, annotation_format=Format.STRING)
    return inspect.signature(function)


def argument_problem(function: Callable[..., object], arguments: Sequence[str]) -> str | None:
    """Why ``function`` can't be called with ``arguments``, which stand for themselves."""
    try:
        signature = signature_of(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*arguments)
    except TypeError:
        return f"takes {signature}; it is called with ({', '.join(arguments)})"
    return None
