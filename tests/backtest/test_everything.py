"""What holds of every backtest, whatever it uses: properties over random configurations."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from backtest.cases import rows_from
from backtest.everything import OTHER, everything, several
from backtest.replays import FIRST, INTERVAL, SYMBOL, Row, candles_of, replay_of
from sparing import one_in
from strategies import Dial, dials
from trancher.app.settings import parse
from trancher.backtest.exact import Replayed
from trancher.backtest.summary import books_balance, summaries
from trancher.core.decision import Kind
from trancher.core.events import EntryAccepted, ExitAccepted, Filled, OrderEnded
from trancher.core.money import EXACT
from trancher.core.order import Side
from trancher.core.signals import RISING

LEAN = one_in(10)
CANDLE = timedelta(minutes=INTERVAL)
paths = st.lists(st.integers(0, 2**24 - 1).map(Dial), min_size=12, max_size=60).map(rows_from)


def run(
    text: str, path: Sequence[Row], other: Sequence[Row] = (), *, jump: bool = True
) -> Replayed:
    """Replay a configuration over a random path, and another for what trades the other symbol."""
    candles = {SYMBOL: candles_of(path)}
    if other:
        candles[OTHER] = candles_of(other)
    return replay_of(parse(text, file="case.toml"), candles, jump=jump).run()


def story(found: Replayed) -> tuple[object, ...]:
    """Return all that a replay leaves behind."""
    treasury = found.engine.treasury
    return (
        found.store.journal,
        found.store.records,
        (treasury.cash, treasury.trades),
        (found.candles, found.ambiguous),
    )


@LEAN
@given(dial=dials(), path=paths)
def test_a_candle_passed_over_changes_nothing(dial: Dial, path: Sequence[Row]) -> None:
    """
    Trailing peaks, orders that rest and expire, windows, scores and events: the journal is the
    same, event for event, as when every candle is visited.
    """
    text = everything(dial)

    assert story(run(text, path)) == story(run(text, path, jump=False))


@LEAN
@given(bots=st.lists(dials(), min_size=2, max_size=3), path=paths, other=paths)
def test_nor_does_it_where_several_bots_have_orders_at_rest(
    bots: Sequence[Dial], path: Sequence[Row], other: Sequence[Row]
) -> None:
    """
    Bots on one symbol look at its candles at their own times; neither fills, expires or hurries
    what another has at rest, whatever lies between them.
    """
    text = several(bots)

    assert story(run(text, path, other)) == story(run(text, path, other, jump=False))


@LEAN
@given(dial=dials(), path=paths, drawdown=st.booleans())
def test_the_books_balance_and_nothing_is_oversold(
    dial: Dial, path: Sequence[Row], *, drawdown: bool
) -> None:
    """
    Every position's identity, and all of them with the cash, to the last digit; what works to be
    sold is never more than what is held.
    """
    done = run(everything(dial, drawdown=drawdown), path)

    assert books_balance(
        summaries(done), cash_before=Decimal(1000), cash_after=done.engine.treasury.cash
    )
    held, selling = Decimal(0), dict[str, Decimal]()
    for entry in done.store.journal:
        match entry.event:
            case ExitAccepted(order=order):
                selling[order.client_order_id] = order.quantity
            case Filled(fill=fill) if fill.side is Side.BUY:
                held = EXACT.add(held, fill.quantity)
            case Filled(order_id=order_id, fill=fill):
                held = EXACT.subtract(held, fill.quantity)
                selling[order_id] = EXACT.subtract(selling[order_id], fill.quantity)
            case OrderEnded(order_id=order_id):
                selling.pop(order_id, None)
            case _:
                pass
        assert sum(selling.values()) <= held


@LEAN
@given(dial=dials(), path=paths)
def test_no_exit_is_refused_but_for_the_size_that_the_exchange_takes(
    dial: Dial, path: Sequence[Row]
) -> None:
    """
    No limit, cooldown, temperature, loss or count ever stands in the way out.
    """
    done = run(everything(dial, drawdown=True), path)

    codes = {
        refusal.code.value
        for record in done.store.records
        if record.first.kind is Kind.EXIT
        for refusal in record.first.refusals
    }
    assert codes <= {"MIN_NOTIONAL", "MIN_QUANTITY"}


@LEAN
@given(bots=st.lists(dials(), min_size=1, max_size=2), path=paths, other=paths)
def test_no_event_is_dated_before_the_candle_of_the_one_before_it(
    bots: Sequence[Dial], path: Sequence[Row], other: Sequence[Row]
) -> None:
    """
    Inside a candle the order is assumed, and what fills at its open keeps the time of the open;
    a cancellation is never dated before the decision that it follows.
    """
    done = run(several(bots), path, other)

    latest = dict[str, datetime]()
    for entry in done.store.journal:
        bot, _, _ = entry.position_id.rpartition("-")
        at, before = entry.event.at, latest.get(bot, FIRST)
        assert at >= FIRST + (before - FIRST) // CANDLE * CANDLE
        if isinstance(entry.event, OrderEnded) and entry.event.reason == "canceled":
            assert at >= before
        latest[bot] = at


@LEAN
@given(dial=dials(), path=paths)
def test_a_rung_is_used_as_often_as_it_may(dial: Dial, path: Sequence[Row]) -> None:
    """
    Once for each of its repeats, and once more each time it was re-armed, which has its own bound.
    """
    done = run(everything(dial), path)

    for seat in done.engine.seats.values():
        plan = seat.bot.plan
        for position in (*seat.closed, seat.position):
            for index, uses in position.rung_uses.items():
                rearmed = 0 if plan.rearm is None else len(position.sold)
                most = rearmed if plan.rearm is None else min(rearmed, plan.rearm.times or rearmed)
                assert uses <= plan.entries[index].repeat + most


@LEAN
@given(dial=dials(), path=paths)
def test_every_refusal_says_what_is_missing_and_what_ends_it(
    dial: Dial, path: Sequence[Row]
) -> None:
    """
    A trader reads the number, the limit, and a time or a condition.
    """
    done = run(everything(dial, drawdown=True), path)

    for record in done.store.records:
        for refusal in record.first.refusals:
            assert refusal.missing >= 0
            assert refusal.unblocks_at is not None or refusal.unblocks_when
            assert refusal.unblocks_at is None or refusal.unblocks_at > record.first.at


@LEAN
@given(dial=dials(), path=paths)
def test_a_tranche_keeps_what_the_signals_said(dial: Dial, path: Sequence[Row]) -> None:
    """
    Score, temperature and each contribution; a rung that needs a temperature was bought in it.
    """
    done = run(everything(dial), path)

    for seat in done.engine.seats.values():
        for position in (*seat.closed, seat.position):
            for tranche in position.book.tranches:
                evidence = tranche.evidence
                assert evidence is not None
                assert set(evidence.contributions) == {"rsi", "price_drop"}
                least = seat.bot.plan.entries[tranche.rung].min_temperature
                assert least is None or evidence.temperature.rank >= RISING.index(least)


@LEAN
@given(dial=dials(), path=paths)
def test_entries_keep_their_distance(dial: Dial, path: Sequence[Row]) -> None:
    """
    At most one entry order works at a time, whatever kind of order it is.
    """
    done = run(everything(dial), path)

    working: str | None = None
    for entry in done.store.journal:
        if isinstance(entry.event, EntryAccepted):
            assert working is None
            working = entry.event.order.client_order_id
        elif isinstance(entry.event, OrderEnded) and entry.event.order_id == working:
            working = None


@LEAN
@given(dial=dials(), path=paths)
def test_a_coin_of_a_millionth_is_traded_alike(dial: Dial, path: Sequence[Row]) -> None:
    """
    Prices and ticks times 1e-6, quantities times 1e6: scores, events, trails and limits decide the
    same, and earn the same money. A cap on the volume is left out: the candles keep theirs.
    """
    text = re.sub(r"participation = .*", 'participation = "off"', everything(dial))
    small = text.replace("price_tick = 1\n", "price_tick = 0.000001\n").replace(
        "quantity_step = 0.01\n", "quantity_step = 10000\n"
    )
    candles = {SYMBOL: candles_of(path, tick="0.000001")}

    large = run(text, path)
    tiny = replay_of(parse(small, file="case.toml"), candles).run()

    assert tiny.engine.treasury.cash == large.engine.treasury.cash
    assert [one.event.at for one in tiny.store.journal] == [
        one.event.at for one in large.store.journal
    ]
    assert decisions_of(tiny) == decisions_of(large)


def decisions_of(done: Replayed) -> list[tuple[object, ...]]:
    """Return what every decision was, but for prices and quantities."""
    return [
        (
            record.first.kind,
            record.first.at,
            record.last.at,
            record.count,
            record.first.reason,
            tuple(refusal.code for refusal in record.first.refusals),
            getattr(record.first.order, "size", None),
        )
        for record in done.store.records
    ]
