"""A seat: what the engine keeps of one place for a position; and the portfolio of all of them.

A bot that has one position at a time has one place. One that may have several has a place for
each of its strategies; or, where it has but one, a place for each position and one more, where the
position waits that it has no room for.

Invariants:
1. The positions of a bot have numbers in the order in which they opened; those that wait share the
   next one.
2. Of the places of a strategy the first that is free begins, and only where none is BUILDING.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import TypeVar

from trancher.core.bot import NO_PAST, Bot, Past
from trancher.core.events import Filled
from trancher.core.facts import changed
from trancher.core.lifecycle import State
from trancher.core.limits import PortfolioLimits, RefusalCode
from trancher.core.order import BotName, PositionId, SeatName, seat_name
from trancher.core.position import Position, new_position
from trancher.ports import Report

_T = TypeVar("_T")


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


@dataclass(slots=True, kw_only=True, eq=False)
class Seat:
    """What the engine keeps of one place for a position.

    Attributes:
        bot: whose it is, with the strategy whose positions stand here.
        position: the one it has, or a CLOSED one that waits for its first entry.
        place: of its bot's, from 1.
        others: the other places of its bot, in order.
        fellows: those of them that have the same strategy.
        closed: its past positions that bought something, oldest first.
        past: what it remembers over all its positions; the last entry is any place's of its bot.
        opened: the number of its position among those of its bot, from 1.
        price: the latest it saw, quote per base.
        priced_at: when it saw that.
        changes: how often something happened to it.
        entries: how many of its entry orders have begun to fill.
        refusals: evaluations refused, by code; one with two reasons counts for both.
    """

    bot: Bot
    position: Position
    place: int = 1
    others: "tuple[Seat, ...]" = field(default=(), repr=False)
    fellows: "tuple[Seat, ...]" = field(default=(), repr=False)
    closed: list[Position] = field(default_factory=list)
    past: Past = NO_PAST
    opened: int = 1
    price: Decimal | None = None
    priced_at: datetime | None = None
    changes: int = 0
    entries: int = 0
    refusals: Counter[RefusalCode] = field(default_factory=Counter)

    @property
    def name(self) -> SeatName:
        """What it goes by."""
        return seat_name(self.bot.name, self.place)

    @property
    def active(self) -> bool:
        """Whether its position is not CLOSED."""
        return self.position.state is not State.CLOSED

    def see(self, price: Decimal, at: datetime) -> None:
        """Take note of the latest price, quote per base."""
        self.price, self.priced_at = price, at

    @property
    def stands_back(self) -> bool:
        """Whether a new position of the strategy would not begin here now."""
        if not self.fellows or self.active:
            return False
        return any(
            one.position.state is State.BUILDING or (one.place < self.place and not one.active)
            for one in self.fellows
        )

    def remembered(self) -> Past:
        """Return what counts of the past for the position that stands here.

        An entry on its way in another place of the bot counts as one at the time of its decision:
        else two that are decided at once would not keep the cooldown. A position that waits has
        behind it what its strategy did in other places too: an event that a position was bought
        by, or lived through, begins no other.
        """
        if not self.others:
            return self.past
        working = [one.position.working_entry for one in self.others]
        decided = (one.order.decided_at for one in working if one is not None)
        past = replace(self.past, last_entry_at=_latest((self.past.last_entry_at, *decided)))
        if not self.fellows or self.active:
            return past
        seats = (self, *self.fellows)
        lived = [one.position.last_entry_at for one in self.fellows]
        return replace(
            past,
            unfilled_at=_latest(one.past.unfilled_at for one in seats),
            closed_at=_latest((*lived, *(one.past.closed_at for one in seats))),
            stopped_at=_latest(one.past.stopped_at for one in seats),
        )

    def knows(self, report: Report, *, working: bool) -> bool:
        """Say whether it was booked before: exchanges repeat themselves, and nothing moves twice.

        Args:
            working: whether its order is known to work.
        """
        if isinstance(report, Filled):
            return self.position.fills.get(report.fill.trade_id) == report
        return not working

    def has_opened(self) -> None:
        """Give the positions that wait in other places the next number."""
        for one in self.others:
            if not one.active:
                one.opened = self.opened + 1
                one.position = changed(one.position, id=_id(one.bot, one.opened))

    def turn_over(self) -> None:
        """Let the next position wait here; the present one is over."""
        others = (one.opened + one.active for one in self.others)
        self.opened = max((self.opened + 1, *others))
        self.position = fresh(self.bot, self.opened, before=self.position, place=self.place)


def seats_of(bots: Iterable[Bot]) -> dict[SeatName, Seat]:
    """Return the places of all bots, none with a position yet.

    Args:
        bots: one for each strategy; those of one bot have one name, and follow each other.
    """
    strategies: dict[BotName, list[Bot]] = {}
    for bot in bots:
        strategies.setdefault(bot.name, []).append(bot)
    seats: dict[SeatName, Seat] = {}
    for of_one in strategies.values():
        places = [
            Seat(bot=bot, position=fresh(bot, 1, place=place), place=place)
            for place, bot in enumerate(
                places_of(of_one, max_positions=of_one[0].limits.max_positions), start=1
            )
        ]
        for seat in places:
            seat.others = tuple(one for one in places if one is not seat)
            seat.fellows = tuple(one for one in seat.others if one.bot is seat.bot)
        seats |= {seat.name: seat for seat in places}
    return seats


def places_of(strategies: Sequence[_T], *, max_positions: int) -> list[_T]:
    """Return the strategy of each place of a bot."""
    if len(strategies) > 1 or max_positions == 1:
        return list(strategies)
    return [strategies[0]] * (max_positions + 1)


def fresh(bot: Bot, number: int, *, before: Position | None = None, place: int = 1) -> Position:
    """Return the position that waits for the first entry of a bot.

    Args:
        number: how many positions the bot has had, this one included.
        before: the one of the same place that is over.
        place: of the bot's places, from 1.
    """
    return new_position(
        position_id=_id(bot, number),
        bot=bot.name,
        instrument=bot.instrument,
        disposal=bot.disposal,
        before=before,
        place=place,
    )


def _id(bot: Bot, number: int) -> PositionId:
    return PositionId(f"{bot.name}-{number}")


def _latest(times: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in times if at is not None), default=None)
