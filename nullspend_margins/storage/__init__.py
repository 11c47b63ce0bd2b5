"""All SQL of the product. One module a subject; services decide what is one transaction.

``database`` runs work, ``tables`` is the schema, ``migrate`` brings a database to it. The other
modules are plain functions: each takes the transaction first and the org second, does its part
of whatever the caller's transaction is, and never commits.
"""
