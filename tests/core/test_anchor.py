from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import BOT_RULES, BTC, Dial, fill
from tape import check
from trancher.core.anchor import Anchor, realized_by_fill
from trancher.core.money import exact
from trancher.core.order import Side, settle
from trancher.core.position import Position
from trancher.core.tranches import NO_DUST, Disposal

D = Decimal
COARSE = replace(BTC, quantity_step=D("0.00001"))


def figures(position: Position) -> tuple[Decimal, Decimal, Decimal]:
    """Return the cost, the fee and the realized P&L by average cost."""
    return position.anchor_cost, position.anchor_fee, position.anchor_realized


@pytest.mark.parametrize("disposal", BOT_RULES)
def test_average_cost_is_the_same_under_every_rule(disposal: Disposal) -> None:
    """
    1 @ 100 and 1 @ 200, sold 1 @ 250: average cost has earned 100, whatever the books say; what
    is left has cost 150.
    """
    booked = {"fifo": "150", "lifo": "50", "hifo": "50", "average": "100"}[disposal]
    cost = {"fifo": "200", "lifo": "100", "hifo": "100", "average": "150"}[disposal]

    position = check(
        f"""
        buy   1 @ 100  ->  held 1  cost 100     fees 0  realized 0
        buy   1 @ 200  ->  held 2  cost 300     fees 0  realized 0
        sell  1 @ 250  ->  held 1  cost {cost}  fees 0  realized {booked}
        """,
        disposal=disposal,
    )

    assert figures(position) == (D(150), D(0), D(100))


def test_fees_of_both_sides_are_in_what_average_cost_realized() -> None:
    """
    100 @ 80 with a fee of 10; 40 @ 82 with 10: 3280 - 10 - 3200 - 4 = 66, and 6 of the entry fee
    stay. 60 @ 84 with 10: 224 more, 290 in all.
    """
    part = check("""
        buy   100 @ 80  fee 10  ->  held 100  cost 8000  fees 10  realized 0
        sell  40  @ 82  fee 10  ->  held 60   cost 4800  fees 20  realized 66
    """)
    whole = check("""
        buy   100 @ 80  fee 10  ->  held 100  cost 8000  fees 10  realized 0
        sell  40  @ 82  fee 10  ->  held 60   cost 4800  fees 20  realized 66
        sell  60  @ 84  fee 10  ->  held 0    cost 0     fees 30  realized 290
    """)

    assert figures(part) == (D(4800), D(6), D(66))
    assert figures(whole) == (D(0), D(0), D(290))


def test_shares_of_cost_and_fee_are_cut_toward_zero() -> None:
    """
    A third of 100 is 33.3333333333 and of a fee of 1 it is 0.3333333333; a rebate is cut toward
    zero too. What is cut off stays.
    """
    charged = check("""
        buy   3 @ 33.3333333334 fee 1 ->  held 3  cost 100.0000000002  fees 1  realized 0
        sell  1 @ 50 ->  held 2  cost 66.6666666668  fees 1  realized 16.3333333333
    """)
    paid = check("""
        buy   3 @ 33.3333333334 fee -1 ->  held 3  cost 100.0000000002  fees -1  realized 0
        sell  1 @ 50 ->  held 2  cost 66.6666666668  fees -1  realized 16.9999999999
    """)

    assert figures(charged) == (D("66.6666666668"), D("0.6666666667"), D("16.3333333333"))
    assert figures(paid) == (D("66.6666666668"), D("-0.6666666667"), D("16.9999999999"))


def test_a_fee_in_base_is_cost_and_fee_of_what_was_received() -> None:
    """
    0.0005 @ 50000 less 0.1 %: 24.975 for what came in and 0.025 of fee, 25 in all.
    """
    position = check(
        """
        buy 0.0005 @ 50000 fee 0.0000005 BTC -> held 0.0004995 cost 24.975 fees 0.025 realized 0
        """,
        instrument=COARSE,
    )

    assert figures(position) == (D("24.975"), D("0.025"), D(0))


def test_every_sale_says_what_it_realized() -> None:
    """
    Buys say nothing; each sale its own part, in the order in which they were booked.
    """
    bought = [fill(Side.BUY, "1", price, trade_id=f"b{price}") for price in ("100", "200")]
    sold = [
        fill(Side.SELL, "1", "250", trade_id="s1"),
        fill(Side.SELL, "1", "120", trade_id="s2", fee="1"),
    ]

    told = list(realized_by_fill([*bought, *sold], BTC, line=NO_DUST, moved=()))

    assert told == [(sold[0], D(100)), (sold[1], D(-31))]
    told = list(realized_by_fill([bought[0], sold[1], bought[1]], BTC, line=NO_DUST, moved=()))
    assert told == [(sold[1], D(19))]


@given(parts=st.lists(st.integers(0, 2**20 - 1).map(Dial), min_size=1, max_size=12))
@exact
def test_what_was_realized_and_what_is_held_are_the_cash(parts: list[Dial]) -> None:
    """
    Invariant 2, and more: realized - cost - fee is cash received less cash paid, after every fill.
    """
    anchor, cash = Anchor(), D(0)
    for dial in parts:
        price, fee = dial.pick(["3", "33.33", "0.7"]), dial.pick(["0", "0.01", "-0.3333333333"])
        share = dial.pick([None, "1", "0.333", "0.5"])
        side = Side.BUY if share is None or anchor.quantity == 0 else Side.SELL
        quantity = (
            D(dial.pick(["1", "0.007", "3.3"])) if share is None else anchor.quantity * D(share)
        )
        if quantity == 0:
            continue
        settled = settle(fill(side, quantity, price, fee=fee), base="BTC", quote="USD")
        if side is Side.BUY:
            anchor, cash = anchor.bought(settled), cash - settled.notional - settled.fee
        else:
            anchor, cash = anchor.sold(settled), cash + settled.notional - settled.fee

        assert anchor.realized - anchor.cost - anchor.fee == cash
        assert anchor.quantity > 0 or {anchor.cost, anchor.fee} == {D(0)}
