"""Revision 0005: what every fill moved, in double entry.

Its statements lie beside it, one file for each dialect, frozen. What older programs have written
gets its postings from the journal, as the store makes all that follows from there.
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and its guards."""
    file = Path(__file__).with_name(f"r0005_postings.{op.get_bind().dialect.name}.sql")
    for statement in file.read_text(encoding="utf-8").split(";\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Remove it; the journals have all of it."""
    op.drop_table("posting")
