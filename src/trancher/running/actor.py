"""An actor: one bot that runs on paper through candles, and keeps every step it does.

It takes the same passages through its candles as a backtest, one for each of its places, and does
their steps in the same order. A step that wants something of what
the bots share borrows it for as long as the step takes, and so does a step that does something;
all that it did is one transaction: journal, rows, reservations, sums, and how far it has come. A
step that wanted nothing and did nothing writes nothing: done again it comes to the same.

Invariant: whoever goes on with a bot does what the one before would have done.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from trancher.backtest.feed import Feed
from trancher.backtest.passage import Passage, Phase, Step, Terms
from trancher.backtest.readings import BotSignals, readings_without_candles
from trancher.backtest.runner import Remembered, Runner, Strategy, Told, runners_of
from trancher.backtest.times import micros
from trancher.core.decision import Decision
from trancher.core.money import exact
from trancher.running.desk import Desk, Paper, nobody_stops
from trancher.running.hearing import Hearing
from trancher.seat import Portfolio, Seat
from trancher.store.commands import Command
from trancher.store.enrolling import Taken
from trancher.store.progress import OVER, PlaceReached

_NOT_AT_ALL: Final = -1


class Actor(Desk):
    """Runs one bot through its candles."""

    def __init__(
        self,
        taken: Taken,
        strategies: Sequence[Strategy],
        feed: Feed,
        *,
        portfolio: Portfolio,
        terms: Terms,
        order: int,
        paper: Paper,
        every_step: bool = False,
        stopped: Callable[[], bool] = nobody_stops,
    ) -> None:
        """Go on with a bot from where it stands.

        Args:
            strategies: the bot with each of its strategies, in their order.
            order: its place in the configuration; of steps at one time the first bot's goes first.
            every_step: whether each step is written, even if it did nothing: others wait for it,
                or go by what it holds at each close.
            stopped: says whether something outside the database stops all entries.
        """
        self._strategies, self._terms = strategies, terms
        signals = Hearing(strategies[0].signals, taken.resumed.heard).signals
        self._runners = self._runners_on(feed, signals)
        self._told = Told(self._runners)
        super().__init__(
            taken,
            strategies,
            portfolio=portfolio,
            paper=paper,
            marks=self._told,
            look=terms.look,
            stopped=stopped,
        )
        self._feed, self._order, self._every_step = feed, order, every_step
        self._ends = False
        self._waits_at = 0
        self._eager = paper.participation is not None
        self._passages = self._passages_of(self._runners)
        for runner, reached in zip(self._runners, self._reached, strict=True):
            self._remember(runner, reached)
        self._steps = [
            self._first(passage, reached)
            for passage, reached in zip(self._passages, self._reached, strict=True)
        ]

    @property
    def next(self) -> Step | None:
        """Its next step, in whichever place that is; None after the last."""
        return min((step for step in self._steps if step is not None), default=None)

    @property
    def between_candles(self) -> bool:
        """Whether every place is past one candle and before the next.

        The inside of a candle is played from its open on, so nothing new is heard in it.
        """
        return all(step is None or step.phase is Phase.OPEN for step in self._steps)

    @property
    def is_idle(self) -> bool:
        """Whether it holds nothing, and no order of it works."""
        return not any(seat.active for seat in self.seats)

    @property
    def is_over(self) -> bool:
        """Whether the bot has come to the end of its candles, and was told of them.

        A bot that was, and finds more candles now, goes on.
        """
        ends = not self._terms.follows
        return ends and self._done.phase == OVER and self.next is None

    @property
    def waits(self) -> bool:
        """Whether it has done all that the candles so far have asked for, and more are to come."""
        return self.next is None and self._waits_at == len(self._feed)

    def extend(self, feed: Feed) -> None:
        """Go on in more candles.

        Args:
            feed: begins with all the candles that the bot had.
        """
        known = len(self._feed)
        assert len(feed) >= known
        runners = self._runners_on(feed, self.hearing.signals)
        for runner, before in zip(runners, self._runners, strict=True):
            runner.take_over(before)
        self._feed, self._runners = feed, runners
        self._told.follow(runners)
        self._passages = self._passages_of(runners)
        self._steps = [
            passage.next_step(known) if step is None else step
            for passage, step in zip(self._passages, self._steps, strict=True)
        ]

    @exact
    def do(self) -> None:
        """Do the next step, and keep what it did; after the last one, the end, or that it waits.

        Raises:
            LeaseLost: another process runs the bot; this actor is of no use any more.
            StoreError: it could not be kept; likewise.
        """
        step, feed = self.next, self._feed
        since = feed.time(int(feed.closed_at[-1]) if step is None else feed.opened_at(step.candle))
        with self.keeper.step(since) as self._open:
            if self._eager:
                self._lend()
            if step is None:
                self._come_to_the_last()
            else:
                # Of equal steps that of the first place goes first.
                place = self._steps.index(step)
                self._steps[place] = self._passages[place].do(step)
            # What was decided by what others had left then is not decided again later.
            lasting = self._open.has_borrowed or self.keeper.store.waiting
            if lasting or self._every_step or step is None:
                self._ends = step is None
                self.keep(self._open, self.done())
                self._ends = False

    def _come_to_the_last(self) -> None:
        for passage in self._passages:
            if self._terms.follows:
                passage.wait()
            else:
                passage.end(close=False)
        self._waits_at = len(self._feed)

    def _runners_on(self, feed: Feed, signals: BotSignals) -> list[Runner]:
        return runners_of(
            [replace(strategy, signals=signals) for strategy in self._strategies],
            {feed.symbol: feed},
            intracandle=self._terms.intracandle,
        )

    def _passages_of(self, runners: Sequence[Runner]) -> list[Passage]:
        return [
            Passage(
                runner,
                order=self._order,
                engine=self.engine,
                exchange=self.exchange,
                terms=self._terms,
            )
            for runner in runners
        ]

    @property
    def _over(self) -> int:
        """The last candle that is over for all places; -1 before the first."""
        step = self.next
        return len(self._feed) - 1 if step is None else step.candle - 1

    def _closed(self, at: datetime) -> int:
        """Return the last candle that has closed by a time, of those that are over for all places.

        A bot that has passed over quiet candles, to a later one, has them before it all the same.
        """
        seen = max(runner.seen_to for runner in self._runners)
        return min(max(self._feed.index_closed(at), seen), self._over)

    def _begin_by_hand(self) -> None:
        """Let every place remember the candles that are over for all of them."""
        for passage in self._passages:
            passage.catch_up(self._over)

    def _hears_at(self, at: datetime) -> datetime:
        """Return the close of the last candle: what is heard until the next one opens is heard by
        those who look at it, as of a file.
        """
        last, feed = self._closed(at), self._feed
        return at if last < 0 else feed.time(int(feed.closed_at[last]))

    def _last_price(self, command: Command, at: datetime) -> Decimal | None:
        """Return the last close for a signal, which is heard with it."""
        index = -1 if command.said is None else self._closed(at)
        return self.price if index < 0 else self._feed.close(index)

    def _decides(
        self, seat: Seat, at: datetime, price: Decimal, *, said: bool
    ) -> tuple[Decision, ...]:
        """Look at the last close once more. At a price that nobody has said, what is decided fills
        at the next opening, as all that is decided at a close; where none comes, at that price.
        """
        index, feed, signals = self._closed(at), self._feed, self.hearing.signals
        runner, passage = self._runners[seat.place - 1], self._passages[seat.place - 1]
        if index < 0:
            readings = readings_without_candles(at, signals)
            return passage.look_again(index, price, at, readings, fill=True)
        if runner.heard.signals is not signals:
            heard = runner.heard.more(signals)
            for one in self._runners:
                one.listen(heard)
        readings = runner.heard.readings.aged(index, micros(at))
        fill = said or (index == len(feed) - 1 and not self._terms.follows)
        return passage.look_again(index, price, at, readings, fill=fill)

    def _end_by_hand(self, at: datetime) -> None:
        """Look once more for the candles that matter to each place; a place that jumps to one may
        hold something now, on the way.
        """
        feed = self._feed
        opened = feed.index_at(at)
        first = opened if opened >= 0 and feed.opened_at(opened) == micros(at) else opened + 1
        for place, passage in enumerate(self._passages):
            known = self._steps[place]
            if known is not None and (known.phase is not Phase.OPEN or known.candle <= first):
                continue
            self._steps[place] = passage.next_step(first)

    def publish(self) -> None:
        """Write how far the bot has come, for others that wait for it."""
        with self.keeper.step(self._feed.time(int(self._feed.closed_at[-1]))) as self._open:
            self.keep(self._open, self.done())

    def _reached_by(self, seat: Seat) -> PlaceReached:
        runner, step = self._runners[seat.place - 1], self._steps[seat.place - 1]
        told, feed = runner.remembered(), self._feed
        peak_position, peak_entered = told.peak_since or (None, None)
        reached = super()._reached_by(seat)
        if self._ends:
            last = len(feed) - 1
            reached = replace(
                reached, price=feed.close(last), seen_at=feed.time(int(feed.closed_at[last]))
            )
        return replace(
            reached,
            next_at=None if step is None else feed.time(step.at),
            phase=self._phase(step),
            candle_at=None if step is None else feed.time(feed.opened_at(step.candle)),
            memory=replace(
                reached.memory,
                changed=seat.changes > runner.changes_before,
                seen_to=told.seen_to,
                untold_from=told.untold_from,
                peak=told.peak,
                peak_position=peak_position,
                peak_entered=peak_entered,
            ),
        )

    def _phase(self, step: Step | None) -> int:
        if self._ends and not self._terms.follows:
            return OVER
        return 0 if step is None else step.phase

    def _remember(self, runner: Runner, reached: PlaceReached) -> None:
        memory = reached.memory
        since = memory.peak_position, memory.peak_entered
        runner.remember(
            Remembered(
                seen_to=memory.seen_to,
                untold_from=memory.untold_from,
                peak=memory.peak,
                peak_since=None if since[0] is None or since[1] is None else (since[0], since[1]),
            )
        )
        runner.changes_before = _NOT_AT_ALL if memory.changed else 0

    def _first(self, passage: Passage, reached: PlaceReached) -> Step | None:
        if reached.next_at is None or reached.candle_at is None:
            seen_to = reached.memory.seen_to
            return passage.next_step(0 if seen_to is None else self._after(seen_to))
        candle = self._feed.index_at(reached.candle_at)
        return Step(micros(reached.next_at), Phase(reached.phase), self._order, candle)

    def _after(self, opened_at: datetime) -> int:
        """Return the first candle after the one that opened then."""
        return self._feed.index_at(opened_at) + 1
