"""Which orgs a table has rows of."""

from __future__ import annotations

from sqlalchemy import Connection, Table, text


def orgs_in(tx: Connection, table: Table) -> list[str]:
    """Every org with rows in ``table``, in order. Jumps from org to org along the primary key."""
    found = tx.execute(
        text(
            f"WITH RECURSIVE orgs(org_id) AS ("  # noqa: S608 - the table's own name
            f" SELECT min(org_id) FROM {table.name}"
            f" UNION ALL"
            f" SELECT (SELECT min(t.org_id) FROM {table.name} AS t WHERE t.org_id > orgs.org_id)"
            f" FROM orgs WHERE orgs.org_id IS NOT NULL"
            f") SELECT org_id FROM orgs WHERE org_id IS NOT NULL"
        )
    )
    return [row[0] for row in found]
