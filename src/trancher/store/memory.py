"""A store that forgets when the process ends: for backtests and tests."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trancher.core.decide import Decision
from trancher.core.events import Event
from trancher.core.order import BotName, PositionId


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One event of one position; `number` counts the whole journal from 1."""

    number: int
    position_id: PositionId
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A decision, or a run of refusals of one bot that repeat the same reasons.

    Attributes:
        first, last: the same decision where it was taken once.
        count: how often, >= 1.
    """

    first: Decision
    last: Decision
    count: int


class MemoryStore:
    """Keeps everything in lists."""

    def __init__(self) -> None:
        self.journal: list[JournalEntry] = []
        self.records: list[Record] = []
        self._latest: dict[BotName, int] = {}

    def append(self, position_id: PositionId, events: Sequence[Event]) -> None:
        for event in events:
            number = len(self.journal) + 1
            self.journal.append(JournalEntry(number=number, position_id=position_id, event=event))

    def record(self, decision: Decision) -> None:
        place = self._latest.get(decision.bot)
        if place is not None and _repeats(self.records[place].last, decision):
            old = self.records[place]
            self.records[place] = replace(old, last=decision, count=old.count + 1)
            return
        self._latest[decision.bot] = len(self.records)
        self.records.append(Record(first=decision, last=decision, count=1))


def _repeats(before: Decision, now: Decision) -> bool:
    return not now.accepted and _reasons(before) == _reasons(now)


def _reasons(decision: Decision) -> tuple[object, ...]:
    codes = tuple(refusal.code for refusal in decision.refusals)
    return decision.kind, decision.position_id, decision.reason, codes
