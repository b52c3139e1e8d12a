"""An actor: one bot that runs on paper, and keeps every step it does in the database.

It takes the same passage through its candles as a backtest. A step that wants something of what
the bots share borrows it for as long as the step takes, and so does a step that does something;
all that it did is one transaction: journal, rows, reservations, sums, and how far it has come. A
step that wanted nothing and did nothing writes nothing: done again it comes to the same.

Invariants:
1. A step is kept wholly or not at all, and only by the owner of the bot's lease.
2. After a step that could not be kept nothing in memory is believed: the actor is made anew.
3. Whoever goes on with a bot does what the one before would have done.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trancher.backtest.feed import Feed
from trancher.backtest.passage import Passage, Phase, Step, Terms
from trancher.backtest.runner import Remembered, Runner, Strategy, Told
from trancher.backtest.times import micros
from trancher.core.bot import Past
from trancher.core.money import exact
from trancher.engine import Engine
from trancher.exchange.paper import PaperExchange
from trancher.seat import Portfolio, Seat
from trancher.store.enrolling import Taken
from trancher.store.entries import Decided, decided
from trancher.store.keeper import OpenStep
from trancher.store.progress import Memory, Progress
from trancher.treasury import Treasury


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """How the paper exchange fills.

    Attributes:
        slippage: ratio that a market order moves against us, 0 <= slippage < 1.
        participation: share of a candle's volume that all orders may fill, 0 < share <= 1; None
            fills whatever its size.
    """

    slippage: Decimal
    participation: Decimal | None = None


class Actor:
    """Runs one bot."""

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
        every_close: bool = False,
    ) -> None:
        """Go on with a bot from where it stands.

        Args:
            order: its place in the configuration; of steps at one time the first bot's goes first.
            every_close: whether what is held is written at each close at its price, for others
                whose limits or sizes go by equity.
        """
        self.name = strategy.bot.name
        self._keeper = taken.keeper
        self._feed = feed
        self._every_close = every_close
        self._draws_volume = paper.participation is not None
        self._exchange = PaperExchange(
            {feed.symbol: strategy.bot.instrument},
            slippage=paper.slippage,
            participation=paper.participation,
        )
        self._runner = Runner(strategy, feed, intracandle=terms.intracandle)
        self._open: OpenStep | None = None
        self._engine = Engine(
            portfolio=portfolio,
            bots=[strategy.bot],
            store=taken.keeper.store,
            exchange=self._exchange,
            marks=Told([self._runner]),
            lend=self._lend,
        )
        self._passage = Passage(
            self._runner, order=order, engine=self._engine, exchange=self._exchange, terms=terms
        )
        self._take_over(taken)
        self.next = self._first(taken.done, order)

    @property
    def seat(self) -> Seat:
        """What the engine keeps of the bot."""
        return self._engine.seats[self.name]

    @exact
    def do(self) -> None:
        """Do the next step, and keep what it did.

        Raises:
            LeaseLost: another process runs the bot; this actor is of no use any more.
            StoreError: it could not be kept; likewise.
        """
        step = self.next
        assert step is not None
        since = self._feed.time(self._feed.opened_at(step.candle))
        with self._keeper.step(since) as self._open:
            if self._draws_volume:
                self._draw()
            self.next = self._passage.do(step)
            priced = self._every_close and step.phase is Phase.CLOSE
            # What was decided by what others had left then is not decided again later.
            if priced or self._open.has_borrowed or self._keeper.store.waiting:
                self._keep(self._open)

    @exact
    def end(self) -> None:
        """Tell the position of the last candles, where there is something to tell."""
        with self._keeper.step(self._feed.time(int(self._feed.closed_at[-1]))) as self._open:
            self._passage.end(close=False)
            self._keep(self._open)

    def publish(self) -> None:
        """Write how far the bot has come, for others that wait for it."""
        with self._keeper.step(self._feed.time(int(self._feed.closed_at[-1]))) as opened:
            opened.keep(None, self._done())

    def hold(self) -> None:
        """Renew the lease where no step does.

        Raises:
            LeaseLost: another process runs the bot.
        """
        self._keeper.hold()

    def give_up(self) -> None:
        """Let another process run the bot at once."""
        self._keeper.give_up()

    @property
    def _refused(self) -> Decided | None:
        record = self._keeper.store.refused(self.name)
        return None if record is None else decided(record)

    def _keep(self, opened: OpenStep) -> None:
        opened.treasury()
        opened.keep(self._engine.used(self.name), self._done())
        room = self._exchange.room(self._feed.symbol)
        if self._draws_volume and room is not None:
            opened.leave_room(*room)

    def _lend(self) -> Treasury:
        """Return what all bots share, with what stops the entries of this one."""
        opened = self._open
        assert opened is not None
        if not opened.has_borrowed:
            opened.treasury()
            self._engine.halts = {self.name: opened.halts()}
        return opened.treasury()

    def _draw(self) -> None:
        """Go on with the volume that other bots have left of a candle."""
        self._lend()
        assert self._open is not None
        room = self._open.room()
        if room is not None:
            self._exchange.take_room(self._feed.symbol, *room)

    def _take_over(self, taken: Taken) -> None:
        done, resumed = taken.done, taken.resumed
        memory = done.memory
        position = resumed.open[-1] if resumed.open else None
        self._engine.take_over(
            self.name,
            position,
            last=resumed.last,
            opened=memory.opened,
            past=Past(
                last_entry_at=memory.last_entry_at,
                unfilled_at=memory.unfilled_at,
                closed_at=memory.closed_at,
                stopped_at=memory.stopped_at,
            ),
            price=done.price,
            priced_at=done.seen_at,
        )
        for working in () if position is None else position.working:
            resting = working.order.client_order_id in memory.resting
            self._exchange.take_over(working.order, resting=resting)
        since = memory.peak_position, memory.peak_entered
        self._runner.remember(
            Remembered(
                seen_to=memory.seen_to,
                untold_from=memory.untold_from,
                peak=memory.peak,
                peak_since=None if since[0] is None or since[1] is None else (since[0], since[1]),
            )
        )
        self._runner.changes_before = -1 if memory.changed else 0

    def _first(self, done: Progress, order: int) -> Step | None:
        if done.next_at is None or done.candle_at is None:
            seen_to = done.memory.seen_to
            return self._passage.next_step(0 if seen_to is None else self._after(seen_to))
        candle = self._feed.index_at(done.candle_at)
        return Step(micros(done.next_at), Phase(done.phase), order, candle)

    def _after(self, opened_at: datetime) -> int:
        """Return the first candle after the one that opened then."""
        return self._feed.index_at(opened_at) + 1

    def _done(self) -> Progress:
        """Return how far the bot has come, and what it has in mind."""
        seat, step, told = self.seat, self.next, self._runner.remembered()
        feed, past = self._feed, self.seat.past
        peak_position, peak_entered = told.peak_since or (None, None)
        return Progress(
            next_at=None if step is None else feed.time(step.at),
            phase=0 if step is None else step.phase,
            candle_at=None if step is None else feed.time(feed.opened_at(step.candle)),
            seen_at=seat.priced_at,
            price=seat.price,
            memory=Memory(
                opened=seat.opened,
                last_entry_at=past.last_entry_at,
                unfilled_at=past.unfilled_at,
                closed_at=past.closed_at,
                stopped_at=past.stopped_at,
                changed=seat.changes > self._runner.changes_before,
                seen_to=told.seen_to,
                untold_from=told.untold_from,
                peak=told.peak,
                peak_position=peak_position,
                peak_entered=peak_entered,
                resting=self._exchange.resting(self.name),
                refused=self._refused,
            ),
        )
