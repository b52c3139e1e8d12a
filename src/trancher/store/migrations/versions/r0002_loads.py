"""Revision 0002: loads, the journal of which configuration of a portfolio is in force."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the journal of loads, its guards, and the table of the bots that they brought."""
    file = Path(__file__).with_name(f"r0002_loads.{op.get_bind().dialect.name}.sql")
    for statement in file.read_text(encoding="utf-8").split(";\n\n"):
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
