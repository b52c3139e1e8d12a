"""Revision 0002: the journal of which configuration is in force; plainer prices in the view.

Its statements lie beside it, one file for each dialect, frozen.
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the journal of loads and the table of the bots that they brought, and the view anew."""
    for statement in _statements("r0002_loads"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Remove them, with the configurations and portfolios that no run speaks of."""
    op.drop_table("loaded_bot")
    op.drop_table("loading")
    op.execute(
        "DELETE FROM configuration WHERE NOT EXISTS (SELECT 1 FROM run "
        "WHERE run.portfolio_id = configuration.portfolio_id "
        "AND run.configuration_version = configuration.version)"
    )
    op.execute(
        "DELETE FROM portfolio WHERE NOT EXISTS "
        "(SELECT 1 FROM run WHERE run.portfolio_id = portfolio.id)"
    )
    op.execute("DROP VIEW bot_positions")
    op.get_bind().exec_driver_sql(_statements("r0001_books")[-1])


def _statements(name: str) -> list[str]:
    file = Path(__file__).with_name(f"{name}.{op.get_bind().dialect.name}.sql")
    return file.read_text(encoding="utf-8").split(";\n\n")
