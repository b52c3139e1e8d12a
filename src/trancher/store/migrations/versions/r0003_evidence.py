"""Revision 0003: what the signals said of an entry, its limit, and the anchor's own figures.

Its statements lie beside it, one file for each dialect, frozen. SQLite adds no column in its
place, so there the tables are made anew and filled with what they held; what only the journal
knows stands at zero until the store makes it from there.
"""

from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ADDED: Mapping[str, Mapping[str, str]] = {
    "position": {"anchor_fee": "'0'", "anchor_realized": "'0'"},
    "orders": {"expires_at": "NULL"},
    "tranche": {
        "rung": "(SELECT CAST(o.rungs AS INTEGER) FROM orders AS o WHERE o.id = held.order_id "
        "AND o.portfolio_id = held.portfolio_id AND o.run_id = held.run_id)",
        "score": "NULL",
        "temperature": "NULL",
        "contributions": "NULL",
    },
}


def upgrade() -> None:
    """Make the three tables with their new columns."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in _statements("r0003_evidence"):
            op.get_bind().exec_driver_sql(statement)
        return
    for table in ADDED:
        _make_anew(table, "r0003_evidence")


def downgrade() -> None:
    """Make them without; documents and entries of the journal stay as they are."""
    for table, columns in ADDED.items():
        if op.get_bind().dialect.name == "postgresql":
            for column in columns:
                op.drop_column(table, column)
        else:
            _make_anew(table, "r0001_books")
    op.execute("UPDATE orders SET limit_price = NULL WHERE kind = 'entry'")


def _make_anew(table: str, name: str) -> None:
    op.execute(f"CREATE TEMPORARY TABLE held AS SELECT * FROM {table} ORDER BY rowid")  # noqa: S608 our own names
    op.drop_table(table)
    for statement in _statements(name):
        if statement.startswith((f"CREATE TABLE {table} (", f"CREATE INDEX {table}_")):
            op.get_bind().exec_driver_sql(statement)
    columns = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)]
    values = ", ".join(ADDED[table].get(column, column) for column in columns)
    op.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM held ORDER BY held.rowid"  # noqa: S608 our own names
    )
    op.drop_table("held")


def _statements(name: str) -> list[str]:
    file = Path(__file__).with_name(f"{name}.{op.get_bind().dialect.name}.sql")
    return file.read_text(encoding="utf-8").split(";\n\n")
