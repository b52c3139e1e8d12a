"""The anchor: what is held as average cost sees it, whatever tranches a disposal rule consumes.

Stops and targets are measured from it, and losses are counted by it, so that no bookkeeping choice
moves a decision.

Invariants:
1. Entries alone move cost / quantity: an exit takes its share of each, rounded toward zero.
2. When all is sold, cost and fee are zero, and `realized` is what the cash says.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from trancher.core.instrument import Instrument
from trancher.core.money import QUOTE_QUANTUM, ZERO, exact, share_of
from trancher.core.order import Fill, Settled, Side, TradeId, settle
from trancher.core.tranches import NO_DUST, Dust


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a position holds and has earned by average cost.

    Attributes:
        quantity: base, held.
        cost: quote paid for it, fees excluded.
        fee: quote, its entry fees; negative for rebates.
        realized: quote, net of the fees of both sides of what was sold.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    realized: Decimal = ZERO

    @exact
    def bought(self, settled: Settled) -> "Anchor":
        """Return it with a purchase."""
        return Anchor(
            quantity=self.quantity + settled.quantity,
            cost=self.cost + settled.notional,
            fee=self.fee + settled.fee,
            realized=self.realized,
        )

    @exact
    def sold(self, settled: Settled, swept: Dust = NO_DUST) -> "Anchor":
        """Return it after a sale.

        Args:
            settled: of at most what is held and swept.
            swept: what of the sale came from the dust line.
        """
        cost, fee = self.cost, self.fee
        if settled.quantity < self.quantity:
            cost, fee = (
                share_of(whole, settled.quantity, self.quantity, quantum=QUOTE_QUANTUM)
                for whole in (cost, fee)
            )
        return Anchor(
            quantity=self.quantity - settled.quantity + swept.quantity,
            cost=self.cost - cost,
            fee=self.fee - fee,
            realized=self.realized
            + settled.notional
            - settled.fee
            - cost
            - fee
            - swept.cost
            - swept.fee,
        )


@exact
def realized_by_fill(
    fills: Iterable[Fill], instrument: Instrument, swept: Mapping[TradeId, Dust]
) -> Iterator[tuple[Fill, Decimal]]:
    """Yield every sale of a position with what it realized by average cost, in quote.

    Args:
        fills: of one position, in the order in which they were booked.
        swept: what sales took from the dust line.
    """
    anchor = Anchor()
    for fill in fills:
        settled = settle(fill, base=instrument.base, quote=instrument.quote)
        if fill.side is Side.BUY:
            anchor = anchor.bought(settled)
        else:
            dust = swept.get(fill.trade_id, NO_DUST)
            before, anchor = anchor.realized, anchor.sold(settled, dust)
            yield fill, anchor.realized - before
