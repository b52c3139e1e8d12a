"""Records: decisions as they are kept. A refusal that repeats with the same reasons is one record.

Every store folds decisions by `joined`, so the records are the same wherever they are kept.
"""

from dataclasses import dataclass

from trancher.core.decision import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A decision, or a run of refusals of one place that repeat the same reasons.

    Attributes:
        first, last: the same decision where it was taken once.
        count: how often, >= 1.
    """

    first: Decision
    last: Decision
    count: int


def recorded(decision: Decision) -> Record:
    """Return the record of a decision that was taken once."""
    return Record(first=decision, last=decision, count=1)


def joined(record: Record, decision: Decision) -> Record | None:
    """Return `record` with the place's next decision in it, or None where that begins another."""
    if decision.accepted or _reasons(record.last) != _reasons(decision):
        return None
    return Record(first=record.first, last=decision, count=record.count + 1)


def _reasons(decision: Decision) -> tuple[object, ...]:
    codes = tuple(refusal.code for refusal in decision.refusals)
    return decision.kind, decision.position_id, decision.reason, codes
