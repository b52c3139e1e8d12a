"""One more trade on a position as the engine left it."""

from decimal import Decimal
from typing import Final

import pytest

from backtest.scripted import Prices, configuration, only_seat, run
from trancher.backtest.trial import Trial
from trancher.backtest.what_if import sell

TERMS: Final = 'fee_in = "base"\ntaker_fee = "4%"\nmaker_fee = 0\nquantity_step = 0.1'
ONCE: Final = 'plan = "dca"\nsize = 100\nmax_tranches = 1'
LEAVE: Final = 'take_profit = [{gain = "10%", sell = "rest"}]'
# The fee of 4 % leaves 0.96 of 1: 0.9 are sold, 0.06 are dust, and 0.96 are bought again.
TWICE: Final[list[Prices]] = [
    (100, 100, 100, 100),
    (100, 100, 100, 100),
    (100, 120, 100, 100),
    (100, 100, 100, 100),
]


@pytest.mark.parametrize(
    ("share", "quantity", "dust"),
    [("1", "1", "0.02"), ("0.95", "1", "0.02"), ("0.5", "0.4", "0.06")],
)
def test_a_full_sale_takes_the_dust_along_as_the_engine_does(
    share: str, quantity: str, dust: str
) -> None:
    """
    0.96 are held and 0.06 lie on the dust line: together a step more, which only all of it sells.
    """
    seat = only_seat(run(configuration(ONCE, LEAVE, terms=TERMS), TWICE))
    position = seat.position
    assert position.held == Decimal("0.96")
    assert position.entered_at is not None
    trial = Trial(bot=seat.bot, slippage=Decimal(0), price=Decimal(110), at=position.entered_at)

    sold = sell(trial, position, Decimal(share))

    assert sold.quantity == Decimal(quantity)
    assert sold.after.book.line.quantity == Decimal(dust)
    assert sold.refusals == ()
