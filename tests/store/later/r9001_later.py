"""A revision from the future of the tests: one more column, and one more table."""

import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("run", sa.Column("note", sa.Text))
    op.create_table("remark", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    """Take them away."""
    op.drop_table("remark")
    op.drop_column("run", "note")
