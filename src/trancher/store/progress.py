"""Progress: how far a bot has come in its candles, and what it has in mind beside its journal.

It is written in the transaction of the step that it tells of, so a process that begins anew goes
on behind that very step. Steps that changed nothing need not be written: done again they change
nothing again.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select

from trancher.core.order import BotName, ClientOrderId, PositionId
from trancher.store import tables
from trancher.store.codec import Codec
from trancher.store.entries import Decided
from trancher.store.write import Bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a bot has in mind beside its journal.

    Attributes:
        opened: how many positions it has had, the present one included.
        last_entry_at, unfilled_at, closed_at, stopped_at: as core.bot.Past.
        changed: whether something happened to it since its last close.
        seen_to: when the last candle that it was taken past had opened.
        untold_from: when the first candle had opened of which the position was not told.
        peak, peak_position, peak_entered: the highest price since the last entry of a position.
        resting: entries that rest at their limit; other working orders wait for an opening.
        refused: a run of refusals that goes on, and is no entry of the journal yet.
    """

    opened: int = 1
    last_entry_at: datetime | None = None
    unfilled_at: datetime | None = None
    closed_at: datetime | None = None
    stopped_at: datetime | None = None
    changed: bool = False
    seen_to: datetime | None = None
    untold_from: datetime | None = None
    peak: Decimal | None = None
    peak_position: PositionId | None = None
    peak_entered: datetime | None = None
    resting: tuple[ClientOrderId, ...] = ()
    refused: Decided | None = None


OVER: Final = 3
"""The phase of a bot that has come to the end of its candles."""
MEMORIES: Final = Codec[Memory](Memory, name="memory of a bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a bot has come.

    Attributes:
        next_at: when its next step is, UTC; None before the first and after the last.
        phase: of that step.
        candle_at: when the candle of that step opens.
        seen_at: when it saw the price; None where it has seen none.
        price: the last it saw, quote per base.
    """

    next_at: datetime | None = None
    phase: int = 0
    candle_at: datetime | None = None
    seen_at: datetime | None = None
    price: Decimal | None = None
    memory: Memory = Memory()


def begin(connection: Connection, *, portfolio_id: int, bot: BotName) -> None:
    """Write that a bot has not begun."""
    row = {"portfolio_id": portfolio_id, "bot": bot, **_columns(Progress())}
    connection.execute(insert(tables.progress), row)


def load(connection: Connection, *, portfolio_id: int, bot: BotName) -> Progress:
    """Return how far a bot has come.

    Raises:
        StoreError: what is written there cannot be read.
    """
    table = tables.progress
    return _progress(
        connection.execute(
            select(table).where(table.c.portfolio_id == portfolio_id, table.c.bot == bot)
        ).one()
    )


def load_all(connection: Connection, *, portfolio_id: int) -> dict[BotName, Progress]:
    """Return how far each bot of a portfolio has come.

    Raises:
        StoreError: what is written there cannot be read.
    """
    table = tables.progress
    found = connection.execute(select(table).where(table.c.portfolio_id == portfolio_id))
    return {BotName(row.bot): _progress(row) for row in found}


def save(bundle: Bundle, progress: Progress, *, portfolio_id: int, bot: BotName) -> None:
    """Put how far a bot has come into what is written."""
    row = {"portfolio_id": portfolio_id, "bot": bot, **_columns(progress)}
    bundle.update(tables.progress, [row])


def _progress(row: Row[Any]) -> Progress:
    return Progress(
        next_at=row.next_at,
        phase=row.phase,
        candle_at=row.candle_at,
        seen_at=row.seen_at,
        price=row.price,
        memory=MEMORIES.decode(row.memory),
    )


def _columns(progress: Progress) -> dict[str, object]:
    return {
        "next_at": progress.next_at,
        "phase": progress.phase,
        "candle_at": progress.candle_at,
        "seen_at": progress.seen_at,
        "price": progress.price,
        "memory": MEMORIES.encode(progress.memory),
    }
