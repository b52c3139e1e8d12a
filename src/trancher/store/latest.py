"""The latest entries of journals, of one run or of several that are shown as one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from trancher.store.entries import ByTheWall, Decided
from trancher.store.reading import Books, JournalLine, Run

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


def happened_at(line: JournalLine) -> datetime:
    """Return when the entry of a line happened: the last time, where it repeats."""
    entry = line.entry
    return entry.record.last.at if isinstance(entry, Decided) else entry.at


def latest_entries(books: Books, run: Run, *, limit: int) -> tuple[tuple[int, JournalLine], ...]:
    """Return the latest entries of a run and those that are shown with it, newest last.

    Each comes with the number of its run. Those of one run keep their order; between runs the time
    of the market decides.

    Raises:
        StoreError: they cannot be read.
    """
    told = [
        books.journal(one, first=max(one.entries - limit + 1, 1), limit=limit)
        for one in runs_of(books, run)
    ]
    ids = [one.id for one in runs_of(books, run)]
    return tuple((ids[place], line) for place, line in in_order(told)[-limit:])


def in_order(journals: Sequence[Sequence[JournalLine]]) -> list[tuple[int, JournalLine]]:
    """Return the entries of journals as one, each with the place of its journal.

    Those of one journal keep their order; between journals the time of the market decides, and of
    equal times their place.
    """
    told: list[tuple[datetime, int, JournalLine]] = []
    for place, journal in enumerate(journals):
        latest = _EARLIEST
        for line in journal:
            if not isinstance(line.entry, ByTheWall):
                latest = max(latest, happened_at(line))
            told.append((latest, place, line))
    return [(place, line) for _, place, line in sorted(told, key=lambda each: each[0])]


def runs_of(books: Books, run: Run) -> tuple[Run, ...]:
    """Return a run with those that are shown with it, oldest first.

    Raises:
        StoreError: they cannot be read.
    """
    if not run.together:
        return (run,)
    return tuple(one for one in books.runs() if one.id in run.together)
