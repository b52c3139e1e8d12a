"""An exchange that does what a test tells it, a store that logs, and an engine around them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from trancher.core.bot import Bot
from trancher.core.conditions import ALWAYS, Look, Observation
from trancher.core.decision import Decision
from trancher.core.events import Event, Filled, Marked, OrderEnded
from trancher.core.exits import ExitRule
from trancher.core.instrument import Instrument
from trancher.core.limits import BotLimits, PortfolioLimits, ReserveFunds
from trancher.core.order import (
    BotName,
    ClientOrderId,
    EntryOrder,
    Fill,
    Order,
    Side,
    TradeId,
)
from trancher.core.plans import SafetyLevel, ladder
from trancher.core.position import Position
from trancher.core.rungs import Plan
from trancher.core.signals import SILENT, Readings
from trancher.core.tranches import Disposal
from trancher.engine import Engine
from trancher.ports import Report
from trancher.seat import Portfolio
from trancher.store.memory import MemoryStore

NOON: Final = datetime(2025, 1, 1, 12, tzinfo=UTC)
ACME: Final = Instrument(
    symbol="ACME/USD",
    price_tick=Decimal(1),
    quantity_step=Decimal("0.01"),
    taker_fee=Decimal("0.01"),
)
NO_LIMITS: Final = BotLimits(
    max_position_size=None,
    max_tranches=None,
    min_tranche_size=None,
    max_tranche_size=None,
    tranche_cooldown=timedelta(0),
    reserve_funds=ReserveFunds.NONE,
)
FREE: Final = PortfolioLimits(max_active_positions=None, max_daily_trades=None)


class SlowExchange:
    """Takes orders and cancels, and reports what the test says, when it says so."""

    def __init__(self, log: list[str]) -> None:
        self.sent: list[Order] = []
        self.canceled: list[ClientOrderId] = []
        self._log = log
        self._reports: list[Report] = []
        self._trades = 0

    def send(self, order: Order) -> None:
        self.sent.append(order)
        self._log.append(f"sent {order.client_order_id}")

    def cancel(self, order_id: ClientOrderId) -> None:
        self.canceled.append(order_id)
        self._log.append(f"canceled {order_id}")

    def reports(self) -> Sequence[Report]:
        told, self._reports = self._reports, []
        return told

    def fill(self, order: Order, quantity: str, price: str, *, at: datetime, fee: str) -> None:
        """Match part of an order."""
        self._trades += 1
        fill = Fill(
            trade_id=TradeId(f"trade {self._trades}"),
            side=Side.BUY if isinstance(order, EntryOrder) else Side.SELL,
            price=Decimal(price),
            quantity=Decimal(quantity),
            fee=Decimal(fee),
            fee_asset="USD",
            at=at,
        )
        self._reports.append(Filled(order_id=order.client_order_id, fill=fill))

    def repeat(self, event: Event) -> None:
        """Report a fill once more."""
        assert isinstance(event, Filled)
        self._reports.append(event)

    def end(self, order: Order, *, at: datetime) -> None:
        """Say that an order will not fill any further."""
        self._reports.append(OrderEnded(order_id=order.client_order_id, reason="told", at=at))


class LoggedStore(MemoryStore):
    """A memory store that says in the common log what it was given."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self._log = log

    def append(self, position: Position, events: Sequence[Event]) -> None:
        super().append(position, events)
        self._log += [f"stored {type(event).__name__}" for event in events]

    def record(self, decision: Decision) -> None:
        super().record(decision)
        self._log.append("recorded")


class NoMarks:
    """A market of which nothing is told between events."""

    def price(self, _: BotName, at: datetime, *, after: datetime | None) -> Decimal | None:
        del at, after
        return None

    def take(self, _: BotName) -> Marked | None:
        return None


class Desk:
    """An engine on a slow exchange, and a market that stands where the test puts it."""

    def __init__(
        self,
        *bots: Bot,
        cash: str = "1000",
        limits: PortfolioLimits = FREE,
        zone: str = "UTC",
        at: datetime = NOON,
    ) -> None:
        self.log: list[str] = []
        self.exchange = SlowExchange(self.log)
        self.store = LoggedStore(self.log)
        self.now = at
        self.engine = Engine(
            portfolio=Portfolio(cash=Decimal(cash), limits=limits, zone=ZoneInfo(zone)),
            bots=bots,
            store=self.store,
            exchange=self.exchange,
            marks=NoMarks(),
        )

    def look(
        self,
        price: str,
        *,
        bot: str = "bot",
        look: Look = Look.EVERYTHING,
        readings: Readings = SILENT,
        peak: str | None = None,
    ) -> None:
        """Let a bot look at a price now."""
        seen = Observation(
            price=Decimal(price),
            at=self.now,
            look=look,
            readings=readings,
            peak_price=None if peak is None else Decimal(peak),
        )
        self.engine.evaluate(BotName(bot), seen)

    def wait(self, **length: int) -> None:
        """Let time pass."""
        self.now += timedelta(**length)

    def fill(self, quantity: str, price: str, *, order: int = -1, fee: str = "0") -> None:
        """Match part of an order, of the latest sent unless another is named, and book it."""
        self.exchange.fill(self.exchange.sent[order], quantity, price, at=self.now, fee=fee)
        self.engine.receive()

    def end(self, *, order: int = -1) -> None:
        """End an order and book it."""
        self.exchange.end(self.exchange.sent[order], at=self.now)
        self.engine.receive()

    def buy(self, quantity: str, price: str, *, bot: str = "bot") -> None:
        """Let a bot enter at a price and be filled."""
        self.look(price, bot=bot)
        self.fill(quantity, price)
        self.end()

    @property
    def codes(self) -> list[str]:
        """The refusal codes of the latest decision."""
        return [refusal.code.value for refusal in self.store.records[-1].last.refusals]


def bot_of(
    *exits: ExitRule,
    name: str = "bot",
    instrument: Instrument = ACME,
    size: str = "100",
    drops: Sequence[tuple[str, str]] = (),
    rebuild: bool = False,
    limits: BotLimits = NO_LIMITS,
) -> Bot:
    """Return a bot with a ladder: a base order of `size`, and (drop, size) below it."""
    levels = [SafetyLevel(drop=Decimal(drop), size=Decimal(one)) for drop, one in drops]
    entries = ladder(base_size=Decimal(size), levels=levels, start=ALWAYS)
    return Bot(
        name=BotName(name),
        instrument=instrument,
        plan=Plan(entries=entries, exits=exits, rebuild=rebuild),
        limits=limits,
        disposal=Disposal.FIFO,
    )
