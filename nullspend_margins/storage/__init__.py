"""All SQL of the product. One module a subject; services decide what is one transaction.

``database`` runs work, by ``sqlite`` or ``postgresql``, in ``threads``. ``tables`` is the schema,
made of ``columns`` and ``types``; ``schema`` brings a database to it, by ``migrations``. What SQL
is written with stands in ``dialects``, ``bulk`` (many rows), ``questions`` (few, all the time) and
``sums``. ``scratch`` is a database of an import's own.

The other modules are the subjects, in plain functions: each takes the transaction first and the
org second, does its part of whatever the caller's transaction is, and never commits.
"""
