"""The journal of a run as it grows: each entry gets its number when it comes, its link when it is
written. Nothing counts as written until the transaction has ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trancher.core.order import PositionId
from trancher.store.chain import START, link
from trancher.store.codec import ENTRIES
from trancher.store.entries import Entry, RunStarted
from trancher.store.rows import Row, key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """An entry with its place.

    Attributes:
        number: counts the entries of the run from 1.
        position_id: whose event it is; None for what is the run's.
    """

    number: int
    position_id: PositionId | None
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """Entries ready to be written, and the hash of the last of them."""

    rows: Sequence[Row]
    hash: str


class Journal:
    """The end of a run's journal: what is written of it, and what waits."""

    def __init__(self, started: RunStarted) -> None:
        self.number = 0
        self.waiting: list[Numbered] = []
        self._started: Final = started
        self._key: Final = key_of(started)
        self._hash = START

    def go_on(self, *, number: int, hash_: str) -> None:
        """Take up a journal of which `number` entries are written, the last with `hash_`."""
        assert not self.waiting
        self.number, self._hash = number, hash_

    def add(self, entry: Entry, position_id: PositionId | None = None) -> None:
        """Put an entry at the end."""
        self.number += 1
        self.waiting.append(Numbered(number=self.number, position_id=position_id, entry=entry))

    def linked(self) -> Linked:
        """Return what waits as rows, chained to what is written."""
        previous = self._hash
        rows: list[Row] = []
        for one in self.waiting:
            type_, payload = type(one.entry).__name__, ENTRIES.encode(one.entry)
            hash_ = link(
                previous,
                portfolio_id=self._started.portfolio_id,
                run_id=self._started.run_id,
                number=one.number,
                position_id=one.position_id,
                type_=type_,
                payload=payload,
            )
            rows.append(
                {
                    **self._key,
                    "number": one.number,
                    "position_id": one.position_id,
                    "type": type_,
                    "payload": payload,
                    "previous_hash": previous,
                    "hash": hash_,
                }
            )
            previous = hash_
        return Linked(rows=rows, hash=previous)

    def written(self, linked: Linked) -> None:
        """Take note that what waited is on the disk."""
        assert len(linked.rows) == len(self.waiting)
        self._hash = linked.hash
        self.waiting.clear()
