"""Books on a server, looked at as what they are made of, and brought down to an older schema."""

from typing import Final

from sqlalchemy import create_engine

from postgres import ask
from trancher.store import schema

SHAPE: Final = """
SELECT c.relname AS place, a.attname AS name, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
    a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity) AS said
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    AND c.relkind IN ('r', 'v')
UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT tablename, 'index ' || indexname, indexdef
    FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'rights', relname, relacl::text
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')
"""


def made(url: str) -> dict[tuple[str, str], str | None]:
    """Return all that a database was made of, by the table it belongs to and its name."""
    return {
        (row["place"], row["name"]): row["said"]
        for row in ask(url, SHAPE)
        if "alembic_version" not in row["place"] + row["name"]
    }


def taken_down(url: str, *, to: str) -> None:
    """Bring books down to revision `to`."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        schema.downgrade(connection, to=to)
    engine.dispose()
