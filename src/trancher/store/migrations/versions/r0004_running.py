"""Revision 0004: what processes that run bots share, beside the journals.

Its statements lie beside it, one file for each dialect, frozen.
"""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A table before those that it refers to.
TABLES = (
    *("command", "halt", "progress", "lease", "paper_room", "reservation", "bot_usage"),
    *("trading_day", "symbol_usage", "portfolio_usage"),
)


OLDER = ("r0003_evidence", "r0002_loads", "r0001_books")


def upgrade() -> None:
    """Make the tables, in which nothing is before a bot runs, and the view anew."""
    op.execute("DROP VIEW bot_positions")
    for statement in _statements("r0004_running"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Remove them; the journals of what has run stay."""
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP VIEW bot_positions")
    views = (one for name in OLDER for one in _statements(name) if one.startswith("CREATE VIEW"))
    op.get_bind().exec_driver_sql(next(views))


def _statements(name: str) -> list[str]:
    file = Path(__file__).with_name(f"{name}.{op.get_bind().dialect.name}.sql")
    return file.read_text(encoding="utf-8").split(";\n\n")
