"""A store that forgets when the process ends: for backtests and tests."""

from collections.abc import Sequence
from dataclasses import dataclass

from trancher.core.decision import Decision
from trancher.core.events import Event
from trancher.core.order import PositionId, SeatName
from trancher.core.position import Position
from trancher.store.records import Record, joined, recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One event of one position; `number` counts the whole journal from 1."""

    number: int
    position_id: PositionId
    event: Event


class MemoryStore:
    """Keeps everything in lists."""

    def __init__(self) -> None:
        self.journal: list[JournalEntry] = []
        self.records: list[Record] = []
        self._latest: dict[SeatName, int] = {}

    def append(self, position: Position, events: Sequence[Event]) -> None:
        for event in events:
            number = len(self.journal) + 1
            self.journal.append(JournalEntry(number=number, position_id=position.id, event=event))

    def record(self, decision: Decision) -> None:
        place = self._latest.get(decision.seat)
        grown = None if place is None else joined(self.records[place], decision)
        if place is not None and grown is not None:
            self.records[place] = grown
            return
        self._latest[decision.seat] = len(self.records)
        self.records.append(recorded(decision))
