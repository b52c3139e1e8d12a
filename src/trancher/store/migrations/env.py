"""Run by Alembic for every upgrade and downgrade, inside the transaction that is given.

schema.py calls Alembic; there is no alembic.ini and nothing to configure.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
