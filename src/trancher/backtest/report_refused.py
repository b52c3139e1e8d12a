"""Refused: what was due and not done, by position and rung, and every reason against it.

A run of refusals that was broken off by another and went on is one row again.

Invariant: of each code, the counts of the rows that have it add up to the refusals of the run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from trancher.core.decision import Kind
from trancher.core.limits import Refusal, RefusalCode
from trancher.core.order import BotName, PositionId
from trancher.store.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What one rung, or one rule, of a position was refused for the same reasons.

    Attributes:
        position_id: the position that it would have belonged to, opened or not.
        reason: the rung or rule that was due, in words.
        price: at the first time, quote per base.
        refusals: as they were measured at the first time.
        first_at, last_at: UTC.
        count: evaluations, >= 1.
    """

    bot: BotName
    position_id: PositionId
    kind: Kind
    reason: str
    price: Decimal
    refusals: tuple[Refusal, ...]
    first_at: datetime
    last_at: datetime
    count: int


def refused(records: Iterable[Record]) -> tuple[Refused, ...]:
    """Return all that was refused, in order of its first time."""
    found: dict[tuple[PositionId, Kind, str, tuple[RefusalCode, ...]], Refused] = {}
    for record in sorted(records, key=lambda one: one.first.at):
        first = record.first
        if first.accepted:
            continue
        codes = tuple(one.code for one in first.refusals)
        key = (first.position_id, first.kind, first.reason, codes)
        known = found.get(key)
        if known is None:
            found[key] = Refused(
                bot=first.bot,
                position_id=first.position_id,
                kind=first.kind,
                reason=first.reason,
                price=first.price,
                refusals=first.refusals,
                first_at=first.at,
                last_at=record.last.at,
                count=record.count,
            )
        else:
            last_at = max(known.last_at, record.last.at)
            found[key] = replace(known, last_at=last_at, count=known.count + record.count)
    return tuple(sorted(found.values(), key=lambda one: (one.first_at, one.position_id)))
