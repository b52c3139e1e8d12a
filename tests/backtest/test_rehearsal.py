from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise, takewhile
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backtest.replays import Row, candles_of, replay_of
from backtest.scripted import configuration, only_seat
from sparing import one_in
from strategies import Dial, dials
from trancher.app.backtesting import engine_portfolio
from trancher.app.settings import Settings, parse
from trancher.backtest.exact import Replayed
from trancher.backtest.rehearsal import Rehearsal, rehearse
from trancher.core.bot import Bot
from trancher.core.limits import RefusalCode
from trancher.core.pnl import figures

MIDNIGHT: Final = datetime(2025, 1, 1, tzinfo=UTC)
HUNDRED: Final = Decimal(100)
LEAN: Final = one_in(8)
TERMS: Final = "price_tick = 0.01\nquantity_step = 0.00000001"
LADDER: Final = """plan = "ladder"
base_size = 10
safety_size = 20
deviation = "2%"
step_scale = 1.5
volume_scale = 2
max_safety = 4"""


def rehearsed(text: str, price: Decimal = HUNDRED) -> Rehearsal:
    """Rehearse the only bot of a configuration."""
    said = parse(text, file="test.toml")
    slippage = said.backtest.slippage
    return rehearse(bot_of(said), engine_portfolio(said), price=price, slippage=slippage)


def bot_of(said: Settings) -> Bot:
    """Return the only bot."""
    return said.bots[0].bot(said.instrument("ACME/USD", price_tick=None))


def walked(text: str, levels: Sequence[Decimal]) -> Replayed:
    """Replay candles that fall from the first price to each of the others, one at a candle."""
    prices = [int(level.scaleb(2)) for level in levels]
    first = prices[0]
    rows: list[Row] = [(place, first, first, first, first) for place in range(2)]
    rows += [
        (place, before, before, price, price)
        for place, (before, price) in enumerate(pairwise(prices), start=2)
    ]
    candles = candles_of(rows, tick="0.01", first=MIDNIGHT)
    return replay_of(parse(text, file="test.toml"), {"ACME/USD": candles}).run()


def test_the_ladder_of_the_specification() -> None:
    """
    Base 10, safety 20, deviation 2 %, step scale 1.5, volume scale 2, four safeties, from 100.
    """
    told = rehearsed(configuration(LADDER, terms=TERMS))

    assert [(str(step.price.normalize()), int(step.size)) for step in told.steps] == [
        ("1E+2", 10),
        ("98", 20),
        ("95", 40),
        ("90.5", 80),
        ("83.75", 160),
    ]
    assert [step.label for step in told.steps][:2] == ["base order", "safety order 1"]
    assert [step.quantity for step in told.steps[:3]] == [
        Decimal("0.1"),
        Decimal("0.20408163"),
        Decimal("0.42105263"),
    ]
    assert told.covered_drop == Decimal("0.1625")
    assert told.binding is None


def test_its_money_by_hand() -> None:
    """
    Fees of 1 % in quote. After 0.1 @ 100 and 0.20408163 @ 98: cost 29.99999974, cash
    30.2999997374, and the break-even is that over 0.30408163 x 0.99.
    """
    told = rehearsed(configuration(LADDER, terms=f'{TERMS}\ntaker_fee = "1%"'))

    step = told.steps[1]
    assert step.cumulated_cost == Decimal("29.99999974")
    assert step.cumulated_cash == Decimal("30.2999997374")
    assert step.average_entry_price == Decimal("98.657718126543849426")
    assert step.break_even_price is not None
    exact_price = Decimal("30.2999997374") / (Decimal("0.30408163") * Decimal("0.99"))
    assert abs(step.break_even_price - exact_price) < Decimal("1e-15")
    assert told.planned_cash == told.admitted_cash == told.steps[-1].cumulated_cash


def test_the_first_limit_that_binds_is_named() -> None:
    """
    10 + 20 + 40 fit into 100, the next 80 does not, and once the base order is bought the fees of
    what fits are set aside: 60 x 1.01.
    """
    limits = 'max_position_size = 100\nreserve_funds = "ladder"'

    told = rehearsed(configuration(LADDER, terms=f'{TERMS}\ntaker_fee = "1%"', limits=limits))

    assert told.binding is told.steps[3]
    assert told.binding.label == "safety order 3"
    assert [one.code for one in told.binding.refusals] == [RefusalCode.MAX_POSITION_SIZE]
    assert told.set_aside == Decimal("60.6")
    assert told.admitted_cash == told.steps[2].cumulated_cash
    assert told.covered_drop == Decimal("0.05")


def test_a_rung_that_is_clipped_is_rehearsed_at_its_clipped_size() -> None:
    """
    10 + 20 + 40 leave room for 30 of the next 80, and for what the others did not spend of their
    sizes; after that there is none.
    """
    ladder, limits = f'{LADDER}\non_excess = "clip"', "max_position_size = 100"

    told = rehearsed(configuration(ladder, terms=f"{TERMS}\ntaker_fee = 0", limits=limits))

    assert [int(step.size) for step in told.steps] == [10, 20, 40, 30, 160]
    assert told.steps[3].size == 100 - told.steps[2].cumulated_cost
    assert told.binding is told.steps[4]
    assert told.admitted_cash == told.steps[3].cumulated_cash <= 100


@pytest.mark.parametrize(("cap", "binding"), [(3, "base order"), (4, "safety order 1")])
def test_the_trades_kept_back_for_the_ladder_out_count(cap: int, binding: str) -> None:
    """
    Three exit rungs keep three trades back: with four in all the base order fits only just.
    """
    leave = """take_profit = [{gain = "10%", sell = "25%"}, {gain = "20%", sell = "50%"},
        {gain = "30%", sell = "rest"}]"""
    portfolio = f'max_daily_trades = {cap}\nexit_reserve = "ladder"'

    told = rehearsed(configuration(LADDER, leave, terms=TERMS, portfolio=portfolio))

    assert told.binding is not None
    assert told.binding.label == binding


# ---- the engine does what was rehearsed


def ladder_from(dial: Dial, leave: str = "") -> str:
    """Return the configuration of a ladder on some instrument, and some of them under a limit."""
    terms = "\n".join(
        (
            f"price_tick = {dial.pick(['0.01', '0.05', '0.5'])}",
            f"quantity_step = {dial.pick(['0.00000001', '0.001'])}",
            f'taker_fee = "{dial.pick(["0%", "0.1%", "0.075%", "3%"])}"',
            f'fee_in = "{dial.pick(["quote", "base"])}"',
        )
    )
    entry = "\n".join(
        (
            'plan = "ladder"',
            f"base_size = {dial.pick(['10', '25.5', '33.33'])}",
            f"safety_size = {dial.pick(['20', '7', '41.7'])}",
            f'deviation = "{dial.pick(["2%", "0.7%", "3.3%"])}"',
            f"step_scale = {dial.pick(['1', '1.5', '0.9'])}",
            f"volume_scale = {dial.pick(['1', '2', '1.3'])}",
            f"max_safety = {dial.pick([3, 1, 5])}",
        )
    )
    slippage = f'slippage = "{dial.pick(["0%", "0.05%", "1%", "4%"])}"'
    limits = LIMITS[dial.pick([0, 0, 1, 2, 3])]
    return configuration(entry, leave, terms=terms, backtest=slippage, limits=limits)


LIMITS: Final = (
    "",
    "max_position_size = 60",
    "max_tranches = 2",
    "min_tranche_size = 8\nmax_tranche_size = 50",
)


@LEAN
@given(dial=dials())
def test_a_path_that_walks_the_ladder_ends_where_it_was_rehearsed(dial: Dial) -> None:
    """
    Prices, quantities, cash, average and break-even are the rehearsal's, to the last digit; the
    first rung that a limit refuses is the one that it named, for the same reasons.
    """
    text = ladder_from(dial)
    told = rehearsed(text)
    bought = told.steps[: told.steps.index(told.binding) if told.binding else None]

    found = walked(text, [step.price for step in told.steps])

    book = only_seat(found).position.book
    fee = bot_of(parse(text, file="test.toml")).instrument.taker_fee
    said = figures(book, taker_fee=fee, mark_price=None)
    refusals = [record.first for record in found.store.records if not record.first.accepted]
    assert [tranche.quantity for tranche in book.tranches] == [step.quantity for step in bought]
    assert [one.reason for one in refusals[:1]] == [one.label for one in [told.binding] if one]
    if told.binding is not None:
        expected = {refusal.code for refusal in told.binding.refusals}
        assert {refusal.code for refusal in refusals[0].refusals} == expected
    if bought:
        assert book.cash_paid == bought[-1].cumulated_cash == 1000 - found.engine.treasury.cash
        assert said.open_cost == bought[-1].cumulated_cost
        assert said.average_entry_price == bought[-1].average_entry_price
        assert said.break_even_price == bought[-1].break_even_price


@LEAN
@given(dial=dials())
def test_where_the_stop_is_met_it_sells_what_was_rehearsed(dial: Dial) -> None:
    """
    Wherever the price turns below a rung, the first rung that is not reached is the one that was
    named, and the stop of the rung above it sells at its price for its loss.
    """
    text = ladder_from(dial, f'stop_loss = "{dial.pick(["12%", "5%", "1.5%", "30%"])}"')
    told = rehearsed(text)
    bought = tuple(takewhile(lambda step: step.taken, told.steps))
    assume(bought)
    last = bought[-1]
    assert last.stop_price is not None

    found = walked(text, [*(step.price for step in bought), min(last.price, last.stop_price)])

    sold = only_seat(found).closed[0]
    assert [tranche.quantity for tranche in sold.book.tranches] == [s.quantity for s in bought]
    assert sold.book.realized_pnl == last.stopped_pnl
    ended = told.steps[len(bought) :][:1]
    assert [one.sold_at for one in ended if one.sold_at is not None] in ([], [last.stop_price])
    assert all(one.price <= last.stop_price for one in ended if one.sold_at is not None)
    assert all(one.price > last.stop_price for one in ended if one.sold_at is None)


def test_a_stop_that_comes_first_is_named_and_covers_no_more() -> None:
    """
    70 bought down to 95 are 0.72513396 units: 6 % below their average lies 90.74, above 90.50.
    An order deeper the average is 93.22, and 11 % below it lies 82.96, which 83.75 comes before.
    """
    reached = rehearsed(configuration(LADDER, 'stop_loss = "11%"', terms=TERMS))
    stopped = rehearsed(configuration(LADDER, 'stop_loss = "6%"', terms=TERMS))

    assert reached.sold_before is None
    assert stopped.sold_before is stopped.steps[3]
    assert stopped.sold_before.sold_at == stopped.steps[2].stop_price == Decimal("90.74")
    assert stopped.covered_drop == Decimal("0.05")
    assert stopped.admitted_cash == stopped.steps[2].cumulated_cash


def test_a_gain_that_comes_first_ends_a_ladder_that_climbs() -> None:
    """
    The next order waits at 105, and 103 sells part: building is over, unless it is resumed. The
    average of both is 102.439, and 3 % above it lies 105.513, which is 105.52 on the tick.
    """
    climbs = 'plan = "ladder"\nbase_size = 10\nlevels = [{drop = "-5%", size = 10}]'
    gain = 'take_profit = [{gain = "3%", sell = "50%"}]'

    once = rehearsed(configuration(climbs, gain, terms=TERMS))
    resumed = rehearsed(configuration(f"{climbs}\nrebuild = true", gain, terms=TERMS))

    assert [step.target_price for step in once.steps] == [103, Decimal("105.52")]
    assert [step.sold_at for step in once.steps] == [None, 103]
    assert [step.sold_at for step in resumed.steps] == [None, None]


def test_the_first_rung_below_the_minimum_is_named() -> None:
    """
    10 is what the exchange takes at least: 7 is not.
    """
    small = LADDER.replace("safety_size = 20", "safety_size = 7")

    told = rehearsed(configuration(small, terms=f"{TERMS}\nmin_notional = 9.9"))

    assert told.too_small is told.steps[1]
    assert told.steps[1].quantity == 0
    assert rehearsed(configuration(LADDER, terms=TERMS)).too_small is None


@LEAN
@given(price=st.integers(100, 10_000_000).map(lambda count: Decimal(count).scaleb(-2)))
def test_no_step_of_a_falling_ladder_lies_above_the_one_before(price: Decimal) -> None:
    """
    Levels are floored to the tick, so two may meet, but none rises.
    """
    prices = [step.price for step in rehearsed(configuration(LADDER, terms=TERMS), price).steps]

    assert prices[0] == price
    assert prices == sorted(prices, reverse=True)
