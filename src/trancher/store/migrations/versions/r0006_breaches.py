"""Revision 0006: a halt may be a breach, that of books which differ from their journal.

Its statements lie beside it, one file for each dialect, frozen. The way down leaves such a halt
in force as a freeze, which an older program knows.
"""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a halt be a breach."""
    for statement in _statements():
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Turn breaches into freezes, and allow no more of them."""
    op.execute("UPDATE halt SET action = 'freeze' WHERE action = 'breach'")
    for statement in _statements():
        op.get_bind().exec_driver_sql(statement.replace(", 'breach')", ")"))


def _statements() -> list[str]:
    file = Path(__file__).with_name(f"r0006_breaches.{op.get_bind().dialect.name}.sql")
    return file.read_text(encoding="utf-8").split(";\n\n")
