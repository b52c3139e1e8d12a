"""Rows read: what rows of the books mean, as values."""

from typing import Any

from sqlalchemy import Row, Select, select

from trancher.core.order import BotName
from trancher.core.tranches import Disposal
from trancher.store import tables
from trancher.store.codec import ENTRIES, INSTRUMENTS
from trancher.store.entries import BotFacts, Decided, Mark
from trancher.store.progress import Progress
from trancher.store.records import Record


def runs() -> Select[Any]:
    """Return the query of every run with its portfolio and configuration, oldest first."""
    run, portfolio, configuration = tables.run, tables.portfolio, tables.configuration
    return (
        select(
            run,
            portfolio.c.name.label("portfolio"),
            portfolio.c.quote,
            configuration.c.hash.label("configuration_hash"),
            configuration.c.text.label("configuration_text"),
        )
        .join(portfolio, portfolio.c.id == run.c.portfolio_id)
        .join(
            configuration,
            (configuration.c.portfolio_id == run.c.portfolio_id)
            & (configuration.c.version == run.c.configuration_version),
        )
        .order_by(run.c.id)
    )


def facts(row: Row[Any]) -> BotFacts:
    """Return a bot."""
    return BotFacts(
        id=row.id,
        name=BotName(row.name),
        strategy=row.strategy,
        max_tranches=row.max_tranches,
        disposal=Disposal(row.disposal),
        instrument=INSTRUMENTS.decode(row.instrument),
    )


def mark(row: Row[Any]) -> Mark | None:
    """Return the last price that a bot of a run that ended has seen; None where none is kept."""
    return None if row.mark_price is None else Mark(price=row.mark_price, at=row.marked_at)


def seen(done: Progress | None) -> Mark | None:
    """Return the last price that a bot that runs has seen."""
    if done is None or done.price is None or done.seen_at is None:
        return None
    return Mark(price=done.price, at=done.seen_at)


def record(payload: str) -> Record:
    """Return a decision, as often as it was taken."""
    entry = ENTRIES.decode(payload)
    assert isinstance(entry, Decided), payload
    return entry.record
