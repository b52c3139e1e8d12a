"""A runner: a place of a bot on its feed, which candle matters next, and what it was not told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trancher.backtest.feed import Feed, Heard
from trancher.backtest.gauge import Gauge, Scale
from trancher.backtest.readings import BotSignals
from trancher.core.bot import Bot
from trancher.core.events import Marked
from trancher.core.order import PositionId, SeatName
from trancher.core.position import Position
from trancher.core.signals import SILENT, Readings
from trancher.engine import Engine
from trancher.seat import seats_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A bot with the signals it listens to."""

    bot: Bot
    signals: BotSignals


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a runner has in mind at the end of a step.

    Attributes:
        seen_to: when the last candle that it was taken past had opened.
        untold_from: when the first candle had opened of which the position was not told.
        peak: the highest price since the last entry of a position.
        peak_since: that position, and when its last entry was.
    """

    seen_to: datetime | None = None
    untold_from: datetime | None = None
    peak: Decimal | None = None
    peak_since: tuple[PositionId, datetime] | None = None


class Runner:
    """One place of a bot on its feed: which candle matters next, and what it was not told yet.

    Attributes:
        ambiguous: candles inside which levels of more than one kind were touched.
        changes_before: how often something had happened to its seat when the last candle it was
            taken through had ended.
        heard: what the signals say.
    """

    def __init__(
        self, strategy: Strategy, feed: Feed, *, intracandle: bool, seat: SeatName | None = None
    ) -> None:
        """Take a place to its feed.

        Args:
            seat: what it goes by; None for the first place of the bot.
        """
        self.name: SeatName = strategy.bot.name if seat is None else seat
        self.bot = strategy.bot
        self.feed = feed
        self.ambiguous = 0
        self.changes_before = 0
        self._intracandle = intracandle
        self.listen(feed.heard(strategy.signals))
        self._seen_to = -1
        self._untold: tuple[int, int] | None = None
        self._peak: Decimal | None = None
        self._peak_since: tuple[PositionId, datetime] | None = None

    def listen(self, heard: Heard) -> None:
        """Go by what is heard from now on."""
        self.heard = heard
        self._scale = Scale(self.bot, self.feed, heard.column, intracandle=self._intracandle)
        self._gauge: Gauge | None = None
        self._searched = range(0)

    @property
    def seen_to(self) -> int:
        """The last candle that it was taken past; -1 before the first."""
        return self._seen_to

    def remembered(self) -> Remembered:
        """Return what it has in mind, for a runner that goes on from here."""
        feed = self.feed
        seen, untold = self._seen_to, self._untold
        return Remembered(
            seen_to=None if seen < 0 else feed.time(feed.opened_at(seen)),
            untold_from=None if untold is None else feed.time(feed.opened_at(untold[0])),
            peak=self._peak,
            peak_since=self._peak_since,
        )

    def remember(self, what: Remembered) -> None:
        """Go on from what another runner had in mind; the feed may begin or end elsewhere."""
        feed = self.feed
        if what.seen_to is not None:
            self._seen_to = feed.index_at(what.seen_to)
        if what.untold_from is not None:
            # The candles that are not in the feed any more cannot be told.
            self._untold = (max(feed.index_at(what.untold_from), 0), self._seen_to)
        self._peak, self._peak_since = what.peak, what.peak_since

    def take_over(self, other: "Runner") -> None:
        """Go on from another runner of the place, whose candles are the first of these."""
        self.remember(other.remembered())
        self.ambiguous, self.changes_before = other.ambiguous, other.changes_before

    def gauge(self, engine: Engine) -> Gauge:
        """Return the gauge of the bot's position as it is now."""
        position = engine.seats[self.name].position
        known, peak_price = self._gauge, self.peak_price(position)
        if known is None or known.position is not position or known.peak_price != peak_price:
            self._gauge = known = self._scale.gauge(position, peak_price)
            self._searched = range(0)
        return known

    def next_candle(self, engine: Engine, start: int) -> int:
        """Return the first candle from `start` on that may matter; past the last if none does."""
        seen = self.gauge(engine)
        if start not in self._searched:
            # The last of them is what was found; before it there was nothing.
            self._searched = range(start, seen.next_candle(start) + 1)
        return self._searched[-1]

    def readings(self, index: int) -> Readings:
        """Return what the signals say at a close."""
        return self.heard.readings.at(index)

    def readings_inside(self, index: int) -> Readings:
        """Return what the signals said at the close before a candle, as old as its opening."""
        if index == 0:
            return SILENT
        return self.heard.readings.aged(index - 1, self.feed.opened_at(index))

    def peak_price(self, position: Position) -> Decimal | None:
        """Return the highest price since the last entry fill, as far as candles are over.

        None where nothing is held, or where no rule asks for it.
        """
        if position.held == 0 or not self.bot.plan.trails:
            return None
        since = (position.id, position.last_entry_at)
        return self._peak if self._peak_since == since else position.trailing_peak

    def passed(self, position: Position, index: int) -> None:
        """Remember the candles up to `index`, through which `position` was held."""
        if index > self._seen_to:
            first = self._seen_to + 1
            if self.bot.plan.trails:
                self._climb(position, first, index)
            self._untold = (first if self._untold is None else self._untold[0], index)
            self._seen_to = index

    def _climb(self, position: Position, first: int, last: int) -> None:
        """Let the peak take the candles from `first` to `last`."""
        entered, feed = position.last_entry_at, self.feed
        assert entered is not None
        # A candle in which the last entry came was not seen from its opening on.
        whole = last if entered <= feed.time(feed.opened_at(last)) else last - 1
        seen = [self.peak_price(position), feed.close(last)]
        if whole >= first:
            seen.append(self._highest(first, whole))
        self._peak = max(price for price in seen if price is not None)
        self._peak_since = (position.id, entered)

    def _highest(self, first: int, last: int) -> Decimal:
        """Return the highest price from `first` to `last` that rules which trail count."""
        feed = self.feed
        return (feed.highest if self._intracandle else feed.highest_close)(first, last)

    def skip(self, index: int) -> None:
        """Forget the candles up to `index`: nothing was held."""
        self._seen_to = max(index, self._seen_to)

    def told(self) -> Marked | None:
        """Return how the market moved in the candles remembered, once."""
        if self._untold is None:
            return None
        (first, last), self._untold = self._untold, None
        feed = self.feed
        closes_count = self.bot.plan.trails and not self._intracandle
        return Marked(
            highest=feed.highest(first, last),
            lowest=feed.lowest(first, last),
            last=feed.close(last),
            since=feed.time(feed.opened_at(first)),
            at=feed.time(int(feed.closed_at[last])),
            trailed=self._highest(first, last) if closes_count else None,
        )


def runners_of(
    strategies: Sequence[Strategy], feeds: Mapping[str, Feed], *, intracandle: bool
) -> list[Runner]:
    """Return a runner for each place that the engine has for these bots, in its order."""
    of_bot = {id(strategy.bot): strategy for strategy in strategies}
    return [
        Runner(
            of_bot[id(seat.bot)],
            feeds[seat.bot.instrument.symbol],
            intracandle=intracandle,
            seat=name,
        )
        for name, seat in seats_of(strategy.bot for strategy in strategies).items()
    ]


class Told:
    """What each runner remembers, behind the engine's port."""

    def __init__(self, runners: Sequence[Runner]) -> None:
        self.follow(runners)

    def follow(self, runners: Sequence[Runner]) -> None:
        """Ask these from now on."""
        self._runners = {runner.name: runner for runner in runners}

    def price(self, seat: SeatName, at: datetime, *, after: datetime | None) -> Decimal | None:
        return self._runners[seat].feed.close_at(at, after=after)

    def take(self, seat: SeatName) -> Marked | None:
        return self._runners[seat].told()
