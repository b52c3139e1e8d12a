"""What an exchange's minimums have against an order. No limit of ours: exits meet them too."""

from decimal import Decimal
from typing import Final

from trancher.core.instrument import Instrument
from trancher.core.limits import Refusal, RefusalCode, Unit
from trancher.core.money import exact
from trancher.core.order import Side

_MORE_IS_SOLD: Final = "more is to be sold at once"


@exact
def too_small(
    instrument: Instrument, quantity: Decimal, price: Decimal, *, side: Side
) -> tuple[Refusal, ...]:
    """Return what the exchange's minimums have against an order; nothing where it takes it.

    Args:
        quantity: base, a multiple of the step.
    """
    refusals: list[Refusal] = []
    smallest = max(instrument.min_quantity, instrument.quantity_step)
    if quantity < smallest:
        refusals.append(
            Refusal(
                code=RefusalCode.MIN_QUANTITY,
                measured=quantity,
                limit=smallest,
                missing=smallest - quantity,
                unit=Unit.BASE,
                unblocks_when="the size is larger or the price lower"
                if side is Side.BUY
                else _MORE_IS_SOLD,
            )
        )
    notional = quantity * price
    if notional < instrument.min_notional:
        refusals.append(
            Refusal(
                code=RefusalCode.MIN_NOTIONAL,
                measured=notional,
                limit=instrument.min_notional,
                missing=instrument.min_notional - notional,
                unit=Unit.QUOTE,
                unblocks_when="the size is larger"
                if side is Side.BUY
                else f"{_MORE_IS_SOLD}, or the price is higher",
            )
        )
    return tuple(refusals)
