"""A revision that does half of its work and fails."""

from alembic import op

revision = "9002"
down_revision = "9001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do one step that works and one that does not."""
    op.execute("CREATE TABLE half (id INTEGER)")
    op.execute("DROP TABLE nowhere")


def downgrade() -> None:
    """Nobody gets this far."""
