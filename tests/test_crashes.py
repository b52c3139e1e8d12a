"""The crashes of May 2021 and of 2022, minute by minute, for each of the four patterns.

Limits hold through them, every refusal says what ends it, and the books balance to the last digit.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from candle_files import DATA, real_data
from trancher.app.backtesting import Backtest, read_sources, run_backtest
from trancher.app.settings import load
from trancher.core.day import EPOCH
from trancher.core.decision import Kind
from trancher.core.events import EntryAccepted, Filled
from trancher.core.order import Side
from trancher.core.position import Position

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PATTERNS = ("dca", "graduated", "profit", "signal")
MINUTES = DATA / "candles" / "1m"
CRASHES = {
    "May 2021": MINUTES / "binance_spot_BTCUSDT_1m_2021-04-20_2021-05-20.parquet",
    "2022": MINUTES / "binance_perp_BTCUSDT_1m_2022-01-01_2022-12-31.parquet",
}
HUNDRED, COOLEST = Decimal(100), timedelta(minutes=15)

pytestmark = real_data


@pytest.fixture(scope="module", params=[(p, c) for c in CRASHES for p in PATTERNS], ids=str)
def crashed(request: pytest.FixtureRequest) -> Backtest:
    """Return one pattern, taken through one crash."""
    pattern, crash = request.param
    settings = load(EXAMPLES / f"{pattern}.toml")
    sources = read_sources(
        [str(CRASHES[crash])], settings, option="--data", on_bad="fail", now=NOW
    )
    return run_backtest(settings, sources, progress=None)


NOW = EPOCH + timedelta(days=365 * 60)


def positions(done: Backtest) -> Iterator[Position]:
    """Yield every position that bought something."""
    for bot in done.bots:
        yield from bot.positions


def test_it_trades_through_the_crash_inside_its_limits(crashed: Backtest) -> None:
    """
    No position ever cost more than 100 USD or had more than three tranches, no tranche cost more
    than it may; a day never had more entries than its cap of trades.
    """
    assert crashed.total.entries > 0
    for position in positions(crashed):
        assert position.peak_cost <= HUNDRED
        assert position.book.tranche_count <= 3
        assert all(one.cost <= 50 for one in position.book.tranches)
    assert all(
        trades <= 10 or trades - 10 <= crashed.total.exits
        for trades in crashed.replayed.engine.treasury.trades.values()
    )


def test_entries_keep_their_cooldown(crashed: Backtest) -> None:
    """
    However fast it falls, at least a quarter of an hour lies between two entries.
    """
    journal = crashed.replayed.store.journal
    orders = {
        one.event.order.client_order_id for one in journal if isinstance(one.event, EntryAccepted)
    }
    bought = [
        one.event.fill.at
        for one in journal
        if isinstance(one.event, Filled) and one.event.order_id in orders
    ]
    assert all(later - one >= COOLEST for one, later in pairwise(bought))


def test_every_refusal_is_explained_and_no_exit_is_refused(crashed: Backtest) -> None:
    """
    What was measured, what is missing, and a time or a condition that ends it.
    """
    for record in crashed.replayed.store.records:
        for refusal in record.first.refusals:
            assert refusal.missing >= 0
            assert refusal.unblocks_at is not None or refusal.unblocks_when
        if record.first.kind is Kind.EXIT:
            assert {one.code.value for one in record.first.refusals} <= {
                "MIN_NOTIONAL",
                "MIN_QUANTITY",
            }


def test_every_sale_is_matched_with_what_it_cost(crashed: Backtest) -> None:
    """
    Worked out again from the fills alone: what came in and went out in quote is the P&L of what
    was closed, less the cost of dust swept up. The matches of each sale add up to it.
    """
    for position in positions(crashed):
        paid = received = Decimal(0)
        for filled in position.fills.values():
            fill = filled.fill
            notional = fill.price * fill.quantity
            if fill.side is Side.BUY:
                paid += notional + fill.fee
            else:
                received += notional - fill.fee
        book = position.book
        left = book.open_cost + book.open_fee + book.dust_cost + book.dust_fee
        swept = book.swept.cost + book.swept.fee
        assert received - (paid - left) - swept == book.realized_pnl
        for sale in book.exits:
            assert sum(match.quantity for match in sale.matches) == sale.quantity


def test_one_position_worked_by_hand() -> None:
    """
    19 May 2021. Bought at the open of the minute after three closes: floor(20 / 49322.03),
    floor(30 / 48654.24) and floor(50 / 47875.46) to 8 decimals. 15 % below their anchor is
    0.85 x 99.9990019465 / 0.00206645 = 41132.93 on the tick, touched at 01:37. Each side pays
    0.1 %.
    """
    settings = load(EXAMPLES / "graduated.toml")
    sources = read_sources(
        [str(CRASHES["May 2021"])], settings, option="--data", on_bad="fail", now=NOW
    )

    position = run_backtest(settings, sources, progress=None).bots[0].positions[2]

    bought = [
        (one.opened_at.isoformat(), one.cost, one.quantity) for one in position.book.tranches
    ]
    assert bought == [
        ("2021-05-15T05:00:00+00:00", Decimal("19.9995899447"), Decimal("0.00040549")),
        ("2021-05-15T10:00:00+00:00", Decimal("29.9997178416"), Decimal("0.00061659")),
        ("2021-05-15T17:00:00+00:00", Decimal("49.9996941602"), Decimal("0.00104437")),
    ]
    (sale,) = position.book.exits
    assert (sale.price, sale.quantity) == (Decimal("41132.93"), Decimal("0.00206645"))
    proceeds = Decimal("84.9991431985")  # 41132.93 x 0.00206645
    assert sale.fee == Decimal("0.0849991432")  # 0.1 % of it, rounded up to 1e-10
    fees = Decimal("0.0199995900") + Decimal("0.0299997179") + Decimal("0.0499996942")
    assert position.book.realized_pnl == proceeds - sale.fee - Decimal("99.9990019465") - fees
    assert position.book.realized_pnl == Decimal("-15.1848568933")
