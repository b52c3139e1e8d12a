"""What the tests build on: facts with everything but the point filled in, and what may vary.

A bot with a random plan on a random instrument is read off a Dial; core/walk.py lives its life.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from hypothesis import strategies as st

from trancher.core.bot import Bot
from trancher.core.claims import Over
from trancher.core.conditions import (
    ALWAYS,
    AnyOf,
    Comparison,
    Elapsed,
    Flat,
    Indicator,
    Look,
    Move,
    Observation,
    Origin,
    Score,
    Signal,
)
from trancher.core.exits import (
    BreakEvenStop,
    ExitRule,
    SignalExit,
    StopLoss,
    TakeProfit,
    TimeStop,
    TrailingStop,
)
from trancher.core.instrument import FeeIn, Instrument
from trancher.core.limits import BotLimits, ExitReserve, PortfolioLimits, ReserveFunds
from trancher.core.order import (
    BotName,
    ClientOrderId,
    EntryOrder,
    ExitOrder,
    Fill,
    PositionId,
    Side,
    TradeId,
)
from trancher.core.plans import SafetyLevel, dca, ladder
from trancher.core.position import Position, new_position
from trancher.core.rungs import EntryRung, LimitTerms, Of, OnExcess, Plan, Rearm
from trancher.core.signals import SILENT, Readings, Temperature
from trancher.core.tranches import Disposal

T = TypeVar("T")

NOON: Final = datetime(2025, 1, 1, 12, tzinfo=UTC)
BTC: Final = Instrument(
    symbol="BTC/USD", price_tick=Decimal("0.01"), quantity_step=Decimal("0.00000001")
)
BOT_RULES: Final = (Disposal.FIFO, Disposal.LIFO, Disposal.HIFO, Disposal.AVERAGE)
BOOK_ID: Final = PositionId("bot-1")
BOT_NAME: Final = BotName("bot")


def order_id(name: str) -> ClientOrderId:
    """Return `name` as a client order id."""
    return ClientOrderId(name)


def opened(
    *,
    disposal: Disposal = Disposal.FIFO,
    instrument: Instrument = BTC,
    name: str = "bot-1",
    before: Position | None = None,
) -> Position:
    """Return a position to which nothing has happened."""
    return new_position(
        position_id=PositionId(name),
        bot=BOT_NAME,
        instrument=instrument,
        disposal=disposal,
        before=before,
    )


def buy_order(name: str = "b1", *, size: Decimal | str = "100", rung: int = 0) -> EntryOrder:
    """Return an entry order of `size` quote."""
    return EntryOrder(
        client_order_id=order_id(name),
        position_id=BOOK_ID,
        bot=BOT_NAME,
        symbol="BTC/USD",
        size=Decimal(size),
        rung=rung,
        reason=f"rung {rung}",
        decided_at=NOON,
    )


def sell_order(
    name: str = "s1",
    *,
    quantity: Decimal | str = "1",
    full: bool = False,
    rungs: tuple[int, ...] = (),
) -> ExitOrder:
    """Return an exit order of `quantity` base."""
    return ExitOrder(
        client_order_id=order_id(name),
        position_id=BOOK_ID,
        bot=BOT_NAME,
        symbol="BTC/USD",
        quantity=Decimal(quantity),
        limit_price=None,
        full=full,
        rungs=rungs,
        reason="test exit",
        decided_at=NOON,
    )


def fill(
    side: Side,
    quantity: Decimal | str,
    price: Decimal | str,
    *,
    trade_id: str = "t1",
    fee: Decimal | str = "0",
    fee_asset: str = "USD",
    fee_rate: Decimal | None = None,
    at: datetime = NOON,
) -> Fill:
    """Return a fill without a fee, unless one is given."""
    return Fill(
        trade_id=TradeId(trade_id),
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee=Decimal(fee),
        fee_asset=fee_asset,
        fee_rate=fee_rate,
        at=at,
    )


def observed(
    price: Decimal | str,
    *,
    look: Look = Look.EVERYTHING,
    at: datetime = NOON,
    readings: Readings = SILENT,
    peak: Decimal | str | None = None,
) -> Observation:
    """Return a look at a market that stands at `price`."""
    return Observation(
        price=Decimal(price),
        at=at,
        look=look,
        readings=readings,
        peak_price=None if peak is None else Decimal(peak),
    )


# ---- what may vary


def units(low: int, high: int, places: int) -> st.SearchStrategy[Decimal]:
    """Return amounts that are whole multiples of 10^-places."""
    return st.integers(low, high).map(lambda count: Decimal(count).scaleb(-places))


class Dial:
    """Reads choices out of one whole number: one draw makes a whole bot, and shrinks with it."""

    def __init__(self, number: int) -> None:
        self._left = number

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`; the first for a number that has run out."""
        self._left, place = divmod(self._left, len(choices))
        return choices[place]


def dials() -> st.SearchStrategy[Dial]:
    """Return dials with room for some eighty choices.

    Drawn in eight parts, because large numbers are drawn small more often than not.
    """
    part = st.integers(0, 2**24 - 1)
    return st.lists(part, min_size=8, max_size=8).map(dial_of)


def dial_of(parts: Sequence[int]) -> Dial:
    """Return the dial that was drawn in these parts."""
    return Dial(sum(one << 24 * place for place, one in enumerate(parts)))


def instrument_from(dial: Dial) -> Instrument:
    """Return an instrument: coarse and fine steps, no fee, a fee in base, a rebate, minimums."""
    return Instrument(
        symbol="BTC/USD",
        price_tick=Decimal(dial.pick(["0.01", "0.5", "1"])),
        quantity_step=Decimal(dial.pick(["1e-8", "0.003", "1e-8", "0.1"])),
        min_quantity=Decimal(dial.pick(["0", "0", "0", "0.05"])),
        min_notional=Decimal(dial.pick(["0", "0", "5", "0", "12"])),
        maker_fee=Decimal(dial.pick(["0", "-0.01"])),
        taker_fee=Decimal(dial.pick(["0", "0.001", "0.0075", "0", "0.001", "0.1"])),
        fee_in=dial.pick(tuple(FeeIn)),
    )


def entries_from(dial: Dial) -> tuple[EntryRung, ...]:
    """Return a ladder, a dca, or rungs of every condition that a walk can reach."""
    size = Decimal(dial.pick([20, 30, 50, 15, 8]))
    ratio = Decimal(dial.pick([2, 4, 1, 7])).scaleb(-2)
    match dial.pick(["ladder", "interval", "drop", "rungs", "scores", "signals"]):
        case "ladder":
            signs = dial.pick([(1, 2, 3), (1, 3), (-1, 1), (2,)])
            levels = [SafetyLevel(drop=sign * ratio, size=size) for sign in signs]
            return ladder(base_size=size, levels=levels, start=ALWAYS)
        case "interval":
            every = timedelta(hours=dial.pick([1, 3]))
            return dca(size=size, every=every, drop=None, max_tranches=3, start=ALWAYS)
        case "drop":
            return dca(size=size, every=None, drop=ratio, max_tranches=4, start=ALWAYS)
        case "scores":
            steps = [Decimal(one).scaleb(-1) for one in (2, 4)]
            return tuple(
                EntryRung(
                    label=f"score {step}",
                    when=AnyOf(conditions=(Score(least=step), *dial.pick([(), (DIP,)]))),
                    size=size,
                    repeat=dial.pick([1, 2]),
                    min_temperature=dial.pick([Temperature.WARM, None, Temperature.HOT]),
                )
                for step in steps
            )
        case "signals":
            warm = Indicator(name="rsi", comparison=Comparison.BELOW, threshold=Decimal(30))
            return (
                EntryRung(label="dip", when=DIP, size=size),
                EntryRung(label="low", when=warm, size=Decimal("0.2"), of=Of.EQUITY, repeat=2),
            )
        case _:
            rise = Move(by=ratio, origin=Origin.ANCHOR)
            later = AnyOf(conditions=(rise, Elapsed(after=timedelta(hours=2))))
            return (
                EntryRung(label="first", when=Flat(flat=True), size=size),
                EntryRung(label="later", when=later, size=size, repeat=2),
            )


DIP: Final = Signal(name="dip")


def exits_from(dial: Dial) -> tuple[ExitRule, ...]:
    """Return full exits, then parts, then a ladder of gains, each of which may be missing."""
    rules: list[ExitRule] = []
    loss, hours = dial.pick([None, 5, 10, 2]), dial.pick([None, None, None, 4, 12])
    if loss is not None:
        over = dial.pick([Over.ANCHOR, Over.ANCHOR, Over.TRANCHE])
        rules.append(StopLoss(loss=Decimal(loss).scaleb(-2), over=over))
    ratio = Decimal(dial.pick([1, 3])).scaleb(-2)
    rules += dial.pick(
        [[], [], [TrailingStop(activate=ratio, trail=ratio)], [BreakEvenStop(after=ratio)]]
    )
    if hours is not None:
        rules.append(TimeStop(after=timedelta(hours=hours)))
    share = dial.pick([None, Decimal("0.5"), Decimal("0.2")])
    rules += dial.pick([[], [], [SignalExit(score=Decimal("-0.3"), share=share)]])
    return (*rules, *gains_from(dial))


def gains_from(dial: Dial) -> list[ExitRule]:
    """Return a ladder of gains: of shares or of tranches, over whatever a gain is over."""
    gain, rules = 0, list[ExitRule]()
    over = dial.pick([*Over, Over.TRANCHE])
    by_tranche = over is not Over.TRANCHE and dial.pick([False, False, False, True])
    for share in dial.pick([("0.25", "0.5", None), ("0.33", "0.33", "0.33"), (None,), ("0.5",)]):
        gain += dial.pick([3, 1, 5])
        rules.append(
            TakeProfit(
                gain=Decimal(gain).scaleb(-2),
                share=None if share is None or by_tranche else Decimal(share),
                over=over,
                one_tranche=by_tranche,
            )
        )
    if over is Over.ANCHOR and dial.pick([False, False, True]):
        rules.append(
            TakeProfit(gain=Decimal(gain + 1).scaleb(-2), share=None, trail=Decimal("0.01"))
        )
    return rules


def plan_from(dial: Dial) -> Plan:
    """Return a plan; those that rebuild may re-arm, the others may have a build window."""
    plan = Plan(
        entries=entries_from(dial),
        exits=exits_from(dial),
        rebuild=dial.pick([False, True]),
        on_excess=dial.pick(tuple(OnExcess)),
        limit=dial.pick([None, None, LimitTerms(offset=Decimal("0.01"), ttl=timedelta(hours=2))]),
    )
    if plan.rebuild:
        times, cooldown = dial.pick([1, 2, None]), timedelta(minutes=dial.pick([0, 90]))
        again = replace(plan, rearm=Rearm(times=times, cooldown=cooldown))
        swing = TakeProfit(gain=Decimal("0.02"), share=None, over=Over.TRANCHE)
        return dial.pick([plan, again, replace(again, exits=(swing,)), plan])
    return replace(plan, build_window=dial.pick([None, None, timedelta(hours=2)]))


def bot_from(dial: Dial) -> Bot:
    """Return a bot with limits that bind now and then."""
    return Bot(
        name=BOT_NAME,
        instrument=instrument_from(dial),
        plan=plan_from(dial),
        limits=BotLimits(
            max_position_size=dial.pick([None, Decimal(100), Decimal(60)]),
            max_tranches=dial.pick([None, None, 3, 2]),
            min_tranche_size=dial.pick([None, None, None, Decimal(10)]),
            max_tranche_size=dial.pick([None] * 5 + [Decimal(40)]),
            tranche_cooldown=timedelta(minutes=dial.pick([0, 0, 90])),
            reentry_cooldown=timedelta(hours=dial.pick([0, 0, 0, 3])),
            confirm=timedelta(minutes=dial.pick([0, 0, 5])),
            reserve_funds=dial.pick(tuple(ReserveFunds)),
        ),
        disposal=Disposal.FIFO,
    )


def portfolio_from(dial: Dial) -> PortfolioLimits:
    """Return limits over all bots that bind now and then."""
    return PortfolioLimits(
        max_active_positions=dial.pick([None] * 6 + [1, 1, 0]),
        max_daily_trades=dial.pick([None] * 5 + [6, 3]),
        exit_reserve=dial.pick(tuple(ExitReserve)),
        max_exposure=dial.pick([None] * 5 + [Decimal(55)]),
        symbol_caps=dial.pick([{}, {}, {}, {}, {"BTC/USD": Decimal(45)}]),
        max_daily_loss=dial.pick([None] * 4 + [Decimal(2)]),
        max_losing_streak=dial.pick([None] * 4 + [1]),
        max_drawdown=dial.pick([None] * 5 + [Decimal("0.03")]),
    )
