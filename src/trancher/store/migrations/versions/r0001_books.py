"""Revision 0001: the books. Its statements lie beside it, one file for each dialect, frozen."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "journal", "decision", "fill", "orders", "tranche", "position", "bot", "run",
    "configuration", "portfolio", "identity",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables, their guards and the view."""
    file = Path(__file__).with_name(f"r0001_books.{op.get_bind().dialect.name}.sql")
    for statement in file.read_text(encoding="utf-8").split(";\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Remove all of them, with the books."""
    op.get_bind().exec_driver_sql("DROP VIEW bot_positions")
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION insert_only()")
