"""Guards: triggers by which the database itself keeps rows from being changed, in its own words.

A server takes the right to change them from everybody as well, its owner included; a superuser
has every right, and is stopped by the triggers.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

# For whoever inserts a row that refers to it a server locks the one in a table, which takes the
# right to UPDATE there; the trigger stands in its way all the same.
_REFERRED_TO: Final = ("loading",)

_BODY: Final = """
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = TG_TABLE_NAME || ' is insert-only';
END
"""
FUNCTION: Final = f"""\
CREATE FUNCTION insert_only() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$"""

_ON_FILE: Final = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
_ON_SERVER: Final = """
SELECT t.tgname, pg_get_triggerdef(t.oid, true)
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
    AND c.relnamespace = current_schema()::regnamespace AND p.prosrc = %s
"""


def making(dialect: str, insert_only: Sequence[str]) -> tuple[str, ...]:
    """Return the statements that make all guards of the tables, in order."""
    triggers = triggers_of(dialect, insert_only).values()
    if dialect == "sqlite":
        return tuple(triggers)
    return (FUNCTION, *triggers, *(_revoked(table) for table in insert_only))


def triggers_of(dialect: str, insert_only: Sequence[str]) -> dict[str, str]:
    """Return what makes each trigger, by its name, as the database itself writes it down."""
    return _on_file(insert_only) if dialect == "sqlite" else _on_server(insert_only)


def there(connection: Connection) -> Mapping[str, str]:
    """Return what made each trigger that is in the database and in force, by its name."""
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql(_ON_FILE)
    else:
        found = connection.exec_driver_sql(_ON_SERVER, (_BODY,))
    return {name: sql for name, sql in found}  # noqa: C416 typed


def _on_file(insert_only: Sequence[str]) -> dict[str, str]:
    return {
        f"{table}_no_{verb.lower()}": (
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}\n"
            f"BEGIN\n    SELECT RAISE(ABORT, '{table} is insert-only');\nEND"
        )
        for table in insert_only
        for verb in ("UPDATE", "DELETE")
    }


def _on_server(insert_only: Sequence[str]) -> dict[str, str]:
    return {
        f"{table}_no_{verb.lower()}": (
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION insert_only()"
        )
        for table in insert_only
        for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT"))
    }


def _revoked(table: str) -> str:
    rights = "DELETE, TRUNCATE" if table in _REFERRED_TO else "UPDATE, DELETE, TRUNCATE"
    return f"REVOKE {rights} ON {table} FROM PUBLIC, CURRENT_USER"
