"""The latest entries of journals, of one run or of several that are shown as one."""

from datetime import UTC, datetime

from trancher.store.entries import Decided, RunStarted
from trancher.store.reading import Books, JournalLine, Run

_EARLIEST = datetime.min.replace(tzinfo=UTC)


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
    told: list[tuple[datetime, int, JournalLine]] = []
    for one in runs_of(books, run):
        latest = _EARLIEST
        for line in books.journal(one, first=max(one.entries - limit + 1, 1), limit=limit):
            # A run begins by the clock on the wall, all else is by that of the market.
            if not isinstance(line.entry, RunStarted):
                latest = max(latest, happened_at(line))
            told.append((latest, one.id, line))
    newest = sorted(told, key=lambda each: each[0])[-limit:]
    return tuple((run_id, line) for _, run_id, line in newest)


def runs_of(books: Books, run: Run) -> tuple[Run, ...]:
    """Return a run with those that are shown with it, oldest first.

    Raises:
        StoreError: they cannot be read.
    """
    if not run.together:
        return (run,)
    return tuple(one for one in books.runs() if one.id in run.together)
