"""A passage: one bot's way through its candles, step by step, through the engine itself.

A candle is up to three steps: its opening, where what waits for it fills; what its prices touch
(inside.py); and its close, which is looked at. Whoever takes several bots along does the steps of
all in their order: old candles end before new ones open, and of equal steps the first bot's goes
first. A step knows the time, the candle and nothing of whoever takes it.

Invariants:
1. Nothing looks ahead: a decision knows closed candles and the price it is taken at.
2. The last close is not looked at, because nothing decided there could fill; unless more candles
   are to come.
3. A candle that the gauge passes over changes nothing: the journal is the same, event for event,
   as if each had been visited.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from trancher.backtest.inside import Hand, Range, SameCandle, play
from trancher.backtest.runner import Runner
from trancher.core.conditions import Look, Observation
from trancher.core.decision import Decision
from trancher.core.signals import Readings
from trancher.engine import Engine
from trancher.exchange.paper import PaperExchange

_AT_THE_END: Final = "closed at the end of the backtest"
_INSTANT: Final = 1  # A fill inside a candle is dated this many microseconds before its close.


class Evaluate(StrEnum):
    """Where prices are looked at: at closes only, or as levels inside the candles too."""

    CLOSE = "close"
    INTRACANDLE = "intracandle"


class Phase(IntEnum):
    """What happens at one time, in this order: old candles end before new ones open."""

    INSIDE = 0
    CLOSE = 1
    OPEN = 2


class Step(NamedTuple):
    """A step of a bot; earlier ones compare as smaller.

    Attributes:
        at: microseconds since 1970 UTC.
        order: the bot's place among those that are taken along.
        candle: its index.
    """

    at: int
    phase: Phase
    order: int
    candle: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How candles are read.

    Attributes:
        same_candle: the order of events assumed inside a candle.
        jump: whether quiet candles are passed over.
        follows: whether more candles are to come after the last.
    """

    evaluate: Evaluate
    same_candle: SameCandle = SameCandle.WORST
    jump: bool = True
    follows: bool = False

    @property
    def intracandle(self) -> bool:
        return self.evaluate is Evaluate.INTRACANDLE

    @property
    def look(self) -> Look:
        """What a close is looked at for."""
        return Look.BESIDE_PRICES if self.intracandle else Look.EVERYTHING


class Passage:
    """Takes one bot through its candles."""

    def __init__(
        self,
        runner: Runner,
        *,
        order: int,
        engine: Engine,
        exchange: PaperExchange,
        terms: Terms,
    ) -> None:
        """Take a bot that has a seat in `engine` and trades on `exchange`."""
        self.runner = runner
        self._order = order
        self._engine = engine
        self._exchange = exchange
        self._terms = terms

    def next_step(self, start: int) -> Step | None:
        """Return the opening of the next candle from `start` on that may matter, or None."""
        index = self._next(start)
        feed = self.runner.feed
        if index >= len(feed):
            return None
        return Step(feed.opened_at(index), Phase.OPEN, self._order, index)

    def do(self, step: Step) -> Step | None:
        """Do a step and return the one that follows, or None after the last."""
        index = step.candle
        match step.phase:
            case Phase.OPEN:
                self._open(index)
                # Inside a candle there is something to see where levels or orders wait.
                inside = self._terms.intracandle or self.runner.bot.plan.limit is not None
                then = Phase.INSIDE if inside else Phase.CLOSE
                return Step(self._closed_at(index), then, self._order, index)
            case Phase.INSIDE:
                if self._terms.intracandle:
                    self._inside(index)
                else:
                    self._rest(index)
                return Step(step.at, Phase.CLOSE, self._order, index)
            case Phase.CLOSE:
                self._close(index)
                return self.next_step(index + 1)

    def wait(self) -> None:
        """Let the bot have seen all candles that there are; more are to come."""
        runner, feed = self.runner, self.runner.feed
        last = len(feed) - 1
        self.catch_up(last)
        at = feed.time(int(feed.closed_at[last]))
        self._engine.seats[runner.name].see(feed.close(last), at)

    def end(self, *, close: bool) -> None:
        """Tell the engine of the last candles.

        Args:
            close: whether what is still held is sold at the last close.
        """
        runner, feed = self.runner, self.runner.feed
        last = len(feed) - 1
        self.catch_up(last)
        self._engine.look_back(runner.name)
        if not close:
            return
        seen = Observation(
            price=feed.close(last),
            at=feed.time(int(feed.closed_at[last])),
            look=self._terms.look,
        )
        self._exchange.offer(feed.symbol, feed.volume(last), feed.time(feed.opened_at(last)))
        self._exchange.touch(runner.name, seen.price, seen.at)
        self._engine.close(runner.name, seen, reason=_AT_THE_END)
        self._engine.receive()
        self._exchange.leave(runner.name)

    def _next(self, start: int) -> int:
        """Return the first candle from `start` on that may matter."""
        # An order that waits for an opening price makes the very next candle matter.
        if not self._terms.jump or self._exchange.waits(self.runner.name):
            return start
        return self.runner.next_candle(self._engine, start)

    def catch_up(self, index: int) -> None:
        """Remember the candles up to one, or forget them where nothing is held."""
        position = self._engine.seats[self.runner.name].position
        if position.held > 0:
            self.runner.passed(position, index)
        else:
            self.runner.skip(index)

    def _open(self, index: int) -> None:
        self.catch_up(index - 1)
        runner, feed = self.runner, self.runner.feed
        if self._exchange.waits(runner.name):
            at = feed.time(feed.opened_at(index))
            self._exchange.offer(feed.symbol, feed.volume(index), at)
            self._exchange.open(runner.name, feed.open(index), at)
            self._engine.receive()

    def _inside(self, index: int) -> None:
        runner, feed = self.runner, self.runner.feed
        seat = self._engine.seats[runner.name]

        def touch(price: Decimal, look: Look, gapped: bool) -> None:  # noqa: FBT001 a callback
            self._touch(index, price, look, gapped=gapped)

        before = seat.changes
        ambiguous = play(
            Range(
                open=feed.open(index),
                high=feed.high(index),
                low=feed.low(index),
                close=feed.close(index),
            ),
            self._terms.same_candle,
            Hand(
                watch=lambda: runner.gauge(self._engine).watch,
                touch=touch,
                entries=lambda: seat.entries,
            ),
        )
        # Where nothing was bought or sold the order made no difference.
        runner.ambiguous += ambiguous and seat.changes > before

    def _rest(self, index: int) -> None:
        """Let an order that rests fill inside a candle, where no other level is watched."""
        runner, feed = self.runner, self.runner.feed
        limit = runner.gauge(self._engine).watch.resting
        if limit is not None and feed.low(index) <= limit:
            price, gapped = min(feed.open(index), limit), feed.open(index) <= limit
            self._show(index, price, self._touched_at(index, gapped=gapped))
            self._meet()
            self._exchange.leave(runner.name)

    def look_again(
        self, index: int, price: Decimal, at: datetime, readings: Readings, *, fill: bool
    ) -> tuple[Decision, ...]:
        """Look at a close that is over once more, because something was heard after it.

        Args:
            index: of the candle; -1 before the first.
            at: the close or later, before the next candle opens or as it does.
            fill: whether orders that come of it fill at `price` at once, or as those of a close.

        Returns:
            What was decided, in order.
        """
        runner = self.runner
        seat = self._engine.seats[runner.name]
        self._come_to(index, at)
        if fill:
            self._exchange.touch(runner.name, price, at)
        decisions = self._look(price, at, readings)
        if fill:
            self._exchange.leave(runner.name)
        else:
            runner.changes_before = seat.changes
        return decisions

    def _close(self, index: int) -> None:
        runner, feed = self.runner, self.runner.feed
        at = feed.time(int(feed.closed_at[index]))
        self._come_to(index, at)
        # A candle that was visited for what filled at its open may mean nothing at its close.
        could_fill = self._terms.follows or index < len(feed) - 1
        if could_fill and self._next(index) == index:
            self._look(feed.close(index), at, runner.readings(index))
        runner.changes_before = self._engine.seats[runner.name].changes

    def _come_to(self, index: int, at: datetime) -> None:
        """Come to the close of a candle: tell of it what has to be told, and end what is over."""
        runner = self.runner
        seat = self._engine.seats[runner.name]
        self.catch_up(index)
        if seat.changes > runner.changes_before:
            # A tranche that was opened in this candle has not seen all of it.
            self._engine.look_back(runner.name)
        self._exchange.expire(runner.name, at)
        self._engine.receive()

    def _look(self, price: Decimal, at: datetime, readings: Readings) -> tuple[Decision, ...]:
        """Let a bot look at a close."""
        runner = self.runner
        seat = self._engine.seats[runner.name]
        decisions = self._engine.evaluate(
            runner.name,
            Observation(
                price=price,
                at=at,
                look=self._terms.look,
                readings=readings,
                peak_price=runner.peak_price(seat.position),
            ),
        )
        # What it canceled has ended.
        self._engine.receive()
        return decisions

    def _touch(self, index: int, price: Decimal, look: Look, *, gapped: bool) -> None:
        """Let a bot act at a price inside a candle, or at its opening where that lies beyond."""
        runner = self.runner
        at, seat = self._touched_at(index, gapped=gapped), self._engine.seats[runner.name]
        self._show(index, price, at)
        before = seat.entries
        if look is Look.ENTRY_LEVEL:
            self._meet()
        # What rested and filled here is the candle's entry: none is decided beside it.
        if seat.entries == before:
            self._engine.evaluate(
                runner.name,
                Observation(
                    price=price,
                    at=at,
                    look=look,
                    readings=runner.readings_inside(index),
                    peak_price=runner.peak_price(seat.position),
                ),
            )
            self._engine.receive()
        self._exchange.leave(runner.name)

    def _touched_at(self, index: int, *, gapped: bool) -> datetime:
        feed = self.runner.feed
        if gapped:
            return feed.time(feed.opened_at(index))
        return feed.time(self._closed_at(index) - _INSTANT)

    def _show(self, index: int, price: Decimal, at: datetime) -> None:
        """Show the exchange a price inside a candle."""
        feed = self.runner.feed
        opened_at = feed.time(feed.opened_at(index))
        self._exchange.offer(feed.symbol, feed.volume(index), opened_at)
        self._exchange.touch(self.runner.name, price, at)

    def _meet(self) -> None:
        """Let what rests at the price shown fill."""
        self._exchange.meet(self.runner.name)
        self._engine.receive()

    def _closed_at(self, index: int) -> int:
        return int(self.runner.feed.closed_at[index])
