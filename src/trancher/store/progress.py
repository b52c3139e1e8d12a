"""Progress: how far a bot has come in its candles, and what it has in mind beside its journal.

A bot that may have several positions goes on in each of its places by itself: one row tells of all
of them, and of the next step that any of them has.

It is written in the transaction of the step that it tells of, so a process that begins anew goes
on behind that very step. Steps that changed nothing need not be written: done again they change
nothing again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
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
    """What a place of a bot has in mind beside the journal.

    Attributes:
        opened: the number of its position among those of the bot, from 1.
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
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far a bot has come, or one of its places.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReached(Reached):
    """How far one of several places has come.

    Attributes:
        set_aside: quote for the rungs to come of its position; None where none is.
        last: the last position there that bought something and is closed, whose dust the next one
            sweeps up.
    """

    set_aside: Decimal | None = None
    last: PositionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Reached):
    """How far a bot has come.

    Attributes:
        places: of its places, in order; none for a bot that has but one, of which the rest tells.
            Else the rest is what comes next in any of them, and the last price that one has seen.
    """

    places: tuple[PlaceReached, ...] = ()

    @property
    def each(self) -> tuple[PlaceReached, ...]:
        """How far each of its places has come, in order; of one that has not begun, its first."""
        alone = {one.name: getattr(self, one.name) for one in fields(Reached)}
        return self.places or (PlaceReached(**alone),)

    @property
    def seen_to(self) -> datetime | None:
        """When the last candle had opened that every place was taken past."""
        seen = [one.memory.seen_to for one in self.each]
        known = [at for at in seen if at is not None]
        return min(known) if len(known) == len(seen) else None

    @property
    def stands_at(self) -> datetime | None:
        """When the latest candle had opened that any of its places has come to; None before that.

        Candles that end before it are not those that the bot goes on in.
        """
        reached = (at for one in self.each for at in (one.candle_at, one.memory.seen_to))
        return max((at for at in reached if at is not None), default=None)


PLACES: Final = Codec[tuple[PlaceReached, ...]](
    tuple[PlaceReached, ...], name="memory of the places of a bot"
)


def progress_of(places: Sequence[PlaceReached]) -> Progress:
    """Return how far a bot has come, all of whose places have come so far.

    Args:
        places: in order, at least one.
    """
    if len(places) == 1:
        return Progress(**{one.name: getattr(places[0], one.name) for one in fields(Reached)})
    ahead = [one for one in places if one.next_at is not None]
    soonest = min(ahead, key=_step, default=places[0])
    seen = [one for one in places if one.seen_at is not None]
    latest = max(seen, key=lambda one: one.seen_at or _NEVER, default=places[0])
    return Progress(
        next_at=soonest.next_at,
        phase=soonest.phase,
        candle_at=soonest.candle_at,
        seen_at=latest.seen_at,
        price=latest.price,
        places=tuple(places),
    )


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
        **_minds(row.memory),
    )


def _columns(progress: Progress) -> dict[str, object]:
    return {
        "next_at": progress.next_at,
        "phase": progress.phase,
        "candle_at": progress.candle_at,
        "seen_at": progress.seen_at,
        "price": progress.price,
        "memory": PLACES.encode(progress.places)
        if progress.places
        else MEMORIES.encode(progress.memory),
    }


def _minds(text: str) -> dict[str, Any]:
    """Return what a bot has in mind: a list, where it has several places."""
    if text.startswith("["):
        return {"places": PLACES.decode(text)}
    return {"memory": MEMORIES.decode(text)}


def _step(one: Reached) -> tuple[datetime, int]:
    return one.next_at or _NEVER, one.phase
