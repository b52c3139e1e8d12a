"""The schema of a database: which revision it has, and the way to another one.

Alembic does the steps; what it needs is said here, and it is imported only where a step is done.
Every step runs inside the caller's transaction, so it is done wholly or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from trancher.store.errors import UnusableDatabase

if TYPE_CHECKING:
    from alembic.config import Config

_VERSIONS: Final = "alembic_version"
UPGRADE: Final = "`trancher db upgrade`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The revisions that a program knows.

    Attributes:
        revisions: oldest first, one after the other.
        folders: where they lie, as Alembic writes places; the first one is this package's own.
    """

    revisions: Sequence[str]
    folders: Sequence[str] = ("trancher.store:migrations/versions",)

    @property
    def head(self) -> str:
        return self.revisions[-1]


SCHEMA: Final = Schema(revisions=("0001", "0002", "0003", "0004", "0005", "0006"))


def current(connection: Connection) -> str | None:
    """Return the revision of a database, or None where it has no books at all."""
    if not connection.dialect.has_table(connection, _VERSIONS):
        return None
    found = connection.exec_driver_sql(f"SELECT version_num FROM {_VERSIONS}").scalar()  # noqa: S608 a constant
    assert found is None or isinstance(found, str)
    return found


def is_empty(connection: Connection) -> bool:
    """Say whether a database holds nothing, of anybody."""
    return not connection.dialect.get_table_names(connection)


def check(connection: Connection, *, where: str, schema: Schema = SCHEMA) -> None:
    """Accept a database at the head of `schema`.

    Raises:
        UnusableDatabase: it has other revisions, or no books.
    """
    found = current(connection)
    if found is None:
        said = "an empty database" if is_empty(connection) else "a database of something else"
        raise UnusableDatabase(where=where, found=said, expected="a database of Trancher")
    if found not in schema.revisions:
        raise UnusableDatabase(
            where=where,
            found=f"schema {found}, which is newer than this program",
            expected=f"schema {schema.head} at most: a newer Trancher reads it",
        )
    if found != schema.head:
        raise UnusableDatabase(
            where=where, found=f"schema {found}", expected=f"schema {schema.head}: run {UPGRADE}"
        )


def upgrade(connection: Connection, *, schema: Schema = SCHEMA) -> None:
    """Bring a database, an empty one too, to the head.

    Args:
        connection: where there are books, one that does not keep foreign keys meanwhile.
    """
    from alembic import command  # noqa: PLC0415 a quarter of a second that no other command needs

    command.upgrade(_config(connection, schema), schema.head)


def downgrade(connection: Connection, *, schema: Schema = SCHEMA, to: str) -> None:
    """Bring a database down to revision `to`; "base" removes the books."""
    from alembic import command  # noqa: PLC0415 see above

    command.downgrade(_config(connection, schema), to)


def _config(connection: Connection, schema: Schema) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 see above

    config = Config()
    config.set_main_option("script_location", "trancher.store:migrations")
    config.set_main_option("version_locations", "\n".join(schema.folders))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    return config
