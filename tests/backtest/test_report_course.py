"""The course of a replay: what its journal gives again is what the engine had."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from backtest.cases import rows_from
from backtest.everything import everything
from backtest.replays import SYMBOL, Row, replay_of
from backtest.replays import candles_of as candles_on
from backtest.scripted import BOUGHT_AT_100, MIDNIGHT, Prices, candles_of, configuration
from sparing import one_in
from strategies import Dial, dials
from trancher.app.settings import parse
from trancher.backtest.exact import Replayed
from trancher.backtest.feed import Feed
from trancher.backtest.report_course import Course, Lines, course
from trancher.backtest.report_equity import Equity, performance
from trancher.backtest.report_groups import (
    by_hour,
    by_number,
    by_reason,
    by_signal,
    by_temperature,
    grouped,
)
from trancher.backtest.report_months import months
from trancher.backtest.report_refused import refused
from trancher.backtest.report_rules import RULES, by_disposal, by_tranche, ruled
from trancher.backtest.summary import summaries, total
from trancher.core.lifecycle import State
from trancher.core.limits import RefusalCode
from trancher.core.money import EXACT
from trancher.core.order import BotName, PositionId
from trancher.core.pnl import pnl_by_tranche
from trancher.core.watch import watch
from trancher.market.candles import Candles

LEAN = one_in(10)
CASH = Decimal(1000)
paths = st.lists(st.integers(0, 2**24 - 1).map(Dial), min_size=12, max_size=60).map(rows_from)


def followed(text: str, candles: Candles) -> tuple[Replayed, Course, dict[str, Feed]]:
    """Return a replay and its course."""
    said = parse(text, file="case.toml")
    done = replay_of(said, {SYMBOL: candles}).run()
    feeds = {SYMBOL: Feed(SYMBOL, candles)}
    return (
        done,
        course(
            [(entry.position_id, entry.event) for entry in done.store.journal],
            bots={name: seat.bot for name, seat in done.engine.seats.items()},
            feeds=feeds,
            cash=CASH,
            intracandle=said.backtest.evaluate == "intracandle",
        ),
        feeds,
    )


def lines_of(leave: str, *prices: Prices) -> list[tuple[int, Lines]]:
    """Return the lines of a bot that buys one unit at 100 at one o'clock, by the hour."""
    text = configuration('plan = "dca"\nsize = 100\nmax_tranches = 1\nevery = "1d"', leave)
    _, steps, _ = followed(text, candles_of((*BOUGHT_AT_100, *prices)))
    hour = timedelta(hours=1)
    return [(-((MIDNIGHT - at) // hour), one) for at, one in steps.lines[PositionId("bot-1")]]


@LEAN
@given(dial=dials(), path=paths)
def test_money_ends_where_the_engine_did(dial: Dial, path: Sequence[Row]) -> None:
    """
    Cash, reservations of working orders and rungs, and what is held: folded from the journal
    alone they are what the treasury and the books say, whatever the bot uses.
    """
    done, steps, _ = followed(everything(dial), candles_on(path))

    if not steps.money:
        assert done.store.journal == []
        return
    (_, last), treasury = steps.money[-1], done.engine.treasury
    assert last.cash == treasury.cash
    assert last.reserved == EXACT.subtract(treasury.cash, treasury.free_cash(but=None))
    assert last.used == total(summaries(done)).open_cost
    assert last.held[SYMBOL] == sum(seat.position.held for seat in done.engine.seats.values())


@LEAN
@given(dial=dials(), path=paths)
def test_the_lines_end_where_the_position_waits(dial: Dial, path: Sequence[Row]) -> None:
    """
    Candle by candle from the last entry on, the peak comes to what the replay told the position
    at the end; so the levels drawn last are those that it waits for.
    """
    done, steps, _ = followed(everything(dial), candles_on(path))

    for seat in done.engine.seats.values():
        position = seat.position
        if position.state is State.CLOSED or position.held == 0:
            continue
        _, last = steps.lines[position.id][-1]
        seen = watch(seat.bot, position, position.trailing_peak)
        assert (last.losses, last.gains) == (seen.losses, seen.gains)


@LEAN
@given(dial=dials(), path=paths)
def test_equity_ends_at_what_cash_and_holdings_are_worth(dial: Dial, path: Sequence[Row]) -> None:
    """
    The curve ends at the cash at the start, the profit, and the dust that lies beside it; its
    drawdowns are the deepest of any close, found here one by one on decimals.
    """
    done, steps, feeds = followed(everything(dial), candles_on(path))
    equity = Equity(steps, feeds, CASH)
    said = total(summaries(done))

    points = equity.points(most=7)
    worth = [equity.value(index) for index in range(len(equity))]
    peak, falls = CASH, list[Decimal]()
    for value in worth:
        peak = max(peak, value)
        falls.append(1 - value / peak)
    assert points[-1].equity == worth[-1] == CASH + said.net_pnl - said.dust_cost
    assert abs(equity.deepest_fall().ratio - max(falls)) < Decimal("1e-15")
    assert abs(max(point.drawdown for point in points) - max(falls)) < Decimal("1e-15")


@LEAN
@given(dial=dials(), path=paths)
def test_groups_and_months_lose_nothing(dial: Dial, path: Sequence[Row]) -> None:
    """
    However tranches and exits are grouped, the parts add up to the whole, exactly; and the
    months lead from the cash at the start to the equity at the end.
    """
    done, steps, feeds = followed(everything(dial), candles_on(path))
    bots, equity = summaries(done), Equity(steps, feeds, CASH)
    said, zone = total(bots), MIDNIGHT.tzinfo
    assert zone is not None

    for key in (by_number, by_reason, by_signal, by_temperature, by_hour(zone)):
        groups = grouped(bots, key)
        assert sum(one.realized_pnl for one in groups) == said.realized_pnl
        assert sum(one.realized_gross for one in groups) == said.realized_gross
        assert sum(one.unrealized_net for one in groups) == said.unrealized_net
    daily = tuple(equity.daily(zone))
    told = months(bots, start=CASH, daily=daily, last=daily[-1][0], zone=zone)
    assert sum(one.realized_pnl for one in told) == said.realized_pnl
    assert sum(one.entries for one in told) == said.entries
    assert sum(one.exits for one in told) == said.exits
    assert CASH + sum(one.change for one in told if one.change is not None) == equity.value(
        len(equity) - 1
    )


@LEAN
@given(dial=dials(), path=paths)
def test_every_disposal_rule_ends_with_the_same_money(dial: Dial, path: Sequence[Row]) -> None:
    """
    Realized and unrealized may trade places, but for the dust: it keeps the cost it had. The
    bot's own rule gives the figures of its books.
    """
    done, _, _ = followed(everything(dial), candles_on(path))
    said, mark = total(summaries(done)), done.last_prices[SYMBOL]
    bots = {name: seat.bot for name, seat in done.engine.seats.items()}
    journal = [(entry.position_id, entry.event) for entry in done.store.journal]

    under = ruled(journal, bots)
    rules = by_disposal(under, {BotName("bot"): mark})

    assert [(one.bot, one.disposal) for one in rules] == [
        (bot, rule) for bot in (None, "bot") for rule in RULES
    ]
    for one in rules:
        assert one.realized_pnl + one.unrealized_net - one.dust_cost == (
            said.net_pnl - said.dust_cost
        )
    kept = next(one for one in rules if one.disposal is bots[BotName("bot")].disposal)
    assert (kept.realized_pnl, kept.realized_gross) == (said.realized_pnl, said.realized_gross)
    assert (kept.unrealized_net, kept.open_cost) == (said.unrealized_net, said.open_cost)
    earned = {
        (position.id, tranche.id): pnl_by_tranche(position.book, mark_price=mark)[tranche.id]
        for bot in summaries(done)
        for position in bot.positions
        for tranche in position.book.tranches
    }
    told = {(one.position_id, one.tranche): one for one in by_tranche(under)}
    assert told.keys() == earned.keys()
    for key, own in told.items():
        assert getattr(own, kept.disposal.value) == earned[key].realized_pnl


@LEAN
@given(dial=dials(), path=paths)
def test_what_was_refused_loses_no_refusal(dial: Dial, path: Sequence[Row]) -> None:
    """
    By position, rung and reasons, each row from its first time to its last: the counts of each
    code add up to those of the engine.
    """
    done, _, _ = followed(everything(dial), candles_on(path))

    rows = refused(done.store.records)
    counted = Counter[RefusalCode]()
    for row in rows:
        assert row.first_at <= row.last_at
        for reason in row.refusals:
            counted[reason.code] += row.count
    assert counted == sum((bot.refusals for bot in summaries(done)), Counter[RefusalCode]())
    assert [row.first_at for row in rows] == sorted(row.first_at for row in rows)


def test_a_stop_is_drawn_where_it_stood() -> None:
    """
    Bought at 100: the stop stands at 90 and the gain at 120 from the fill on, until all is sold.
    """
    leave = 'take_profit = [{gain = "20%", sell = "rest"}]\nstop_loss = "10%"'

    bought, sold = lines_of(leave, (100, 110, 100, 110), (110, 110, 90, 95))

    assert bought[0] == 1
    assert bought[1].losses == (Decimal(90),)
    assert bought[1].gains == (Decimal(120),)
    assert bought[1].average == bought[1].break_even == bought[1].anchor == 100
    assert sold[0] == 4
    assert sold[1] == Lines(
        average=None, break_even=None, anchor=None, losses=(), gains=(), entries=()
    )


def test_a_trailing_stop_is_drawn_as_it_climbs() -> None:
    """
    Bought at 100, it trails the highest price of closed candles by a tenth: 110 gives 99 at the
    third close, 120 gives 108 at the fourth; a lower candle moves nothing.
    """
    leave = 'trailing_stop = {activate = "5%", trail = "10%"}'

    steps = lines_of(leave, (100, 110, 100, 110), (110, 120, 110, 120), (120, 120, 115, 116))

    assert [(hour, one.losses) for hour, one in steps if one.losses] == [
        (3, (Decimal(99),)),
        (4, (Decimal(108),)),
    ]


def test_performance_is_the_arithmetic_of_daily_equity() -> None:
    """
    A unit bought at 100 of 1000: equity 1000, 1010, 1000, 1020 at four midnights. Returns 0, 1 %,
    -0.990 %, 2 %; the fall from 1010 to 1000 is 10/1010, and took a day to make good.
    """
    text = configuration('plan = "dca"\nsize = 100\nmax_tranches = 1\nevery = "1d"')
    prices: tuple[Prices, ...] = (
        (100,) * 4,
        (100, 110, 100, 110),
        (110, 110, 100, 100),
        (100, 120, 100, 120),
    )
    _, steps, feeds = followed(text, candles_of(prices, interval=timedelta(days=1)))
    equity = Equity(steps, feeds, CASH)
    zone = MIDNIGHT.tzinfo
    assert zone is not None
    daily = tuple(equity.daily(zone))

    said = performance(CASH, daily, equity)

    assert [value for _, value in daily] == [1000, 1010, 1000, 1020]
    returns = [0, 10 / 1000, -10 / 1010, 20 / 1000]
    mean = sum(returns) / 4
    spread = (sum((one - mean) ** 2 for one in returns) / 3) ** 0.5
    downside = ((10 / 1010) ** 2 / 4) ** 0.5
    assert said.days == 4
    assert _near(said.sharpe, mean / spread * 365**0.5)
    assert _near(said.sortino, mean / downside * 365**0.5)
    assert _near(said.yearly_return, 1.02 ** (365 / 4) - 1)
    assert _near(said.calmar, (1.02 ** (365 / 4) - 1) / (10 / 1010))
    assert (said.longest_under_water, said.recovered) == (timedelta(days=2), True)
    assert equity.deepest_fall().ratio == 1 - EXACT.create_decimal("0.99009900990099009901")


def test_equity_that_never_moved_has_no_ratio() -> None:
    """
    Nothing bought: there is no spread, no downside and no fall to divide by, and none is invented.
    """
    text = configuration('plan = "dca"\nsize = 100\nmax_tranches = 1\nevery = "1d"')
    text = text.replace("cash = 1000", "cash = 1000\nmax_daily_trades = 0", 1)
    text = text.replace('max_daily_trades = "off"\n', "", 1)
    done, steps, feeds = followed(text, candles_of(BOUGHT_AT_100))
    equity = Equity(steps, feeds, CASH)
    zone = MIDNIGHT.tzinfo
    assert zone is not None

    said = performance(CASH, tuple(equity.daily(zone)), equity)

    assert done.store.journal == []
    assert (said.sharpe, said.sortino, said.calmar) == (None, None, None)
    assert (said.longest_under_water, said.recovered) == (timedelta(0), True)


def _near(found: float | None, expected: float) -> bool:
    return found is not None and abs(found - expected) < 1e-9 * max(1, abs(expected))


def test_dust_that_was_swept_up_is_a_group_of_its_own() -> None:
    """
    A tenth is what can be sold, and a fee in base leaves 0.96 of 1: the second position sells what
    the first left over. Every grouping still adds up, and so does every disposal rule.
    """
    text = configuration(
        'plan = "dca"\nsize = 100\nmax_tranches = 1',
        'take_profit = [{gain = "10%", sell = "rest"}]',
        terms='fee_in = "base"\ntaker_fee = "4%"\nmaker_fee = 0\nquantity_step = 0.1',
    )
    rows: list[Prices] = [*BOUGHT_AT_100, (100, 120, 100, 100)]
    done, steps, feeds = followed(text, candles_of(rows * 4))
    bots, equity = summaries(done), Equity(steps, feeds, CASH)
    said = total(bots)

    groups = grouped(bots, by_number)
    under = ruled(
        [(entry.position_id, entry.event) for entry in done.store.journal],
        {name: seat.bot for name, seat in done.engine.seats.items()},
    )
    rules = by_disposal(under, {BotName("bot"): done.last_prices[SYMBOL]})
    assert [one.key for one in groups] == ["1", "dust swept up"]
    assert groups[1].tranches == 0
    assert groups[1].realized_pnl > 0
    assert sum(one.realized_pnl for one in groups) == said.realized_pnl
    assert {one.realized_pnl for one in rules} == {said.realized_pnl}
    assert {one.dust_cost for one in rules} == {said.dust_cost}
    assert equity.value(len(equity) - 1) == CASH + said.net_pnl - said.dust_cost
