"""What people ask of a running bot: bought, sold and canceled by the engine that runs it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from engine.fakes import ACME, FREE, NO_LIMITS, NOON, NoMarks, bot_of
from trancher.core.bot import Bot
from trancher.core.claims import Over
from trancher.core.conditions import Look, Observation
from trancher.core.decision import Decision, Kind
from trancher.core.errors import InvalidRequest, UnknownTranche
from trancher.core.evolve import evolve
from trancher.core.exits import ExitRule, StopLoss, TakeProfit
from trancher.core.instrument import Instrument
from trancher.core.lifecycle import State
from trancher.core.limits import Halt, PortfolioLimits, RefusalCode
from trancher.core.order import BY_HAND, BotName, ExitOrder, PositionId, TrancheId
from trancher.core.position import Position
from trancher.core.rungs import LimitTerms
from trancher.engine import Engine
from trancher.exchange.paper import PaperExchange
from trancher.seat import Portfolio, Seat, fresh
from trancher.store.memory import MemoryStore

BOT: Final = BotName("bot")
WHO: Final = "asked by hand"
STOP = StopLoss(loss=Decimal("0.1"))
QUARTER = TakeProfit(gain=Decimal("0.1"), share=Decimal("0.25"))
HALF_OF_EACH = TakeProfit(gain=Decimal("0.1"), share=Decimal("0.5"), over=Over.TRANCHE)
STOPPED = Halt(code=RefusalCode.EMERGENCY_STOP)
FREE_OF_FEES = replace(ACME, taker_fee=Decimal(0))
SAFETY = (("0.05", "100"),)


class Counter:
    """An engine on a paper exchange, and a person in front of it."""

    def __init__(self, bot: Bot, *, limits: PortfolioLimits = FREE, cash: str = "1000") -> None:
        instrument = bot.instrument
        self.exchange = PaperExchange({instrument.symbol: instrument}, slippage=Decimal(0))
        self.store = MemoryStore()
        self.now = NOON
        self.bot = bot
        self.engine = Engine(
            portfolio=Portfolio(cash=Decimal(cash), limits=limits, zone=ZoneInfo("UTC")),
            bots=[bot],
            store=self.store,
            exchange=self.exchange,
            marks=NoMarks(),
        )

    def seen(self, price: str) -> Observation:
        """Return the market at `price`."""
        return Observation(price=Decimal(price), at=self.now, look=Look.EVERYTHING)

    def look(self, price: str) -> None:
        """Let the bot look; what it decides waits for the next opening price."""
        self.engine.evaluate(BOT, self.seen(price))

    def open(self, price: str) -> None:
        """Let an opening price come."""
        self.exchange.open(BOT, Decimal(price), self.now)
        self.engine.receive()

    def buy(self, price: str) -> None:
        """Let the bot enter at a price."""
        self.look(price)
        self.open(price)

    def add(self, size: str, price: str) -> Decision:
        """Add by hand, at a price that is touched."""
        seen = self._touched(price)
        decision = self.engine.add(BOT, seen, Decimal(size), reason=WHO)
        self._left()
        return decision

    def sell(self, part: Decimal | TrancheId, price: str) -> tuple[Decision, ...]:
        """Sell by hand, likewise."""
        seen = self._touched(price)
        decisions = self.engine.sell(BOT, seen, part, reason=WHO)
        self._left()
        return decisions

    def close(self, price: str) -> tuple[Decision, ...]:
        """Flatten, likewise."""
        seen = self._touched(price)
        decisions = self.engine.close(BOT, seen, reason=WHO)
        self._left()
        return decisions

    def _touched(self, price: str) -> Observation:
        self.exchange.touch(BOT, Decimal(price), self.now)
        return self.seen(price)

    def _left(self) -> None:
        self.engine.receive()
        self.exchange.leave(BOT)

    @property
    def seat(self) -> Seat:
        """What the engine keeps of the bot."""
        return self.engine.seats[BOT]

    @property
    def position(self) -> Position:
        """The bot's position."""
        return self.seat.position

    def replayed(self) -> list[Position]:
        """Return every position that the journal comes to, in order."""
        told: dict[PositionId, Position] = {}
        before: Position | None = None
        for line in self.store.journal:
            if line.position_id not in told and told:
                before = list(told.values())[-1]
            number = int(line.position_id.rpartition("-")[2])
            position = told.get(line.position_id) or fresh(self.bot, number, before=before)
            told[line.position_id] = evolve(position, line.event)
        return list(told.values())


def plain(*exits: ExitRule, instrument: Instrument = FREE_OF_FEES) -> Bot:
    """Return a bot that buys for 100, and for 100 more 5 % lower."""
    return bot_of(*exits, drops=SAFETY, instrument=instrument)


def rests(bot: Bot) -> Bot:
    """Return the bot with entries that rest 10 % lower for a day."""
    terms = LimitTerms(offset=Decimal("0.1"), ttl=timedelta(days=1))
    return replace(bot, plan=replace(bot.plan, limit=terms))


def canceled(decisions: Iterable[Decision]) -> list[str]:
    """Return the orders that were canceled."""
    return [order_id for one in decisions for order_id in one.cancels]


def quantities(decisions: Iterable[Decision]) -> list[Decimal]:
    """Return what was sold."""
    return [one.order.quantity for one in decisions if isinstance(one.order, ExitOrder)]


# ---- entries


def test_an_entry_by_hand_is_filled_at_the_touched_price() -> None:
    """
    In the same breath, while the plan's own orders wait for an opening price; the plan goes on
    from what is held then.
    """
    counter = Counter(plain())

    decision = counter.add("50", "80")

    (tranche,) = counter.position.book.open
    assert (tranche.quantity, tranche.cost, tranche.rung) == (
        Decimal("0.62"),
        Decimal("49.6"),
        BY_HAND,
    )
    assert (tranche.reason, decision.reason, decision.accepted) == (WHO, WHO, True)
    assert counter.position.state is State.BUILDING
    assert counter.engine.free_cash == Decimal("950.4")
    assert counter.store.records[-1].last is decision
    assert counter.replayed() == [counter.position]


def test_an_entry_by_hand_that_a_limit_refuses_is_told_and_recorded() -> None:
    """
    The caller prints what the record says; nothing was sent.
    """
    counter = Counter(replace(plain(), limits=replace(NO_LIMITS, max_tranche_size=Decimal(40))))
    counter.engine.halts = {BOT: (STOPPED,)}

    decision = counter.add("50", "80")

    codes = [one.code for one in decision.refusals]
    assert codes == [RefusalCode.MAX_TRANCHE_SIZE, RefusalCode.EMERGENCY_STOP]
    assert counter.store.records[-1].last is decision
    assert counter.store.journal == []
    assert counter.seat.refusals == dict.fromkeys(codes, 1)


def test_an_entry_by_hand_counts_like_every_other() -> None:
    """
    One trade a day, and the bot has none left; its cooldown runs from a hand's fill.
    """
    limits = PortfolioLimits(max_active_positions=None, max_daily_trades=2)
    cooled = replace(NO_LIMITS, tranche_cooldown=timedelta(minutes=15))
    counter = Counter(replace(plain(), limits=cooled), limits=limits)
    counter.add("50", "100")

    counter.now += timedelta(minutes=14)
    counter.look("95")

    refused = counter.store.records[-1].last.refusals
    assert [one.code for one in refused] == [RefusalCode.COOLDOWN, RefusalCode.MAX_DAILY_TRADES]


def test_a_build_window_that_has_passed_ends_building_before_a_hand_adds() -> None:
    """
    The engine would have ended it at its next look; who asks before that is told the same.
    """
    bot = plain()
    counter = Counter(replace(bot, plan=replace(bot.plan, build_window=timedelta(hours=1))))
    counter.buy("100")
    counter.now += timedelta(hours=1)

    decision = counter.add("50", "100")

    assert [one.code for one in decision.refusals] == [RefusalCode.NOT_BUILDING]
    assert counter.position.state is State.OPEN
    assert counter.replayed() == [counter.position]


def test_an_entry_of_nothing_changes_nothing() -> None:
    """
    A slip of the pen is an error for the caller, and no decision.
    """
    counter = Counter(plain())

    with pytest.raises(InvalidRequest):
        counter.add("0", "100")

    assert (counter.store.records, counter.store.journal) == ([], [])


# ---- sales


def test_a_share_by_hand_is_sold_at_the_touched_price() -> None:
    """
    Halted or not; what is left is OPEN, because every exit ends building.
    """
    counter = Counter(plain())
    counter.buy("100")
    counter.engine.halts = {BOT: (STOPPED,)}

    (decision,) = counter.sell(Decimal("0.3"), "120")

    assert quantities([decision]) == [Decimal("0.3")]
    assert (counter.position.held, counter.position.state) == (Decimal("0.7"), State.OPEN)
    assert counter.position.book.realized_pnl == 6
    assert counter.replayed() == [counter.position]


def test_a_tranche_by_hand_is_sold_whatever_the_disposal_says() -> None:
    """
    The second of two goes; the first stays as it was.
    """
    counter = Counter(plain())
    counter.buy("100")
    counter.buy("80")

    (decision,) = counter.sell(TrancheId("tranche_2"), "120")

    assert quantities([decision]) == [Decimal("1.25")]
    assert [one.id for one in counter.position.book.open] == ["tranche_1"]
    assert counter.position.book.realized_pnl == 50
    assert counter.replayed() == [counter.position]


def test_a_sale_of_the_whole_tells_what_it_canceled_first() -> None:
    """
    A quarter waits for its opening price; nine tenths leave what nobody could sell.
    """
    counter = Counter(plain(QUARTER, instrument=replace(FREE_OF_FEES, min_notional=Decimal(20))))
    counter.buy("100")
    counter.look("110")

    decisions = counter.sell(Decimal("0.9"), "110")

    assert canceled(decisions) == ["bot-1-2"]
    assert quantities(decisions) == [Decimal(1)]
    assert [one.last for one in counter.store.records[-2:]] == list(decisions)
    assert [one.state for one in counter.seat.closed] == [State.CLOSED]


def test_what_is_too_small_once_the_part_has_ended_is_told() -> None:
    """
    All of it at 10 is below the minimum of 20: the caller learns what was canceled, and why
    nothing was sold.
    """
    counter = Counter(plain(QUARTER, instrument=replace(FREE_OF_FEES, min_notional=Decimal(20))))
    counter.buy("100")
    counter.look("110")

    decisions = counter.sell(Decimal("0.9"), "10")

    assert (canceled(decisions), quantities(decisions)) == (["bot-1-2"], [])
    assert [one.code for one in decisions[-1].refusals] == [RefusalCode.MIN_NOTIONAL]
    assert [one.last for one in counter.store.records[-2:]] == list(decisions)
    assert (counter.position.state, counter.position.held) == (State.OPEN, Decimal(1))


def test_of_nothing_nothing_is_sold_and_nothing_is_recorded() -> None:
    """
    An empty answer: the caller says that there was nothing to sell.
    """
    counter = Counter(plain())

    assert counter.sell(Decimal("0.5"), "100") == ()
    assert counter.close("100") == ()
    assert counter.store.records == []


def test_an_unknown_tranche_changes_nothing() -> None:
    """
    The names that are open come with the error.
    """
    counter = Counter(plain())
    counter.buy("100")
    known = len(counter.store.journal)

    with pytest.raises(UnknownTranche, match=r"open are tranche_1$"):
        counter.sell(TrancheId("tranche_9"), "100")

    assert len(counter.store.journal) == known


# ---- cancels


def test_what_still_buys_is_canceled_and_what_is_held_stays() -> None:
    """
    The end of the order comes with the exchange's report, and its money is free again.
    """
    counter = Counter(plain())
    counter.buy("100")
    counter.look("95")
    assert counter.engine.free_cash == 800

    decision = counter.engine.cancel_entries(BOT, at=counter.now, reason=WHO)
    counter.engine.receive()

    assert decision is not None
    assert (decision.kind, decision.cancels, decision.reason) == (Kind.ENTRY, ("bot-1-2",), WHO)
    assert not counter.position.working
    assert counter.position.held == 1
    assert counter.engine.free_cash == 900
    assert counter.store.records[-1].last is decision
    assert counter.replayed() == [counter.position]


def test_where_nothing_buys_nothing_is_canceled() -> None:
    """
    Before the first look, and where only a sale works.
    """
    counter = Counter(plain(QUARTER))
    assert counter.engine.cancel_entries(BOT, at=counter.now, reason=WHO) is None
    counter.buy("100")
    counter.look("110")
    known = len(counter.store.records)

    assert counter.engine.cancel_entries(BOT, at=counter.now, reason=WHO) is None
    assert len(counter.store.records) == known
    assert len(counter.position.working_exits) == 1
