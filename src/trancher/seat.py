"""A seat: what the engine keeps of one bot; and the portfolio that all of them sit in."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal

from trancher.core.bot import NO_PAST, Bot, Past
from trancher.core.limits import PortfolioLimits, RefusalCode
from trancher.core.order import PositionId
from trancher.core.position import Position, new_position


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """One account's money and limits.

    Attributes:
        cash: quote at the start, > 0.
        zone: whose days the daily limits count by.
    """

    cash: Decimal
    limits: PortfolioLimits
    zone: tzinfo


@dataclass(slots=True, kw_only=True)
class Seat:
    """What the engine keeps of one bot.

    Attributes:
        position: the one it has, or a CLOSED one that waits for its first entry.
        closed: its past positions that bought something, oldest first.
        past: what it remembers over all its positions.
        opened: how many positions it has had, the present one included.
        price: the latest it saw, quote per base.
        priced_at: when it saw that.
        changes: how often something happened to it.
        entries: how many of its entry orders have begun to fill.
        refusals: evaluations refused, by code; one with two reasons counts for both.
    """

    bot: Bot
    position: Position
    closed: list[Position] = field(default_factory=list)
    past: Past = NO_PAST
    opened: int = 1
    price: Decimal | None = None
    priced_at: datetime | None = None
    changes: int = 0
    entries: int = 0
    refusals: Counter[RefusalCode] = field(default_factory=Counter)


def fresh(bot: Bot, number: int, *, before: Position | None = None) -> Position:
    """Return the position that waits for the first entry of a bot.

    Args:
        number: how many positions the bot has had, this one included.
        before: the one that is over.
    """
    return new_position(
        position_id=PositionId(f"{bot.name}-{number}"),
        bot=bot.name,
        instrument=bot.instrument,
        disposal=bot.disposal,
        before=before,
    )
