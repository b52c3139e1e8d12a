"""What stands in the places of a bot at the end of a run, from its books.

Most bots have one place; one that may have several positions has several (seat.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from trancher.app.configured import BotSettings, Settings
from trancher.core.bot import Bot, Past
from trancher.core.order import Side
from trancher.core.position import Position, number_of
from trancher.seat import Seat, fresh, seats_of
from trancher.store.reading import BotBooks
from trancher.store.records import Record

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotStanding:
    """A place of a bot at the end of a run; most bots have but one.

    Attributes:
        settings: the bot with the strategy of the place.
        seat: the position that stands there, or waits for its first entry, and what counts of
            the past.
        books: the bot with all positions that stood there.
        records: the latest decisions about them, newest first.
        price: the last one seen of its instrument, quote per base; None where none was kept.
    """

    settings: BotSettings
    seat: Seat
    books: BotBooks
    records: tuple[Record, ...]
    price: Decimal | None

    @property
    def bot(self) -> Bot:
        """The bot with the strategy of the place."""
        return self.seat.bot

    @property
    def position(self) -> Position:
        """The one that is not CLOSED, else one that waits for its first entry."""
        return self.seat.position

    @property
    def shown(self) -> Position:
        """The position that a person means: the active one, else the last, else the next."""
        past = self.books.positions
        return past[-1] if not self.seat.active and past else self.position

    @property
    def label(self) -> str:
        """What a person calls it: the bot's name, or that of one of its several positions."""
        said = self.settings
        return f"{self.position.id} ({said.strategy})" if said.has_several else said.name

    def stood(self, position_id: str) -> Position | None:
        """Return a position that stood there, or None."""
        known = (*self.books.positions, self.position)
        return next((one for one in known if one.id == position_id), None)

    @property
    def past(self) -> Past:
        """What counts of the past for the position."""
        return self.seat.remembered()


def latest_of(places: Sequence[BotStanding]) -> BotStanding:
    """Return the place whose position opened last; one that is active comes before others."""
    return max(
        places,
        key=lambda one: (one.seat.active, number_of(one.shown), -one.seat.place),
    )


def shown_of(places: Sequence[BotStanding]) -> tuple[BotStanding, ...]:
    """Return the places of a bot where something is, in the order in which the positions opened,
    and those where the next may begin.
    """
    shown = (one for one in places if not one.seat.stands_back)
    return tuple(sorted(shown, key=lambda one: (number_of(one.position), one.seat.place)))


def places_in(
    books: BotBooks, settings: Settings, records: tuple[Record, ...]
) -> Iterator[BotStanding]:
    """Yield the places of a bot as a run left them.

    Args:
        records: its latest decisions, newest first.
    """
    facts = books.facts
    said = next(one for one in settings.bots if one.name == facts.name)
    price = books.mark.price if books.mark else None
    if price is None and records:
        price = records[0].last.price
    seats = seats_of(said.bots(facts.instrument)).values()
    entries = [at for one in books.positions for at in _entries(one)]
    for seat in seats:
        _sit(seat, _at(books, seat.place), opened=len(books.positions), entries=entries)
        # Positions of places that the bot has no longer are told with those of its first one.
        beyond = range(len(seats) + 1, _most_places(books) + 1) if seat.place == 1 else ()
        yield BotStanding(
            settings=said.at(seat.place),
            seat=seat,
            books=_at(books, seat.place, *beyond),
            records=tuple(one for one in records if one.last.place == seat.place),
            price=price,
        )


def _entries(position: Position) -> Iterator[datetime]:
    """Yield when a position was bought, as far as the latest of it; what was adopted was not."""
    if position.moved:
        fills = (filled.fill for filled in position.fills.values())
        yield from (fill.at for fill in fills if fill.side is Side.BUY)
    elif position.last_entry_at is not None:
        yield position.last_entry_at


def _most_places(books: BotBooks) -> int:
    return max((one.place for one in books.positions), default=1)


def _at(books: BotBooks, *places: int) -> BotBooks:
    """Return the books of a bot with the positions of some of its places."""
    stood = tuple(one for one in books.positions if one.place in places)
    return replace(books, positions=stood)


def _sit(seat: Seat, books: BotBooks, *, opened: int, entries: Sequence[datetime]) -> None:
    """Let a place be as a run left it.

    Args:
        books: with the positions of the place.
        opened: how many positions its bot has had.
        entries: when each of those was last entered.
    """
    closed = [one for one in books.positions if one.closed_at is not None]
    last = max(closed, key=lambda one: one.closed_at or _NEVER, default=None)
    closed_at = None if last is None else last.closed_at
    stopped = last is not None and seat.bot.plan.was_stopped(last)
    seat.past = Past(
        last_entry_at=max(entries, default=None),
        closed_at=closed_at,
        stopped_at=closed_at if stopped else None,
    )
    if books.active:
        seat.position = books.active[-1]
        seat.opened = number_of(seat.position)
        return
    seat.opened = opened + 1
    before = books.positions[-1] if books.positions else None
    seat.position = fresh(seat.bot, seat.opened, before=before, place=seat.place)
