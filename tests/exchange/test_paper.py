from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.contract import BOT, NOON, SYMBOL, ExchangeContract, buy, sell
from trancher.core.events import Filled, OrderEnded
from trancher.core.instrument import FeeIn, Instrument
from trancher.core.order import BotName, EntryOrder, Fill, Order
from trancher.exchange.paper import PaperExchange

LATER = NOON + timedelta(hours=1)
OTHER = BotName("other")
ACME = Instrument(
    symbol=SYMBOL,
    price_tick=Decimal("0.5"),
    quantity_step=Decimal("0.01"),
    min_notional=Decimal(10),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.002"),
)


def paper(instrument: Instrument = ACME, *, slippage: str = "0") -> PaperExchange:
    """Return a paper exchange for one instrument."""
    return PaperExchange({instrument.symbol: instrument}, slippage=Decimal(slippage))


def opened(exchange: PaperExchange, order: Order, price: str) -> Fill:
    """Send an order, open at a price, and return its fill."""
    exchange.send(order)
    exchange.open(BOT, Decimal(price), LATER)
    filled, ended = exchange.reports()
    assert isinstance(filled, Filled)
    assert isinstance(ended, OrderEnded)
    return filled.fill


class TestPaperExchange(ExchangeContract):
    """The contract, on opening prices."""

    @pytest.fixture(autouse=True)
    def market(self) -> None:
        self.exchange = self._paper = paper()

    def move_to(self, price: str) -> None:
        self._paper.open(BOT, Decimal(price), LATER)


@pytest.mark.parametrize(
    ("order", "price", "met", "fee"),
    [
        (buy(), "100.1", "101.5", "0.19894"),
        (sell(), "100.1", "99", "0.198"),
        (sell(limit="100"), "100", "100", "0.1"),
    ],
)
def test_a_market_order_slips_against_us_and_a_limit_order_does_not(
    order: Order, price: str, met: str, fee: str
) -> None:
    """
    1 % of 100.1, rounded against us to half a unit: 101.101 to 101.5, 99.099 to 99. The taker pays
    0.2 %, the maker at his limit 0.1 %. 100 buys 0.98 @ 101.5, which is 99.47.
    """
    fill = opened(paper(slippage="0.01"), order, price)

    assert (fill.price, fill.fee) == (Decimal(met), Decimal(fee))
    assert (fill.fee_asset, fill.at) == ("USD", LATER)


def test_a_sale_never_meets_less_than_one_tick() -> None:
    """
    0.5 less 90 % slippage would be nothing at all.
    """
    coarse = replace(ACME, min_notional=Decimal(0))

    assert opened(paper(coarse, slippage="0.9"), sell(), "0.5").price == Decimal("0.5")


def test_a_fee_is_rounded_up_to_the_quantum_of_its_asset() -> None:
    """
    0.98 x 101.5 x 0.333333333333 % has more than ten decimals; in base 0.98 x that has more than
    twelve.
    """
    odd = replace(ACME, taker_fee=Decimal("0.00333333333333"))

    in_quote = opened(paper(odd), buy(), "101.5")
    in_base = opened(paper(replace(odd, fee_in=FeeIn.BASE)), buy(), "101.5")

    assert (in_quote.fee, in_quote.fee_asset) == (Decimal("0.3315666667"), "USD")
    assert (in_base.fee, in_base.fee_asset) == (Decimal("0.003266666667"), "ACME")


def test_the_fee_of_a_sale_is_taken_in_quote_even_where_that_of_a_buy_is_not() -> None:
    """
    The setting speaks of buys.
    """
    fill = opened(paper(replace(ACME, fee_in=FeeIn.BASE)), sell(), "100")

    assert (fill.fee, fill.fee_asset) == (Decimal("0.2"), "USD")


def test_an_order_waits_for_the_next_opening_that_its_own_bot_is_shown() -> None:
    """
    What another bot is shown, be it of the same symbol, is no price for it.
    """
    exchange = paper()
    exchange.send(buy())

    exchange.open(OTHER, Decimal(100), LATER)

    assert list(exchange.reports()) == []
    assert (exchange.waits(BOT), exchange.waits(OTHER)) == (True, False)


def resting(*, limit: str = "90", until: datetime = LATER) -> PaperExchange:
    """Return an exchange at which one order of BOT rests."""
    exchange = paper()
    exchange.send(at_limit(limit, until))
    exchange.open(BOT, Decimal(100), NOON)
    return exchange


def at_limit(limit: str, until: datetime) -> EntryOrder:
    """Return an order to buy at `limit` or below."""
    return replace(buy(), limit_price=Decimal(limit), expires_at=until)


def test_what_rests_neither_fills_nor_expires_while_another_bot_acts() -> None:
    """
    The other bot looks at a level of its own, which the price met first or last; nobody knows.
    """
    exchange = resting()

    exchange.touch(OTHER, Decimal(80), NOON)
    exchange.meet(OTHER)
    exchange.leave(OTHER)
    exchange.expire(OTHER, LATER)

    assert list(exchange.reports()) == []


def test_what_rests_fills_at_the_price_that_its_own_bot_is_shown() -> None:
    """
    Where both levels were touched, each has its own price.
    """
    exchange = resting()
    exchange.touch(OTHER, Decimal(80), NOON)

    exchange.touch(BOT, Decimal(90), NOON)
    exchange.meet(BOT)

    filled, _ = exchange.reports()
    assert isinstance(filled, Filled)
    assert filled.fill.price == 90


def test_what_a_bot_sends_does_not_meet_the_price_that_another_is_shown() -> None:
    """
    It waits for its own next opening price.
    """
    exchange = paper()
    exchange.touch(OTHER, Decimal(80), LATER)

    exchange.send(buy())

    assert exchange.waits(BOT)


def test_orders_fill_in_the_order_in_which_they_came() -> None:
    """
    The first come is served first, and reported first.
    """
    exchange = paper()
    for name in ("b2", "b1", "b3"):
        exchange.send(buy(name))

    exchange.open(BOT, Decimal(100), LATER)

    filled = [one.order_id for one in exchange.reports() if isinstance(one, Filled)]
    assert filled == ["b2", "b1", "b3"]


def test_while_a_price_is_touched_orders_fill_at_it_at_once() -> None:
    """
    Afterwards they wait again.
    """
    exchange = paper()
    exchange.touch(BOT, Decimal(95), LATER)

    exchange.send(sell("s1"))
    exchange.leave(BOT)
    exchange.send(sell("s2"))

    filled, ended = exchange.reports()
    assert isinstance(filled, Filled)
    assert filled.order_id == "s1"
    assert (filled.fill.price, filled.fill.at) == (Decimal(95), LATER)
    assert isinstance(ended, OrderEnded)
    assert exchange.waits(BOT)


def test_a_cancel_is_dated_by_what_the_exchange_saw_last() -> None:
    """
    There is no clock: the order's own decision is the latest it knows of.
    """
    exchange = paper()
    exchange.send(buy())

    exchange.cancel(buy().client_order_id)

    (ended,) = exchange.reports()
    assert ended == OrderEnded(order_id=buy().client_order_id, reason="canceled", at=NOON)
    assert not exchange.waits(BOT)


def test_a_cancel_inside_a_candle_is_dated_by_the_price_touched() -> None:
    """
    Not by what the exchange had seen before, which is as long ago as the last quiet candle.
    """
    exchange = resting(until=LATER + timedelta(hours=1))
    exchange.touch(BOT, Decimal(110), LATER)

    exchange.cancel(buy().client_order_id)

    (ended,) = exchange.reports()
    assert ended.at == LATER


def test_all_orders_end_when_no_price_will_come() -> None:
    """
    Every waiting order is told about, at the time that is said.
    """
    exchange = paper()
    exchange.send(buy("b1"))
    exchange.send(sell("s1"))

    exchange.cancel_all(LATER)

    ends = [(one.order_id, one.at) for one in exchange.reports()]
    assert ends == [("b1", LATER), ("s1", LATER)]


def test_what_the_minimums_forbid_at_the_price_met_is_rejected() -> None:
    """
    12 @ 100 is enough; slipped to 150 the floored quantity is worth 12 again, but one step of 0.1
    makes it 0.
    """
    coarse = replace(ACME, quantity_step=Decimal("0.1"))
    exchange = paper(coarse, slippage="0.5")
    exchange.send(buy(size="12"))

    exchange.open(BOT, Decimal(100), LATER)

    (ended,) = exchange.reports()
    assert isinstance(ended, OrderEnded)
    assert ended.reason.startswith("rejected")


@given(
    size=st.integers(1_000, 1_000_000).map(lambda cents: Decimal(cents).scaleb(-2)),
    price=st.integers(1, 100_000).map(lambda ticks: Decimal(ticks) / 2),
    slippage=st.integers(0, 99).map(lambda percent: Decimal(percent).scaleb(-2)),
    taker=st.integers(0, 9_999).map(lambda parts: Decimal(parts).scaleb(-5)),
    fee_in=st.sampled_from(FeeIn),
)
def test_a_purchase_obeys_the_rules_of_the_instrument(
    size: Decimal, price: Decimal, slippage: Decimal, taker: Decimal, fee_in: FeeIn
) -> None:
    """
    On the tick and never better than seen, on the step, at most its size and less than a step
    below it; the fee is at least its share and less than a quantum more.
    """
    instrument = replace(ACME, min_notional=Decimal(0), taker_fee=taker, fee_in=fee_in)
    exchange = PaperExchange({SYMBOL: instrument}, slippage=slippage)
    exchange.send(buy(size=str(size)))

    exchange.open(BOT, price, LATER)

    for report in exchange.reports():
        if isinstance(report, Filled):
            fill = report.fill
            assert fill.price % instrument.price_tick == 0
            assert 0 <= fill.price - price * (1 + slippage) < instrument.price_tick
            assert fill.quantity % instrument.quantity_step == 0
            rest = size - fill.price * fill.quantity
            assert 0 <= rest < fill.price * instrument.quantity_step
            in_base = fee_in is FeeIn.BASE
            share = fill.quantity * taker * (1 if in_base else fill.price)
            assert 0 <= fill.fee - share < (Decimal("1e-12") if in_base else Decimal("1e-10"))
