"""An instrument: one pair on one exchange, with its steps, minimums and fees.

Invariant: a quantity we order is a multiple of quantity_step, never above what was asked.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trancher.core.errors import InvalidInstrument
from trancher.core.money import BOUND, QUOTE_QUANTUM, ZERO, ceil_to, exact, floor_ratio, floor_to


class FeeIn(StrEnum):
    """The asset the exchange takes the fee of a buy in. A sell's fee is taken in quote."""

    QUOTE = "quote"
    BASE = "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A pair with what its exchange demands of an order.

    Attributes:
        symbol: text of the pair, base/quote, e.g. BTC/USD.
        price_tick: smallest step of a price, quote per base, > 0.
        quantity_step: smallest step of a quantity, base, > 0.
        min_quantity: smallest quantity of an order, base, >= 0.
        min_notional: smallest price x quantity of an order, quote, >= 0.
        maker_fee: ratio of the notional, -0.1 < fee < 1 (negative is a rebate).
        taker_fee: ratio of the notional, 0 <= fee < 1.
        fee_in: the asset the fee of a buy is taken in.
    """

    symbol: str
    price_tick: Decimal
    quantity_step: Decimal
    min_quantity: Decimal = ZERO
    min_notional: Decimal = ZERO
    maker_fee: Decimal = ZERO
    taker_fee: Decimal = ZERO
    fee_in: FeeIn = FeeIn.QUOTE

    def __post_init__(self) -> None:
        base, _, quote = self.symbol.partition("/")
        if not base or not quote or "/" in quote:
            raise InvalidInstrument(f"symbol {self.symbol!r} is not of the form BASE/QUOTE")
        for name in ("price_tick", "quantity_step"):
            if not 0 < getattr(self, name) < BOUND:
                raise InvalidInstrument(f"{name} of {self.symbol} must lie between 0 and 1e15")
        for name in ("min_quantity", "min_notional"):
            if not 0 <= getattr(self, name) < BOUND:
                raise InvalidInstrument(f"{name} of {self.symbol} must be 0 or more, below 1e15")
        if not Decimal("-0.1") < self.maker_fee < 1:
            raise InvalidInstrument(f"maker_fee of {self.symbol} must be a ratio below 1")
        if not 0 <= self.taker_fee < 1:
            raise InvalidInstrument(
                f"taker_fee of {self.symbol} must be a ratio from 0 to below 1"
            )

    @property
    def base(self) -> str:
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        return self.symbol.partition("/")[2]

    def quantity_for(self, size: Decimal, price: Decimal) -> Decimal:
        """Return the base that `size` quote buys at `price`, floored to the step: never dearer."""
        return floor_ratio(size, price, self.quantity_step)

    def sellable(self, quantity: Decimal) -> Decimal:
        """Return `quantity` base floored to the step."""
        return floor_to(quantity, self.quantity_step)

    @exact
    def accepts(self, quantity: Decimal, price: Decimal) -> bool:
        """Say whether an order of `quantity` (a multiple of the step) is large enough."""
        return (
            quantity > 0
            and quantity >= self.min_quantity
            and quantity * price >= self.min_notional
        )

    @exact
    def with_taker_fee(self, notional: Decimal) -> Decimal:
        """Return what a market buy of `notional` quote may cost in all; fees are rounded up."""
        return notional + ceil_to(notional * self.taker_fee, QUOTE_QUANTUM)
