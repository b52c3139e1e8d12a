"""Making: the statements by which the tables, their guards and the view come to be."""

from sqlalchemy import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from trancher.store import tables, triggers
from trancher.store.views import BOT_POSITIONS


def statements(dialect: Dialect) -> tuple[str, ...]:
    """Return all that makes the tables, their guards and the view, in order."""
    parts: list[CreateTable | CreateIndex] = []
    for table in tables.metadata.sorted_tables:
        parts.append(CreateTable(table))
        parts += [CreateIndex(index) for index in sorted(table.indexes, key=str)]
    compiled = (str(part.compile(dialect=dialect)).strip() for part in parts)
    spelled = ("\n".join(line.rstrip() for line in one.splitlines()) for one in compiled)
    making = triggers.making(dialect.name, _insert_only())
    return (*spelled, *making, BOT_POSITIONS[dialect.name])


def guards(dialect: str) -> dict[str, str]:
    """Return what makes each trigger of the insert-only tables, by its name."""
    return triggers.triggers_of(dialect, _insert_only())


def _insert_only() -> tuple[str, ...]:
    return tuple(table.name for table in tables.INSERT_ONLY)
