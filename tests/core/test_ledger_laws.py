"""The laws of a ledger by property: what holds for any fills under any rule.

Quantities are whole numbers of 1e-18, so the test itself never rounds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from trancher.core.ledger import NO_TRADE_ID, Row, fold
from trancher.core.money import EXACT, exact
from trancher.core.order import Fill, Side
from trancher.core.pnl import figures, identity_gap
from trancher.core.tranches import Disposal

START = datetime(2025, 9, 3, tzinfo=UTC)
UNLABELLED = [rule for rule in Disposal if rule is not Disposal.SPECIFIC]
PRICES = st.decimals("0.00000001", 10**6, places=8)
FEES = st.decimals("-0.1", 1, places=8)


def base_of(units: int) -> Decimal:
    return Decimal(units).scaleb(-18, EXACT)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Row]:
    """Draw fills that never sell more than is open, with any fee, at any time."""
    rows: list[Row] = []
    held = 0
    for number in range(1, draw(st.integers(2, 12))):
        buying = held == 0 or draw(st.booleans())
        moved = (
            draw(st.integers(10**9, 10**21))
            if buying
            else draw(st.integers(1, held) | st.just(held))
        )
        asset = draw(st.sampled_from(["quote", "base", "BNB"]))
        units = draw(st.sampled_from([moved // 1000, -(moved // 1000)])) if asset == "base" else 0
        fill = Fill(
            trade_id=NO_TRADE_ID,
            side=Side.BUY if buying else Side.SELL,
            price=draw(PRICES),
            quantity=base_of(moved + units if buying else moved - units),
            fee=base_of(units) if asset == "base" else draw(FEES),
            fee_asset=asset,
            at=START + timedelta(days=draw(st.integers(0, 3))),
        )
        held += moved if buying else -moved
        rows.append(Row(number=number, fill=fill))
    return rows


@exact
def cash_moved(rows: Sequence[Row]) -> Decimal:
    """Return quote received less quote paid: what the account shows, computed from the fills."""
    moved = Decimal(0)
    for fill in (row.fill for row in rows):
        notional = fill.price * fill.quantity
        moved += notional if fill.side is Side.SELL else -notional
        moved -= fill.fee if fill.fee_asset == "quote" else 0
    return moved


@settings(deadline=None)
@given(rows=ledgers(), rule=st.sampled_from(UNLABELLED), mark=PRICES)
@exact
def test_the_books_agree_with_the_account(rows: list[Row], rule: Disposal, mark: Decimal) -> None:
    """
    Whatever the rule, what was earned and what is held add up to the cash that moved, exactly.
    """
    ledger = fold(rows, disposal=rule, base="base", quote="quote")

    told = figures(ledger.current, taker_fee=Decimal(0), mark_price=mark)
    assert told.unrealized_net is not None
    value = ledger.current.open_quantity * mark
    assert ledger.realized_pnl + told.unrealized_net == cash_moved(rows) + value
    assert [identity_gap(cycle.book, mark_price=mark) for cycle in ledger.cycles] == [0] * len(
        ledger.cycles
    )


@settings(deadline=None)
@given(rows=ledgers())
@exact
def test_all_rules_agree_once_flat(rows: list[Row]) -> None:
    """
    A rule says which buy earned it; how much was earned, it cannot say.
    """
    kept = {rule: fold(rows, disposal=rule, base="base", quote="quote") for rule in UNLABELLED}

    first = kept[Disposal.FIFO]
    assert {ledger.current.open_quantity for ledger in kept.values()} == {
        first.current.open_quantity
    }
    assert {len(ledger.cycles) for ledger in kept.values()} == {len(first.cycles)}
    for place, cycle in enumerate(first.cycles):
        if cycle.book.open_quantity == 0:
            assert {ledger.cycles[place].book.realized_pnl for ledger in kept.values()} == {
                cycle.book.realized_pnl
            }


@settings(deadline=None)
@given(rows=ledgers(), rule=st.sampled_from(UNLABELLED))
@exact
def test_a_ledger_neither_creates_nor_loses_base_or_cost(rows: list[Row], rule: Disposal) -> None:
    """
    Tranche by tranche: what was bought is open or was matched, to the last digit.
    """
    ledger = fold(rows, disposal=rule, base="base", quote="quote")

    for cycle in ledger.cycles:
        matches = [match for done in cycle.book.exits for match in done.matches]
        for tranche in cycle.book.tranches:
            own = [match for match in matches if match.tranche_id == tranche.id]
            assert tranche.quantity == tranche.open_quantity + sum(m.quantity for m in own)
            assert tranche.cost == tranche.open_cost + sum(m.entry_cost for m in own)
            assert tranche.entry_fee == tranche.open_fee + sum(m.entry_fee for m in own)
