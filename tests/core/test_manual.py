from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import HELD, OPEN, after, leave
from strategies import NOON, fill, opened
from trancher.core.errors import InvalidFill, InvalidTransition, OversoldPosition
from trancher.core.lifecycle import State
from trancher.core.manual import record_entry, record_exit
from trancher.core.order import BY_HAND, Side

LATER = NOON + timedelta(minutes=5)


def test_a_purchase_by_hand_is_a_tranche() -> None:
    """
    It opens the position, uses no rung of the plan, and leaves no order working.
    """
    bought = fill(Side.BUY, "0.5", "100", fee="1", trade_id="x1", at=LATER)

    position = record_entry(opened(), bought)

    tranche = position.book.open[0]
    assert (tranche.quantity, tranche.cost, tranche.entry_fee) == (
        Decimal("0.5"),
        Decimal(50),
        Decimal(1),
    )
    assert (tranche.reason, tranche.order_id, tranche.opened_at) == ("by hand", "bot-1-1", LATER)
    assert (position.state, position.working) == (State.BUILDING, ())
    assert (position.rung_uses, position.orders_placed) == ({BY_HAND: 1}, 1)


def test_a_sale_by_hand_ends_building_and_reduces() -> None:
    """
    In part it comes back to OPEN; of all that is held it closes.
    """
    part = record_exit(after(HELD), fill(Side.SELL, "0.4", "110", trade_id="x1"), reason="mine")
    rest = record_exit(part, fill(Side.SELL, "0.6", "120", trade_id="x2", at=LATER))

    assert (part.state, part.held, part.working) == (State.OPEN, Decimal("0.6"), ())
    assert (part.book.exits[0].reason, part.book.exits[0].order_id) == ("mine", "bot-1-2")
    assert (rest.state, rest.held, rest.closed_at) == (State.CLOSED, Decimal(0), LATER)
    assert rest.book.realized_pnl == 16


def test_a_sale_whose_base_fee_takes_the_rest_closes() -> None:
    """
    What leaves is the quantity and its fee.
    """
    sale = fill(Side.SELL, "0.9", "110", fee="0.1", fee_asset="BTC", trade_id="x1")

    position = record_exit(after(OPEN), sale)

    assert position.state is State.CLOSED
    assert position.closing_reason == "by hand"


def test_what_cannot_be_is_refused() -> None:
    """
    A sale is no entry, a buy no exit; more than is held, and nothing held, cannot be sold.
    """
    buy, sale = fill(Side.BUY, "1", "100"), fill(Side.SELL, "1.1", "100", trade_id="x1")

    with pytest.raises(InvalidFill, match="an entry needs a buy"):
        record_entry(opened(), sale)
    with pytest.raises(InvalidFill, match="an exit needs a sale"):
        record_exit(after(HELD), buy)
    with pytest.raises(OversoldPosition):
        record_exit(after(HELD), sale)
    with pytest.raises(InvalidTransition):
        record_exit(opened(), sale)
    with pytest.raises(InvalidTransition):
        record_entry(after([*OPEN, leave("s1", "0.5")]), buy)
