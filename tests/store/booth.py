"""A booth: one bot that trades when a test says so, kept by a keeper, in whichever process.

What it has in mind beside its journal is written with every step, so another process goes on.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final

from engine.fakes import NO_LIMITS, NoMarks
from trancher.core.bot import Bot, Past
from trancher.core.conditions import ALWAYS, Look, Observation
from trancher.core.decision import Decision
from trancher.core.exits import TakeProfit
from trancher.core.instrument import Instrument
from trancher.core.limits import BotLimits, PortfolioLimits
from trancher.core.order import BotName
from trancher.core.plans import ladder
from trancher.core.rungs import Plan
from trancher.core.tranches import Disposal
from trancher.engine import Engine
from trancher.exchange.paper import PaperExchange
from trancher.seat import Portfolio
from trancher.store.database import Database
from trancher.store.enrolling import Taken, enroll, take
from trancher.store.entries import BotFacts, RunKind
from trancher.store.keeper import OpenStep
from trancher.store.progress import Memory, Progress
from trancher.store.runs import NewRun
from trancher.store.sharing import Owner
from trancher.treasury import Treasury

NOON: Final = datetime(2025, 6, 2, 12, tzinfo=UTC)
LONG: Final = timedelta(hours=1)
FREE: Final = PortfolioLimits(max_active_positions=None, max_daily_trades=None)


@dataclass(frozen=True, kw_only=True)
class Fair:
    """What the booths of one portfolio have in common.

    Attributes:
        cash: quote at the start.
        limits: of the portfolio.
        own: limits of each bot.
        exits: rungs out of each position, which `exit_reserve = "ladder"` keeps trades for.
    """

    name: str = "fair"
    cash: Decimal = Decimal(1_000_000)
    limits: PortfolioLimits = FREE
    own: BotLimits = NO_LIMITS
    zone: tzinfo = UTC
    exits: int = 1

    def bot(self, name: str, symbol: str) -> Bot:
        """Return a bot that buys for 50 by its plan, and more 10 % below."""
        return Bot(
            name=BotName(name),
            instrument=Instrument(
                symbol=symbol,
                price_tick=Decimal("0.01"),
                quantity_step=Decimal("0.01"),
                taker_fee=Decimal("0.01"),
            ),
            plan=Plan(
                entries=ladder(base_size=Decimal(50), levels=(), start=ALWAYS),
                exits=tuple(
                    TakeProfit(
                        gain=Decimal(one), share=None if one == self.exits else Decimal("0.2")
                    )
                    for one in range(1, self.exits + 1)
                ),
                rebuild=False,
            ),
            limits=self.own,
            disposal=Disposal.FIFO,
        )

    def owner(
        self, database: Database, name: str, symbol: str, *, clock: "Clock", number: int = 1
    ) -> Owner:
        """Return a bot's place, made where it has none.

        Args:
            number: its place in the configuration.
        """
        bot = self.bot(name, symbol)
        facts = BotFacts(
            id=number,
            name=bot.name,
            strategy="rungs",
            max_tranches=None,
            disposal=bot.disposal,
            instrument=bot.instrument,
        )
        new = NewRun(
            kind=RunKind.RUN,
            at=NOON,
            portfolio=self.name,
            quote="USD",
            cash=self.cash,
            timezone="UTC",
            configuration_hash="0" * 64,
            configuration_text="",
            bots=[facts],
        )
        return enroll(database, new, zone=self.zone, clock=clock)


Clock = Callable[[], datetime]


def noon() -> datetime:
    """Return the host's time, which stands still."""
    return NOON


def rent(
    database: Database,
    fair: Fair,
    name: str = "bot",
    symbol: str = "ACME/USD",
    *,
    process: str = "test",
    clock: Clock = noon,
    length: timedelta = LONG,
) -> "Booth | None":
    """Take a bot; None where another process has it."""
    owner = fair.owner(database, name, symbol, clock=clock)
    taken = take(database, owner, name=process, clock=clock, length=length)
    return None if taken is None else Booth(fair, fair.bot(name, symbol), taken)


def rented(database: Database, fair: Fair, name: str = "bot", symbol: str = "ACME/USD") -> "Booth":
    """Take a bot that nobody has."""
    booth = rent(database, fair, name, symbol)
    assert booth is not None
    return booth


class Booth:
    """A bot that trades when it is told to.

    Attributes:
        version: of the portfolio's sums after its last step.
    """

    def __init__(self, fair: Fair, bot: Bot, taken: Taken) -> None:
        self.name = bot.name
        self.keeper = taken.keeper
        self.version = 0
        self.exchange = PaperExchange({bot.instrument.symbol: bot.instrument}, slippage=Decimal(0))
        self.engine = Engine(
            portfolio=Portfolio(cash=fair.cash, limits=fair.limits, zone=fair.zone),
            bots=[bot],
            store=taken.keeper.store,
            exchange=self.exchange,
            marks=NoMarks(),
            lend=self._lend,
        )
        self._opened: OpenStep | None = None
        memory, resumed = taken.done.memory, taken.resumed
        position = resumed.open[-1] if resumed.open else None
        self.engine.take_over(
            bot.name,
            position,
            last=resumed.last.get(1),
            opened=memory.opened,
            past=Past(last_entry_at=memory.last_entry_at, closed_at=memory.closed_at),
            price=taken.done.price,
            priced_at=taken.done.seen_at,
        )
        for working in () if position is None else position.working:
            self.exchange.take_over(working.order, resting=False)

    @contextmanager
    def step(self, at: datetime) -> Iterator[Engine]:
        """Do something in a step of its own, and keep it."""
        with self.keeper.step(at) as self._opened:
            yield self.engine
            self.engine.receive()
            self.keep()

    def keep(self) -> None:
        """Write what the step has done."""
        assert self._opened is not None
        self._opened.treasury()
        self._opened.keep(self.engine.used(self.name), self._done())
        borrowed = self._opened._borrowed  # noqa: SLF001 the order of commits is nobody else's business
        assert borrowed is not None
        self.version = borrowed.version + 1

    def buy(
        self, at: datetime, *, size: str = "50", price: str = "100", fills: bool = True
    ) -> Decision:
        """Ask for an entry, which fills at once where it is admitted, or waits."""
        with self.step(at) as engine, self._shown(price, at, fills=fills):
            seen = Observation(price=Decimal(price), at=at, look=Look.EVERYTHING)
            return engine.add(self.name, seen, Decimal(size), reason="a test")

    def sell(
        self, at: datetime, *, part: str = "1", price: str = "100", fills: bool = True
    ) -> Decision:
        """Sell a share of what is held, at once."""
        with self.step(at) as engine, self._shown(price, at, fills=fills):
            seen = Observation(price=Decimal(price), at=at, look=Look.EVERYTHING)
            return engine.sell(self.name, seen, Decimal(part), reason="a test")[-1]

    def open(self, at: datetime, price: str = "100") -> None:
        """Let what waits fill."""
        with self.step(at):
            self.exchange.open(self.name, Decimal(price), at)

    def cancel(self, at: datetime) -> None:
        """End what waits unfilled."""
        with self.step(at) as engine:
            self.exchange.cancel_all(at)
            engine.receive()

    @contextmanager
    def _shown(self, price: str, at: datetime, *, fills: bool) -> Iterator[None]:
        if fills:
            self.exchange.touch(self.name, Decimal(price), at)
        yield
        self.engine.receive()
        if fills:
            self.exchange.leave(self.name)

    def _lend(self) -> Treasury:
        opened = self._opened
        assert opened is not None
        if not opened.has_borrowed:
            opened.treasury()
            self.engine.halts = {self.name: opened.halts()}
        return opened.treasury()

    def _done(self) -> Progress:
        seat = self.engine.seats[self.name]
        return Progress(
            seen_at=seat.priced_at,
            price=seat.price,
            memory=Memory(
                opened=seat.opened,
                last_entry_at=seat.past.last_entry_at,
                closed_at=seat.past.closed_at,
            ),
        )
