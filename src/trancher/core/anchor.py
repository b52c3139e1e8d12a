"""The anchor: what is held as average cost sees it, whatever tranches a disposal rule consumes.

Stops and targets are measured from it, and losses are counted by it, so that no bookkeeping choice
moves a decision. Dust has a cost of its own here: what it had cost on average when it was booked.

Invariants:
1. Entries and adoptions alone move cost / quantity: an exit or a correction takes its share of
   each, rounded toward zero.
2. When all is sold, cost and fee are zero, and `realized` is what the cash says, less what the
   dust that was swept up had cost.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from trancher.core.instrument import Instrument
from trancher.core.money import QUOTE_QUANTUM, ZERO, exact, share_of
from trancher.core.order import Fill, Settled, Side, settle
from trancher.core.tranches import NO_DUST, Dust, Portion


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a position holds and has earned by average cost.

    Attributes:
        quantity: base, held.
        cost: quote paid for it, fees excluded.
        fee: quote, its entry fees; negative for rebates.
        realized: quote, net of the fees of both sides of what was sold.
        line: the bot's dust line: what past positions left over and no sale has swept up, and what
            this one left over.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    realized: Decimal = ZERO
    line: Dust = NO_DUST

    @exact
    def bought(self, settled: Settled) -> "Anchor":
        """Return it with a purchase."""
        return Anchor(
            quantity=self.quantity + settled.quantity,
            cost=self.cost + settled.notional,
            fee=self.fee + settled.fee,
            realized=self.realized,
            line=self.line,
        )

    @exact
    def sold(self, settled: Settled) -> "Anchor":
        """Return it after a sale of at most what is held and, once that is sold, the dust line."""
        cost, fee, swept = self.cost, self.fee, NO_DUST
        if settled.quantity < self.quantity:
            cost, fee = (
                share_of(whole, settled.quantity, self.quantity, quantum=QUOTE_QUANTUM)
                for whole in (cost, fee)
            )
        elif settled.quantity > self.quantity:
            swept = self.line.part(settled.quantity - self.quantity)
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
            line=self.line.less(swept),
        )

    @exact
    def part(self, quantity: Decimal) -> Portion:
        """Return `quantity` of what is held with its share of cost and fee, 0 < quantity."""
        if quantity == self.quantity:
            return Portion(quantity=quantity, cost=self.cost, fee=self.fee)
        cost, fee = (
            share_of(whole, quantity, self.quantity, quantum=QUOTE_QUANTUM)
            for whole in (self.cost, self.fee)
        )
        return Portion(quantity=quantity, cost=cost, fee=fee)

    @exact
    def moved(self, portion: Portion) -> "Anchor":
        """Return it with what came without a trade, or without what went; it earns nothing."""
        return Anchor(
            quantity=self.quantity + portion.quantity,
            cost=self.cost + portion.cost,
            fee=self.fee + portion.fee,
            realized=self.realized,
            line=self.line,
        )

    @exact
    def left_over(self) -> "Anchor":
        """Return it once what is held, too little to sell, has gone to the dust line."""
        dust = Dust(quantity=self.quantity, cost=self.cost, fee=self.fee)
        return Anchor(realized=self.realized, line=self.line.plus(dust))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What came to a position without a trade, or went, as its anchor has it.

    Attributes:
        fills: how many were booked before.
    """

    fills: int
    portion: Portion


@exact
def realized_by_fill(
    fills: Iterable[Fill], instrument: Instrument, *, line: Dust, moved: Iterable[Moved]
) -> Iterator[tuple[Fill, Decimal]]:
    """Yield every sale of a position with what it realized by average cost, in quote.

    Args:
        fills: of one position, in the order in which they were booked.
        line: the bot's dust line, by average cost, when the position began.
        moved: what came and went between them, likewise.
    """
    anchor, waiting = Anchor(line=line), deque(moved)
    for booked, fill in enumerate(fills):
        while waiting and waiting[0].fills <= booked:
            anchor = anchor.moved(waiting.popleft().portion)
        settled = settle(fill, base=instrument.base, quote=instrument.quote)
        if fill.side is Side.BUY:
            anchor = anchor.bought(settled)
        else:
            before, anchor = anchor.realized, anchor.sold(settled)
            yield fill, anchor.realized - before
