"""How much an entry asks for, and on which terms: clipped, of equity, at a limit, in a window."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.facts import HELD, LATER, OPEN, after, entry
from core.test_decide_entry import FREE, codes, usage
from core.test_decide_entry_signals import HOUR, PLAIN, D, bot, decide, order_of, said
from strategies import NOON, observed, opened
from trancher.core.bot import NO_PAST, Past
from trancher.core.conditions import Flat
from trancher.core.decide_entry import building_over, entry_due
from trancher.core.events import BuildingEnded, Event
from trancher.core.limits import BotLimits, PortfolioLimits, RefusalCode, ReserveFunds
from trancher.core.rungs import LimitTerms, Of, OnExcess
from trancher.core.signals import Readings

# ---- size

CLIP = replace(PLAIN, on_excess=OnExcess.CLIP)


@pytest.mark.parametrize(
    ("limits", "portfolio", "exposure", "size"),
    [
        (BotLimits(), FREE, "0", "50"),
        (BotLimits(max_tranche_size=None, max_position_size=D(70)), FREE, "0", "70"),
        (BotLimits(max_tranche_size=None), replace(FREE, max_exposure=D(90)), "25", "65"),
        (
            BotLimits(max_tranche_size=None),
            replace(FREE, symbol_caps={"BTC/USD": D(30)}),
            "15",
            "15",
        ),
        (
            BotLimits(
                max_tranche_size=None, max_position_size=None, reserve_funds=ReserveFunds.NONE
            ),
            replace(FREE, symbol_caps={"ETH/USD": D(1)}),
            "0",
            "80",
        ),
    ],
)
def test_a_rung_that_is_too_large_is_clipped_to_the_room_left(
    limits: BotLimits, portfolio: PortfolioLimits, exposure: str, size: str
) -> None:
    """
    80 are asked for; the smallest room of all limits of size decides, another symbol's does not.
    """
    used = replace(usage(), exposure=D(exposure), symbol_exposure=D(exposure))
    one = replace(bot(Flat(flat=True), size="80", plan=CLIP, limits=limits))
    plan = replace(one.plan, entries=(replace(one.plan.entries[0], repeat=1),))

    decision = decide(replace(one, plan=plan), Readings(), used=used, limits=portfolio)

    assert codes(decision) == []
    assert order_of(decision).size == D(size)


def test_a_clipped_rung_has_to_be_large_enough_all_the_same() -> None:
    """
    9.99 of room is less than the smallest tranche; no room at all is the limit's own refusal.
    """
    used = replace(usage(), exposure=D("80.01"))
    one = bot(Flat(flat=True), plan=CLIP, limits=BotLimits())

    small = decide(one, Readings(), used=used, limits=replace(FREE, max_exposure=D(90)))
    none = decide(one, Readings(), used=used, limits=replace(FREE, max_exposure=D(80)))

    assert codes(small) == [RefusalCode.MIN_TRANCHE_SIZE]
    assert codes(none) == [RefusalCode.MAX_EXPOSURE]


@pytest.mark.parametrize(
    ("equity", "size"), [("1000", "20"), ("1234.56789", "24.6913578"), ("0.0000000049", None)]
)
def test_a_size_of_equity_follows_the_portfolio(equity: str, size: str | None) -> None:
    """
    2 % of it, floored to 1e-10; 9.8e-11 is nothing that could be bought.
    """
    free = BotLimits(min_tranche_size=None, max_tranches=1)
    one = bot(Flat(flat=True), size="0.02", of=Of.EQUITY, limits=free)

    decision = decide(one, Readings(), used=replace(usage(), equity=D(equity)))

    if size is None:
        assert codes(decision) == [RefusalCode.MIN_QUANTITY, RefusalCode.MIN_NOTIONAL]
    else:
        assert order_of(decision).size == D(size)


@pytest.mark.parametrize("equity", ["0", "-10"])
def test_a_share_of_a_debt_buys_nothing(equity: str) -> None:
    """
    It is refused as too small, with its numbers, and nothing negative is ever asked for.
    """
    one = bot(Flat(flat=True), size="0.02", of=Of.EQUITY)

    decision = decide(one, Readings(), used=replace(usage(), equity=D(equity)))

    assert codes(decision) == [
        RefusalCode.MIN_TRANCHE_SIZE,
        RefusalCode.MIN_QUANTITY,
        RefusalCode.MIN_NOTIONAL,
    ]


# ---- limit orders


@pytest.mark.parametrize(
    ("offset", "price", "limit"),
    [("0", "100", "100"), ("0.005", "100.01", "99.5"), ("0.999", "0.01", "0.01")],
)
def test_an_entry_may_rest_below_the_price(offset: str, price: str, limit: str) -> None:
    """
    Floored to the tick (100.01 x 0.995 = 99.50995), never below one tick; it ends after an hour.
    """
    terms = LimitTerms(offset=D(offset), ttl=HOUR)
    one = bot(Flat(flat=True), plan=replace(PLAIN, limit=terms))

    order = order_of(decide(one, Readings(), price=price))

    assert (order.limit_price, order.expires_at) == (D(limit), LATER + HOUR)
    assert order_of(decide(bot(Flat(flat=True)), Readings())).limit_price is None
    assert order_of(decide(bot(Flat(flat=True)), Readings())).expires_at is None


def test_an_entry_that_rests_has_to_be_large_enough_at_its_limit() -> None:
    """
    5 at 100 is 0.05, worth the 5 that the exchange wants; at 99 it is 0.05 too, worth 4.95.
    """
    small = BotLimits(min_tranche_size=None, max_tranches=1)
    market = bot(Flat(flat=True), size="5", limits=small)
    terms = LimitTerms(offset=D("0.01"), ttl=HOUR)
    rests = replace(market, plan=replace(market.plan, limit=terms))

    assert codes(decide(market, Readings())) == []
    assert codes(decide(rests, Readings())) == [RefusalCode.MIN_NOTIONAL]


# ---- the end of the building


@pytest.mark.parametrize(
    ("events", "minutes", "over"),
    [
        (HELD, 59, False),
        (HELD, 60, True),
        ((entry(),), 60, False),
        (OPEN, 60, False),
    ],
)
def test_building_ends_once_its_window_has_passed(
    events: tuple[Event, ...],
    minutes: int,
    over: bool,  # noqa: FBT001 - a table
) -> None:
    """
    An hour from the first fill, inclusive; where nothing is bought yet, or building has ended
    already, there is nothing to end.
    """
    one = bot(plan=replace(PLAIN, build_window=HOUR))
    at = NOON + timedelta(minutes=minutes)

    ended = building_over(one, after(events), at)

    expected = BuildingEnded(reason="the build window has passed", at=at)
    assert ended == (expected if over else None)


def test_what_is_due_is_told_without_deciding() -> None:
    """
    The same rung as the decision's, from the same past.
    """
    one = bot()
    seen = observed("100", at=LATER, readings=said("0.6"))

    assert entry_due(one, opened(), seen, NO_PAST) == (0, one.plan.entries[0])
    assert entry_due(one, opened(), seen, Past(unfilled_at=LATER)) is None
