"""Exits: the rules that lead out of a position. Each says what it sells, and from where on.

Prices are compared by cross-multiplication, never as rounded quotients; touching counts. What the
rules claim together, one allocator turns into orders (decide_exit.py).

Every rule says what it looks at, whether it reads the peak price (`trails`), and in words what it
is (`text`) and what it sells (`sells`). One with prices has `levels`, any other has `waits`.

To add an exit rule: its class here, with a word in Leveled or Waiting, and in Stop if it is one;
and its words in app/exit_grammar.py (docs/how-to/exit-rule.md).

Invariants:
1. A rule reads the anchor, the peak and quantities: figures that no disposal rule moves. Only what
   speaks of tranches (over or sell a tranche) reads those.
2. Where no level of a rule is touched and no wait of it is over, it claims nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, assert_never

from trancher.core.claims import (
    ALL,
    Claim,
    Over,
    Priced,
    anchor_price,
    arming,
    break_even_price,
    check_ratio,
    check_share,
    measured,
    next_claimed,
    on_tick,
    part_of,
    reached,
    share_in_words,
    trailed,
    whole_of,
)
from trancher.core.conditions import Comparison, Indicator, Look, Observation, Wait
from trancher.core.day import span
from trancher.core.errors import InvalidPlan
from trancher.core.money import ONE, ceil_ratio, percent
from trancher.core.position import Position
from trancher.core.signals import SCORE
from trancher.core.tranches import Tranche

_LOSS = frozenset({Look.EVERYTHING, Look.LOSS_LEVEL})
_GAIN = frozenset({Look.EVERYTHING, Look.GAIN_LEVEL})
_CLOSE = frozenset({Look.EVERYTHING, Look.BESIDE_PRICES})


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLoss:
    """Sell all once the price is `loss` or more below the anchor (0.08 = 8 %; 0 < loss < 1).

    Over the tranche it sells each tranche by its own entry price.
    """

    loss: Decimal
    over: Over = Over.ANCHOR
    looks: ClassVar[frozenset[Look]] = _LOSS
    trails: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_ratio("stop_loss", self.loss)
        if self.over is Over.BREAK_EVEN:
            raise InvalidPlan("stop_loss is measured over the anchor or the tranche")

    @property
    def text(self) -> str:
        return f"stop loss -{percent(self.loss)}{measured(self.over)}"

    @property
    def sells(self) -> str:
        return "all" if self.over is Over.ANCHOR else "that tranche"

    def claims(self, position: Position, seen: Observation) -> Iterator[Claim]:
        if self.over is Over.ANCHOR:
            cost, quantity = anchor_price(position, ONE - self.loss)
            if seen.price * quantity <= cost:
                yield ALL
            return
        for tranche in position.book.open:
            if seen.price * tranche.quantity <= tranche.cost * (ONE - self.loss):
                yield Claim(tranche=tranche, quantity=whole_of(position, tranche))

    def levels(self, position: Position, _: Decimal | None) -> Iterator[Priced]:
        """Yield the prices, on the tick, from which on downwards it claims something."""
        if self.over is Over.ANCHOR:
            yield None, on_tick(position, anchor_price(position, ONE - self.loss))
            return
        for tranche in position.book.open:
            yield tranche, on_tick(position, (tranche.cost * (ONE - self.loss), tranche.quantity))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailingStop:
    """Sell all once the price is `trail` or more below its peak, after a gain of `activate`.

    The peak is the highest price since the last entry fill: an entry starts it anew.

    Attributes:
        activate: ratio over the anchor that the peak has to reach first, > 0.
        trail: ratio below the peak, 0 < trail < 1.
    """

    activate: Decimal
    trail: Decimal
    looks: ClassVar[frozenset[Look]] = _LOSS
    trails: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_ratio("trailing_stop activate", self.activate, below=None)
        check_ratio("trailing_stop trail", self.trail)

    @property
    def text(self) -> str:
        trail, activate = percent(self.trail), percent(self.activate)
        return f"trailing stop -{trail} from the peak, once +{activate} was reached"

    @property
    def sells(self) -> str:
        return "all"

    def claims(self, position: Position, seen: Observation) -> Iterator[Claim]:
        level = trailed(position, seen.peak_price, self.activate, self.trail)
        if level is not None and seen.price <= level:
            yield ALL

    def levels(self, position: Position, peak_price: Decimal | None) -> Iterator[Priced]:
        """Yield the price from which on downwards it sells, once it has been activated."""
        level = trailed(position, peak_price, self.activate, self.trail)
        if level is not None:
            yield None, on_tick(position, (level, ONE))

    def arms(self, position: Position, peak_price: Decimal | None) -> Iterator[Decimal]:
        """Yield the price that activates it, until it has been reached."""
        return arming(position, peak_price, self.activate)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEvenStop:
    """Sell all at the break-even price, once the peak was `after` or more over the anchor.

    There what is held nets zero, the fees of both sides included, on the average figures.
    """

    after: Decimal
    looks: ClassVar[frozenset[Look]] = _LOSS
    trails: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_ratio("break_even_after", self.after, below=None)

    @property
    def text(self) -> str:
        return f"break-even stop after +{percent(self.after)}"

    @property
    def sells(self) -> str:
        return "all"

    def claims(self, position: Position, seen: Observation) -> Iterator[Claim]:
        cost, quantity = break_even_price(position, ONE)
        if self._armed(position, seen.peak_price) and seen.price * quantity <= cost:
            yield ALL

    def levels(self, position: Position, peak_price: Decimal | None) -> Iterator[Priced]:
        """Yield the break-even price, once it has been armed."""
        if self._armed(position, peak_price):
            yield None, on_tick(position, break_even_price(position, ONE))

    def arms(self, position: Position, peak_price: Decimal | None) -> Iterator[Decimal]:
        """Yield the price that arms it, until it has been reached."""
        return arming(position, peak_price, self.after)

    def _armed(self, position: Position, peak_price: Decimal | None) -> bool:
        return peak_price is not None and reached(position, peak_price, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStop:
    """Sell all once `after` has passed since the first entry fill, inclusive."""

    after: timedelta
    looks: ClassVar[frozenset[Look]] = _CLOSE
    trails: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.after <= timedelta(0):
            raise InvalidPlan("time_stop must be longer than 0")

    @property
    def text(self) -> str:
        return f"time stop after {span(self.after)}"

    @property
    def sells(self) -> str:
        return "all"

    def claims(self, position: Position, seen: Observation) -> Iterator[Claim]:
        entered = position.entered_at
        if entered is not None and seen.at - entered >= self.after:
            yield ALL

    def waits(self, position: Position) -> Iterator[Wait]:
        """Yield when it sells."""
        if position.entered_at is not None:
            yield Wait(at=position.entered_at + self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalExit:
    """Sell once the score of all signals is `score` or less; nothing has to confirm it.

    Attributes:
        score: -1 to 1; negative means sell.
        share: of the peak quantity, 0 < share <= 1, sold once; None sells all.
    """

    score: Decimal
    share: Decimal | None
    looks: ClassVar[frozenset[Look]] = _CLOSE
    trails: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not -1 <= self.score <= 1:
            raise InvalidPlan(f"signal_exit score is {self.score:f}, expected -1 to 1")
        check_share("signal_exit", self.share)

    @property
    def text(self) -> str:
        return f"signal exit, score <= {self.score:f}"

    @property
    def sells(self) -> str:
        return share_in_words(self.share)

    def claims(self, position: Position, seen: Observation) -> Iterator[Claim]:
        if seen.readings.score <= self.score:
            yield ALL if self.share is None else Claim(quantity=part_of(position, self.share))

    def waits(self, _: Position) -> Iterator[Wait]:
        """Yield the score at which it sells."""
        at_most = Indicator(name=SCORE, comparison=Comparison.AT_MOST, threshold=self.score)
        yield Wait(indicators=(at_most,))


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeProfit:
    """Sell a part once the price is `gain` or more above what it is measured over.

    Attributes:
        gain: ratio, > 0 (0.10 = 10 %).
        share: of the peak quantity, or over the tranche of that tranche's quantity,
            0 < share <= 1; None sells the rest.
        over: what the gain is measured over; over the tranche each one carries its own target.
        one_tranche: sells the next tranche by the disposal rule instead of a share.
        trail: None sells at the gain; else it waits there and sells that much below the peak.
    """

    gain: Decimal
    share: Decimal | None
    over: Over = Over.ANCHOR
    one_tranche: bool = False
    trail: Decimal | None = None

    def __post_init__(self) -> None:
        check_ratio("take_profit gain", self.gain, below=None)
        check_share("take_profit", self.share)
        if self.trail is not None:
            check_ratio("trailing_take_profit", self.trail)
            if self.over is not Over.ANCHOR:
                raise InvalidPlan("trailing_take_profit is for a gain over the anchor")
        if self.one_tranche and self.over is Over.TRANCHE:
            raise InvalidPlan("take_profit over the tranche sells a share of it, or its rest")

    @property
    def looks(self) -> frozenset[Look]:
        return _GAIN if self.trail is None else _LOSS

    @property
    def trails(self) -> bool:
        return self.trail is not None

    @property
    def text(self) -> str:
        trailing = "" if self.trail is None else f", trailing {percent(self.trail)}"
        return f"take profit +{percent(self.gain)}{measured(self.over)}{trailing}"

    @property
    def sells(self) -> str:
        if self.one_tranche:
            return "the next tranche"
        of = " of it" if self.over is Over.TRANCHE else ""
        return share_in_words(self.share) + of

    def claims(self, position: Position, seen: Observation) -> Iterator[Claim]:
        if self.trail is not None:
            level = trailed(position, seen.peak_price, self.gain, self.trail)
            if level is not None and seen.price <= level:
                yield self._claim(position, None)
            return
        for tranche, (cost, quantity) in self._targets(position):
            if seen.price * quantity >= cost:
                level = ceil_ratio(cost, quantity, position.instrument.price_tick)
                yield replace(self._claim(position, tranche), level=level)

    def arms(self, position: Position, peak_price: Decimal | None) -> Iterator[Decimal]:
        """Yield the price from which on it trails, until it has been reached."""
        return iter(()) if self.trail is None else arming(position, peak_price, self.gain)

    def _targets(
        self, position: Position
    ) -> Iterator[tuple[Tranche | None, tuple[Decimal, Decimal]]]:
        """Yield (cost, quantity), whose quotient is the price to reach, of each tranche or all."""
        gained = ONE + self.gain
        match self.over:
            case Over.ANCHOR:
                yield None, anchor_price(position, gained)
            case Over.BREAK_EVEN:
                yield None, break_even_price(position, gained)
            case Over.TRANCHE:
                for tranche in position.book.open:
                    yield tranche, (tranche.cost * gained, tranche.quantity)
            case _:
                assert_never(self.over)

    def _claim(self, position: Position, tranche: Tranche | None) -> Claim:
        if self.one_tranche:
            chosen = next_claimed(position)
            return Claim(tranche=chosen, quantity=whole_of(position, chosen))
        if tranche is None:
            return Claim(quantity=part_of(position, self.share))
        open_ = tranche.open_quantity
        wanted = open_ if self.share is None else min(tranche.quantity * self.share, open_)
        return Claim(tranche=tranche, quantity=position.instrument.sellable(wanted))

    def levels(self, position: Position, peak_price: Decimal | None) -> Iterator[Priced]:
        """Yield the prices from which on it claims something: upwards, or trailing downwards."""
        if self.trail is not None:
            level = trailed(position, peak_price, self.gain, self.trail)
            if level is not None:
                yield None, on_tick(position, (level, ONE))
            return
        for tranche, (cost, quantity) in self._targets(position):
            yield tranche, ceil_ratio(cost, quantity, position.instrument.price_tick)


Leveled = StopLoss | TrailingStop | BreakEvenStop | TakeProfit
Trailing = TrailingStop | BreakEvenStop | TakeProfit
Waiting = TimeStop | SignalExit
ExitRule = Leveled | Waiting
Stop = StopLoss | TrailingStop | BreakEvenStop | TimeStop
"""The rules after which `reentry_cooldown` runs."""
