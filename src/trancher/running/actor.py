"""An actor: one bot that runs on paper through candles, and keeps every step it does.

It takes the same passage through its candles as a backtest. A step that wants something of what
the bots share borrows it for as long as the step takes, and so does a step that does something;
all that it did is one transaction: journal, rows, reservations, sums, and how far it has come. A
step that wanted nothing and did nothing writes nothing: done again it comes to the same.

Invariant: whoever goes on with a bot does what the one before would have done.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from trancher.backtest.feed import Feed
from trancher.backtest.passage import Passage, Phase, Step, Terms
from trancher.backtest.runner import Remembered, Runner, Strategy, Told
from trancher.backtest.times import micros
from trancher.core.money import exact
from trancher.running.desk import Desk, Paper, nobody_stops
from trancher.seat import Portfolio
from trancher.store.enrolling import Taken
from trancher.store.progress import OVER, Progress

_NOT_AT_ALL: Final = -1


class Actor(Desk):
    """Runs one bot through its candles."""

    def __init__(
        self,
        taken: Taken,
        strategy: Strategy,
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
            order: its place in the configuration; of steps at one time the first bot's goes first.
            every_step: whether each step is written, even if it did nothing: others wait for it,
                or go by what it holds at each close.
            stopped: says whether something outside the database stops all entries.
        """
        self._runner = Runner(strategy, feed, intracandle=terms.intracandle)
        super().__init__(
            taken,
            strategy.bot,
            portfolio=portfolio,
            paper=paper,
            marks=Told([self._runner]),
            stopped=stopped,
        )
        self._feed, self._order, self._every_step = feed, order, every_step
        self._eager = paper.participation is not None
        self._passage = Passage(
            self._runner, order=order, engine=self.engine, exchange=self.exchange, terms=terms
        )
        self._remember(taken.done)
        self.next: Step | None = self._first(taken.done)

    @property
    def is_over(self) -> bool:
        """Whether the bot has come to the end of its candles, and was told of them.

        A bot that was, and finds more candles now, goes on.
        """
        return self._done.phase == OVER and self.next is None

    @exact
    def do(self) -> None:
        """Do the next step, and keep what it did; after the last one, the end.

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
                self._passage.end(close=False)
            else:
                self.next = self._passage.do(step)
            # What was decided by what others had left then is not decided again later.
            lasting = self._open.has_borrowed or self.keeper.store.waiting
            if lasting or self._every_step or step is None:
                self.keep(self._open, self.done(over=step is None))

    def publish(self) -> None:
        """Write how far the bot has come, for others that wait for it."""
        with self.keeper.step(self._feed.time(int(self._feed.closed_at[-1]))) as self._open:
            self.keep(self._open, self.done())

    def done(self, *, over: bool = False) -> Progress:
        seat, step, feed = self.seat, self.next, self._feed
        told = self._runner.remembered()
        peak_position, peak_entered = told.peak_since or (None, None)
        done = super().done()
        if over:
            last = len(feed) - 1
            done = replace(
                done, price=feed.close(last), seen_at=feed.time(int(feed.closed_at[last]))
            )
        return replace(
            done,
            next_at=None if step is None else feed.time(step.at),
            phase=OVER if over else 0 if step is None else step.phase,
            candle_at=None if step is None else feed.time(feed.opened_at(step.candle)),
            memory=replace(
                done.memory,
                changed=seat.changes > self._runner.changes_before,
                seen_to=told.seen_to,
                untold_from=told.untold_from,
                peak=told.peak,
                peak_position=peak_position,
                peak_entered=peak_entered,
            ),
        )

    def _remember(self, done: Progress) -> None:
        memory = done.memory
        since = memory.peak_position, memory.peak_entered
        self._runner.remember(
            Remembered(
                seen_to=memory.seen_to,
                untold_from=memory.untold_from,
                peak=memory.peak,
                peak_since=None if since[0] is None or since[1] is None else (since[0], since[1]),
            )
        )
        self._runner.changes_before = _NOT_AT_ALL if memory.changed else 0

    def _first(self, done: Progress) -> Step | None:
        if done.next_at is None or done.candle_at is None:
            seen_to = done.memory.seen_to
            return self._passage.next_step(0 if seen_to is None else self._after(seen_to))
        candle = self._feed.index_at(done.candle_at)
        return Step(micros(done.next_at), Phase(done.phase), self._order, candle)

    def _after(self, opened_at: datetime) -> int:
        """Return the first candle after the one that opened then."""
        return self._feed.index_at(opened_at) + 1
