"""Rungs: the planned steps in, and the plan that holds them together with the rules that lead out.

An entry rung is due where its condition holds. A rung is used once per position, as often as it
repeats, and once more each time it is re-armed.

Invariant: a rung is used at most repeat + rearm.times times in one position.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from trancher.core.claims import ALL, Claim, Over
from trancher.core.conditions import ALWAYS, NEVER, Condition, Look, Observation, Wait, both
from trancher.core.errors import InvalidPlan
from trancher.core.exits import ExitRule, Leveled, Stop, TakeProfit, Trailing, Waiting
from trancher.core.lifecycle import State
from trancher.core.money import QUOTE_QUANTUM, ZERO, floor_to
from trancher.core.order import BY_HAND, RuleId, TrancheId, rule_id
from trancher.core.position import Position
from trancher.core.signals import Temperature
from trancher.core.tranches import Tranche


class Of(StrEnum):
    """What the size of a rung is counted in: quote, or a share of the portfolio's equity."""

    QUOTE = "quote"
    EQUITY = "equity"


class OnExcess(StrEnum):
    """What happens to a rung that is larger than the room left for it."""

    REFUSE = "refuse"
    CLIP = "clip"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRung:
    """One planned step in.

    Attributes:
        label: what a person calls it: base order, safety order 2, rung 1.
        when: due where this holds.
        size: to spend at most, before fees, > 0: quote, or a ratio of equity.
        of: which of the two.
        repeat: how often it may be used in one position, >= 1.
        min_temperature: below it the rung is refused; None asks for none.
    """

    label: str
    when: Condition
    size: Decimal
    of: Of = Of.QUOTE
    repeat: int = 1
    min_temperature: Temperature | None = None

    def __post_init__(self) -> None:
        if not self.size > 0 or self.repeat < 1:
            raise InvalidPlan(f"{self.label}: size must be above 0 and repeat at least 1")

    def quote(self, equity: Decimal) -> Decimal:
        """Return the quote to spend; a share of equity is floored to 1e-10."""
        if self.of is Of.QUOTE:
            return self.size
        return floor_to(max(equity, ZERO) * self.size, QUOTE_QUANTUM)

    def due(self, position: Position, seen: Observation) -> bool:
        """Say whether the condition holds, as far as `seen.look` looks."""
        match seen.look:
            case Look.EVERYTHING:
                return self.when.holds(position, seen, prices=True)
            case Look.BESIDE_PRICES:
                return self.when.holds(position, seen, prices=False)
            case Look.ENTRY_LEVEL:
                tipped = self.when.holds(position, seen, prices=True)
                return tipped and not self.when.holds(position, seen, prices=False)
            case Look.LOSS_LEVEL | Look.GAIN_LEVEL:
                return False
            case _:
                assert_never(seen.look)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearm:
    """How a rung becomes usable again once the tranche it bought was sold by name.

    Attributes:
        times: how often in one position, >= 0; None means no limit.
        cooldown: time from that sale.
    """

    times: int | None
    cooldown: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTerms:
    """How an entry rests as a limit order instead of taking what is there.

    Attributes:
        offset: ratio below the price it is decided at, 0 <= offset < 1.
        ttl: how long it may work, > 0.
    """

    offset: Decimal
    ttl: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What an exit rule has to sell now.

    Attributes:
        index: of the rule in the plan.
        rule: how the position counts it, with the tranche where it names one.
        text: the rule in words.
        quantity: base, a multiple of the step; None means all that the position holds.
        level: the price, on the tick, from which on upwards it sells; None takes what is there.
    """

    index: int
    rule: RuleId
    text: str
    quantity: Decimal | None
    level: Decimal | None = None

    @property
    def tranche_id(self) -> TrancheId | None:
        """The tranche it names, if it names one."""
        named = self.rule.partition("/")[2]
        return TrancheId(named) if named else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price, on the tick, at which an exit rule has something to sell.

    Attributes:
        falling: whether it is met downwards, as a loss, or upwards, as a gain.
    """

    price: Decimal
    falling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a position is meant to do.

    Attributes:
        entries: asked in this order; the first that is due decides.
        exits: in order of priority, the ladder last, in order of gain.
        rebuild: whether an entry may follow after building has ended.
        build_window: building ends this long after the first entry fill; None never by time.
        rearm: None uses each rung once; else it implies `rebuild`.
        limit: None sends entries as market orders.
    """

    entries: tuple[EntryRung, ...]
    exits: tuple[ExitRule, ...]
    rebuild: bool
    build_window: timedelta | None = None
    on_excess: OnExcess = OnExcess.REFUSE
    rearm: Rearm | None = None
    limit: LimitTerms | None = None

    def __post_init__(self) -> None:
        if not self.entries:
            raise InvalidPlan("an entry plan needs at least one rung")
        if self.rearm is not None and not self.rebuild:
            raise InvalidPlan("rearm needs rebuild")
        if self.rebuild and self.build_window is not None:
            raise InvalidPlan("build_window ends the building for good, and rebuild resumes it")

    # ---- the way in

    def uses_left(self, position: Position, index: int) -> int:
        """Return how often a rung may still be used."""
        used = position.rung_uses.get(index, 0) - self._rearmed(position, index)
        return max(self.entries[index].repeat - used, 0)

    def unused(self, position: Position) -> tuple[tuple[int, EntryRung], ...]:
        """Return the rungs that may still be used, with their indices.

        Once building has ended there is none, unless the plan rebuilds: a ladder that has ended
        asks for nothing, so it is not refused anything either.
        """
        if position.state is State.CLOSING or (
            position.state in (State.OPEN, State.REDUCING) and not self.rebuild
        ):
            return ()
        return tuple(
            (index, rung)
            for index, rung in enumerate(self.entries)
            if self.uses_left(position, index) > 0
        )

    def due(self, position: Position, seen: Observation) -> tuple[int, EntryRung] | None:
        """Return the first unused rung that is due, with its index, or None."""
        for index, rung in self.unused(position):
            usable_at = self._usable_at(position, index)
            cold = usable_at is not None and seen.at < usable_at
            if not cold and rung.due(position, seen):
                return index, rung
        return None

    def entry_waits(self, position: Position) -> Iterator[Wait]:
        """Yield the ways in which an unused rung may become due."""
        for index, _ in self.unused(position):
            yield from self.waits_of(position, index)

    def waits_of(self, position: Position, index: int) -> tuple[Wait, ...]:
        """Return the ways in which one rung may become due."""
        waits = self.entries[index].when.waits(position)
        usable_at = self._usable_at(position, index)
        if usable_at is None:
            return waits
        return tuple(both(wait, Wait(at=usable_at)) for wait in waits)

    def _rearmed(self, position: Position, index: int) -> int:
        if self.rearm is None:
            return 0
        sold = len(_sold_of(position, index))
        return sold if self.rearm.times is None else min(sold, self.rearm.times)

    def _usable_at(self, position: Position, index: int) -> datetime | None:
        """Return when a re-armed rung may be used again; None for one that never waited."""
        if self.rearm is None or position.rung_uses.get(index, 0) < self.entries[index].repeat:
            return None
        return max(_sold_of(position, index)) + self.rearm.cooldown

    def asking(self, index: int) -> "Plan":
        """Return the plan in which that rung is due at once, and no other."""
        entries = tuple(
            replace(rung, when=ALWAYS if place == index else NEVER)
            for place, rung in enumerate(self.entries)
        )
        return replace(self, entries=entries)

    # ---- the way out

    def exits_due(self, position: Position, seen: Observation) -> Iterator[Due]:
        """Yield what the exit rules have to sell now, in the plan's order.

        A rung that has sold its part, or whose order is working, has nothing to sell.
        """
        for index, rule in enumerate(self.exits):
            if seen.look in rule.looks:
                for claim in rule.claims(position, seen):
                    yield from _due(position, index, rule, claim)

    def levels(self, position: Position, peak_price: Decimal | None) -> Iterator[Level]:
        """Yield the prices at which an exit rule still has something to sell."""
        for index, rule in enumerate(self.exits):
            if isinstance(rule, Leveled):
                for tranche, price in rule.levels(position, peak_price):
                    if _is_pending(position, index, rule, tranche):
                        yield Level(price=price, falling=Look.LOSS_LEVEL in rule.looks)

    def arming(self, position: Position, peak_price: Decimal | None) -> Iterator[Decimal]:
        """Yield the prices, on the tick, that would arm an exit rule which does not trail yet."""
        for index, rule in enumerate(self.exits):
            if isinstance(rule, Trailing) and _left(position, rule_id(index)) != ZERO:
                yield from rule.arms(position, peak_price)

    def exit_waits(self, position: Position) -> Iterator[Wait]:
        """Yield the ways in which an exit rule may become due beside prices."""
        for index, rule in enumerate(self.exits):
            if isinstance(rule, Waiting) and _is_pending(position, index, rule, None):
                yield from rule.waits(position)

    def rungs_pending(self, position: Position, *, coming: int) -> int:
        """Return how many rungs of the ladder out have not sold their part yet.

        A rung over the tranche counts for each one that is open, and for each that is coming.

        Args:
            coming: tranches that are still to be bought.
        """
        pending = 0
        for index, rule in enumerate(self.exits):
            if isinstance(rule, TakeProfit):
                each = rule.over is Over.TRANCHE
                tranches = position.book.open if each else (None,)
                pending += sum(_is_pending(position, index, rule, one) for one in tranches)
                pending += coming if each else 0
        return pending

    @property
    def trails(self) -> bool:
        """Whether an exit rule reads the peak price."""
        return any(rule.trails for rule in self.exits)

    @property
    def sized_by_equity(self) -> bool:
        """Whether a rung is a share of equity."""
        return any(rung.of is Of.EQUITY for rung in self.entries)

    def was_stopped(self, position: Position) -> bool:
        """Say whether a stop has sold of a position, which may have been another plan's."""
        fired = {int(rule.partition("/")[0]) for rule in position.rung_left} - {BY_HAND}
        known = range(len(self.exits))
        return any(index in known and isinstance(self.exits[index], Stop) for index in fired)


def _sold_of(position: Position, index: int) -> list[datetime]:
    """Return when the tranches of an entry rung that exits named were sold out."""
    rungs = {one.id: one.rung for one in position.book.tranches}
    return [at for one, at in position.sold.items() if rungs[one] == index]


def _due(position: Position, index: int, rule: ExitRule, claim: Claim) -> Iterator[Due]:
    if claim is ALL:
        yield Due(index=index, rule=rule_id(index), text=rule.text, quantity=None)
        return
    counted = _rule_of(position, index, rule, claim.tranche)
    left = _left(position, counted)
    quantity = claim.quantity if left is None else left
    # What is too little for a step is due all the same: it waits, and says so.
    if left != ZERO:
        yield Due(index=index, rule=counted, text=rule.text, quantity=quantity, level=claim.level)


def _is_pending(position: Position, index: int, rule: ExitRule, tranche: Tranche | None) -> bool:
    """Say whether a rule still has something to sell, of a tranche where it names one."""
    return _left(position, _rule_of(position, index, rule, tranche)) != ZERO


def _rule_of(position: Position, index: int, rule: ExitRule, tranche: Tranche | None) -> RuleId:
    """Return how the position counts what a rule sells, of a tranche where it names one.

    A rung that sells one tranche goes on with the one that it has begun with.
    """
    if isinstance(rule, TakeProfit) and rule.one_tranche:
        begun = (one for one in position.rung_left if one.startswith(f"{index}/"))
        return next(begun, rule_id(index, None if tranche is None else tranche.id))
    return rule_id(index, None if tranche is None else tranche.id)


def _left(position: Position, rule: RuleId) -> Decimal | None:
    """Return the base that a rule still has to sell; None where it has not fired yet.

    While an order for it is working it has nothing to sell beside that.
    """
    if any(rule in working.order.rule_ids for working in position.working_exits):
        return ZERO
    return position.rung_left.get(rule)
