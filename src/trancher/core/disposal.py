"""Disposal: which tranches a sale consumes, and how much of each.

To add a rule: a word in Disposal, a case in takings.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from trancher.core.errors import AmbiguousTranche, OversoldPosition, UnknownTranche
from trancher.core.money import SHARE_QUANTUM, ZERO, share_of
from trancher.core.tranches import Disposal, Sale, Tranche


def takings(
    rule: Disposal, tranches: Sequence[Tranche], sale: Sale
) -> Sequence[tuple[Tranche, Decimal]]:
    """Return the tranches that `sale` consumes, each with the base it gives, > 0.

    Args:
        tranches: what is open, in order of opening; together at least `sale.consumed`.

    Raises:
        OversoldPosition: the tranches that the sale names hold less than it asks.
        UnknownTranche, AmbiguousTranche: `specific` cannot tell which tranche is meant.
    """
    if sale.shares:
        return _by_share(tranches, sale)
    match rule:
        case Disposal.FIFO:
            return _in_turn(tranches, sale.consumed)
        case Disposal.LIFO:
            return _in_turn(reversed(tranches), sale.consumed)
        case Disposal.HIFO:
            return _in_turn(_dearest_first(tranches), sale.consumed)
        case Disposal.AVERAGE:
            return _evenly(tranches, sale.consumed)
        case Disposal.SPECIFIC:
            return _named(tranches, sale)
        case _:
            assert_never(rule)


def next_tranche(rule: Disposal, tranches: Sequence[Tranche]) -> Tranche:
    """Return the tranche that `rule` would consume first; the oldest where it takes of all.

    Args:
        tranches: what is open, in order of opening; at least one.
    """
    match rule:
        case Disposal.FIFO | Disposal.AVERAGE | Disposal.SPECIFIC:
            return tranches[0]
        case Disposal.LIFO:
            return tranches[-1]
        case Disposal.HIFO:
            return _dearest_first(tranches)[0]
        case _:
            assert_never(rule)


def _dearest_first(tranches: Sequence[Tranche]) -> list[Tranche]:
    # The sort is stable: of equal prices the oldest goes first.
    return sorted(tranches, key=lambda t: -Fraction(t.cost) / Fraction(t.quantity))


def _in_turn(tranches: Iterable[Tranche], quantity: Decimal) -> list[tuple[Tranche, Decimal]]:
    takings: list[tuple[Tranche, Decimal]] = []
    left = quantity
    for tranche in tranches:
        if left == 0:
            break
        taken = min(left, tranche.open_quantity)
        takings.append((tranche, taken))
        left -= taken
    return takings


def _evenly(tranches: Sequence[Tranche], quantity: Decimal) -> list[tuple[Tranche, Decimal]]:
    """Take the same fraction of each, floored to 1e-18; the largest takes what is over."""
    held = sum((tranche.open_quantity for tranche in tranches), ZERO)
    taken = {
        tranche.id: tranche.open_quantity
        if quantity == held
        else share_of(quantity, tranche.open_quantity, held, quantum=SHARE_QUANTUM)
        for tranche in tranches
    }
    over = quantity - sum(taken.values(), ZERO)
    # The largest may have too little room for the rest when nearly all is sold; then the next.
    for tranche in sorted(tranches, key=lambda t: t.open_quantity, reverse=True):
        more = min(over, tranche.open_quantity - taken[tranche.id])
        taken[tranche.id] += more
        over -= more
    return [(tranche, taken[tranche.id]) for tranche in tranches if taken[tranche.id] > 0]


def _by_share(tranches: Sequence[Tranche], sale: Sale) -> list[tuple[Tranche, Decimal]]:
    """Take what the sale names, in its order; what it needs beyond that from the same, then all.

    More may be needed than was named where a fee is taken in base, or where another sale has
    consumed a named tranche meanwhile. What was sold has been sold: it is booked all the same.
    """
    known = {tranche.id: tranche for tranche in tranches}
    named = [(known[one], share) for one, share in sale.shares if one in known]
    left, taken = sale.consumed, dict.fromkeys(known, ZERO)
    for tranche, most in (*named, *((one, None) for one, _ in named), *_without_end(tranches)):
        room = tranche.open_quantity - taken[tranche.id]
        part = min(left, room if most is None else min(most, room))
        taken[tranche.id] += part
        left -= part
    return [(tranche, taken[tranche.id]) for tranche in tranches if taken[tranche.id] > 0]


def _without_end(tranches: Iterable[Tranche]) -> Iterable[tuple[Tranche, None]]:
    return ((tranche, None) for tranche in tranches)


def _named(tranches: Sequence[Tranche], sale: Sale) -> list[tuple[Tranche, Decimal]]:
    known = {tranche.id: tranche for tranche in tranches}
    if not sale.tranche_ids and len(known) > 1:
        raise AmbiguousTranche(known=tuple(known))
    for tranche_id in sale.tranche_ids:
        if tranche_id not in known:
            raise UnknownTranche(tranche_id=tranche_id, known=tuple(known))
    chosen = [known[tranche_id] for tranche_id in dict.fromkeys(sale.tranche_ids or known)]
    held = sum((tranche.open_quantity for tranche in chosen), ZERO)
    if sale.consumed > held:
        raise OversoldPosition(asked=sale.consumed, held=held)
    return _in_turn(chosen, sale.consumed)
