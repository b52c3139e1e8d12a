import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.cases import Case, cases, rows_from
from backtest.replays import Row, candles_of, fills_of, records_of, replay_of, replayed
from backtest.scripted import MIDNIGHT, ONCE, bot, head
from backtest.scripted import candles_of as hours
from sparing import one_in
from strategies import Dial
from trancher.app.settings import parse
from trancher.backtest.exact import Replayed
from trancher.backtest.inside import SameCandle
from trancher.core.decision import Kind
from trancher.core.events import EntryAccepted, Event, Filled
from trancher.market.candles import Candles

LEAN = one_in(10)


def jumping(text: str, candles: dict[str, Candles], *, jump: bool) -> Replayed:
    """Replay with or without passing over quiet candles."""
    return replay_of(parse(text, file="case.toml"), candles, jump=jump).run()


def story(found: Replayed) -> tuple[object, ...]:
    """Return all that a replay leaves behind."""
    return (
        found.store.journal,
        found.store.records,
        found.engine.treasury.cash,
        found.engine.treasury.trades,
        found.candles,
        found.ambiguous,
    )


@LEAN
@given(case=cases(), order=st.sampled_from(SameCandle))
def test_a_candle_passed_over_changes_nothing(case: Case, order: SameCandle) -> None:
    """
    Every event, every decision and every count is the same as when each candle is visited.
    """
    text = case.text.replace("[backtest]", f'[backtest]\nsame_candle = "{order}"')
    candles = {"ACME/USD": candles_of(case.rows)}

    quick = jumping(text, candles, jump=True)

    assert story(quick) == story(jumping(text, candles, jump=False))


SEVERAL = (
    head(
        portfolio="cash = 200\nmax_active_positions = 2\nmax_daily_trades = 12",
        terms='taker_fee = "0.1%"',
    )
    + bot(
        "ladder",
        'plan = "ladder"\nbase_size = 40\nlevels = [{drop = "3%", size = 40}]',
        'take_profit = [{gain = "3%", sell = "50%"}, {gain = "5%", sell = "rest"}]\n'
        'stop_loss = "6%"',
        limits='reserve_funds = "ladder"',
    )
    + bot(
        "oversold",
        'plan = "dca"\nsize = 30\nevery = "2h"\nmax_tranches = 3\n'
        'start = {indicator = {rsi = "<45"}}\n[bot.signals]\nrsi = {period = 2}',
        'take_profit = [{gain = "2%", sell = "rest"}]\ntime_stop = "9h"',
    )
    + bot(
        "other",
        'plan = "dca"\nsize = 30\ndrop = "2%"\nmax_tranches = 3',
        'take_profit = [{gain = "4%", sell = "rest"}]',
        limits='tranche_cooldown = "40m"',
        symbol="GIZMO/USD",
    )
)
shapes = st.lists(st.integers(0, 2**24 - 1).map(Dial), min_size=15, max_size=80)


@LEAN
@given(one=shapes, two=shapes)
def test_nor_does_it_where_several_bots_share_symbols_and_money(
    one: Sequence[Dial], two: Sequence[Dial]
) -> None:
    """
    Two bots on one symbol, a third on another with candles of another interval.
    """
    candles = {
        "ACME/USD": candles_of(rows_from(one)),
        "GIZMO/USD": candles_of(rows_from(two), interval=timedelta(minutes=45)),
    }

    quick = jumping(SEVERAL, candles, jump=True)

    assert story(quick) == story(jumping(SEVERAL, candles, jump=False))


@LEAN
@given(case=cases())
def test_the_same_input_gives_the_same_journal(case: Case) -> None:
    """
    No clock, no random number, no order of a set stands between.
    """
    first, second = (replayed(case.text, candles_of(case.rows)) for _ in range(2))

    assert story(first) == story(second)


@LEAN
@given(case=cases())
def test_a_coin_of_a_millionth_is_traded_alike(case: Case) -> None:
    """
    Prices and ticks times 1e-6, quantities times 1e6: the same decisions, the same money.
    """
    text = case.text.replace('fee_in = "base"', 'fee_in = "quote"')
    small = re.sub(r"price_tick = (\S+)", lambda m: _times(m, "0.000001"), text)
    small = re.sub(r"(quantity_step|min_quantity) = (\S+)", lambda m: _times(m, "1000000"), small)

    large = replayed(text, candles_of(case.rows))
    tiny = replayed(small, candles_of(case.rows, tick="0.000001"))

    assert [
        (at, side, price * Decimal("1e6"), quantity / Decimal("1e6"), kind)
        for at, side, price, quantity, kind in fills_of(tiny)
    ] == fills_of(large)
    assert records_of(tiny) == records_of(large)
    assert tiny.engine.treasury.cash == large.engine.treasury.cash


def _times(found: re.Match[str], factor: str) -> str:
    key = found[0].partition(" = ")[0]
    return f"{key} = {Decimal(found[found.lastindex or 1]) * Decimal(factor):f}"


@LEAN
@given(case=cases(), disposal=st.sampled_from(["lifo", "hifo", "average"]))
def test_the_disposal_rule_changes_no_decision_and_no_order(case: Case, disposal: str) -> None:
    """
    What an exit consumes in the books is bookkeeping; stops and gains are measured beside it.
    """
    text = case.text.replace("[bot.exit]", f'[bot.exit]\ndisposal = "{disposal}"')

    found = replayed(text, candles_of(case.rows))

    plain = replayed(case.text, candles_of(case.rows))
    assert fills_of(found) == fills_of(plain)
    assert records_of(found) == records_of(plain)
    assert found.engine.treasury.cash == plain.engine.treasury.cash


@LEAN
@given(case=cases())
def test_no_limit_ever_refuses_an_exit(case: Case) -> None:
    """
    Only what the exchange would not take is held back: never a limit, a cooldown or a count.
    """
    found = replayed(case.text, candles_of(case.rows))

    for record in found.store.records:
        if record.first.kind is Kind.EXIT:
            codes = {refusal.code.value for refusal in record.first.refusals}
            assert codes <= {"MIN_NOTIONAL", "MIN_QUANTITY"}


def later(row: Row, candles: int) -> Row:
    """Return a candle, moved on the grid of time."""
    return (row[0] + candles, *row[1:])


def still(place: int, price: int) -> Row:
    """Return a candle in which the price does not move."""
    return (place, price, price, price, price)


@LEAN
@given(case=cases(), before=st.integers(0, 140), within=st.sampled_from([0, 60, 64, 130, 4100]))
def test_nor_does_it_across_the_borders_of_blocks(case: Case, before: int, within: int) -> None:
    """
    The same market, shifted against the blocks of the search and held still in the middle.
    """
    half = len(case.rows) // 2
    first = [later(row, before) for row in case.rows[:half]]
    last = [later(row, before + within) for row in case.rows[half:]]
    begin = [still(place, case.rows[0][1]) for place in range(before)]
    middle = [still(first[-1][0] + 1 + place, first[-1][4]) for place in range(within)]
    candles = {"ACME/USD": candles_of([*begin, *first, *middle, *last])}

    quick = jumping(case.text, candles, jump=True)

    assert story(quick) == story(jumping(case.text, candles, jump=False))


@pytest.mark.parametrize("place", [2, 63, 64, 65, 66, 127, 128, 4095, 4096, 4097, 4160, 8192])
def test_a_long_quiet_time_ends_exactly_where_something_happens(place: int) -> None:
    """
    One candle among 9,000 touches the stop, wherever a search for it may begin or end.
    """
    candles = [(100, 100, 100, 100)] * 9000
    candles[place] = (100, 100, 90, 100)
    text = head() + bot("bot", ONCE, 'stop_loss = "10%"')

    found = replay_of(parse(text, file="t.toml"), {"ACME/USD": hours(candles)}).run()

    sold = [e.event.fill for e in found.store.journal if isinstance(e.event, Filled)][1]
    assert sold.at == MIDNIGHT + timedelta(hours=place + 1, microseconds=-1)
    assert sold.price == 90


# ---- several symbols


def both(first: int, second: int) -> dict[str, Candles]:
    """Return quiet candles at 100: one symbol hourly, the other by quarters of an hour."""
    return {
        "ACME/USD": hours([(100, 100, 100, 100)] * first),
        "GIZMO/USD": hours([(100, 100, 100, 100)] * second, interval=timedelta(minutes=15)),
    }


GIZMO = '[instrument."GIZMO/USD"]\nprice_tick = 1\nquantity_step = 0.01\ntaker_fee = 0\n'


def events_of(found: Replayed, kind: type[Event]) -> list[Event]:
    """Return the events of one kind, in the order of the journal."""
    return [entry.event for entry in found.store.journal if isinstance(entry.event, kind)]


def test_symbols_of_different_intervals_are_played_in_order_of_time() -> None:
    """
    The quarter-hourly bot, though named last, decides at 00:15, the hourly one at 01:00.
    """
    text = (
        head()
        + GIZMO
        + bot("hourly", ONCE, 'time_stop = "1h"')
        + bot("quarterly", ONCE, 'time_stop = "15m"', symbol="GIZMO/USD")
    )

    found = replay_of(parse(text, file="t.toml"), both(5, 20)).run()

    accepted = [event.at for event in events_of(found, EntryAccepted)]
    filled = [event.at for event in events_of(found, Filled)]
    assert accepted == sorted(accepted)
    assert filled == sorted(filled)
    assert len(filled) > 10
    assert [entry.position_id for entry in found.store.journal][:3] == ["quarterly-1"] * 3


@pytest.mark.parametrize("names", [("first", "second"), ("second", "first")])
@pytest.mark.parametrize("symbol", ["ACME/USD", "GIZMO/USD"])
def test_of_two_bots_at_the_same_time_the_configuration_s_first_is_served(
    names: tuple[str, str], symbol: str
) -> None:
    """
    One position is allowed over all bots; on one symbol or on two, the order of the file decides.
    """
    text = head(portfolio="max_active_positions = 1") + GIZMO
    text += bot(names[0], ONCE) + bot(names[1], ONCE, symbol=symbol)
    candles = {
        one: hours([(100, 100, 100, 100)] * 3) for one in dict.fromkeys(["ACME/USD", symbol])
    }

    found = replay_of(parse(text, file="t.toml"), candles).run()

    bought = {name: seat.position.held for name, seat in found.engine.seats.items()}
    assert bought == {names[0]: Decimal(1), names[1]: Decimal(0)}
    refusals = [record for record in found.store.records if not record.first.accepted]
    assert [(one.first.bot, one.count) for one in refusals] == [(names[1], 2)]
    assert refusals[0].first.refusals[0].code.value == "MAX_ACTIVE_POSITIONS"


def test_progress_ends_with_every_candle() -> None:
    """
    Whoever draws a bar sees it reach its end, and never run backwards.
    """
    seen: list[tuple[int, int]] = []
    text = head() + GIZMO + bot("a", ONCE) + bot("b", ONCE, symbol="GIZMO/USD")

    found = replay_of(parse(text, file="t.toml"), both(300, 1200)).run(
        lambda done, whole: seen.append((done, whole))
    )

    assert found.candles == 1500
    assert seen[-1] == (1500, 1500)
    assert seen == sorted(seen)
