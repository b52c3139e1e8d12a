"""Two processes share one portfolio while configurations are loaded, and one of them is killed."""

from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from command_line import config, trancher
from running.crowd import DEMO, await_lines, lay_out_demo, share
from trancher.core.events import EntryAccepted
from trancher.store.database import Database, open_database
from trancher.store.entries import RunKind, VersionTaken
from trancher.store.reading import Books
from trancher.store.verify import verify

pytestmark = pytest.mark.slow

MONTH = 31 * 24
CALM = DEMO.replace("max_daily_trades = 5", "max_daily_trades = 3").replace(
    'every = "12h"', 'every = "18h"'
)
"""Of the three trades of a day one is kept back for each active position's way out."""


def entries(database: Database, *, after: date) -> Counter[date]:
    """Return how many entries were admitted on each day after one, over all bots."""
    books = Books(database)
    days = Counter[date]()
    for run in books.runs():
        for line in books.journal(run, limit=run.entries):
            if isinstance(line.entry, EntryAccepted) and line.entry.at.date() > after:
                days[line.entry.at.date()] += 1
    return days


def reached(url: str) -> datetime:
    """Return the latest time of the market that any bot has come to."""
    database = open_database(url, mode=None)
    books = Books(database)
    run = books.latest_run(kind=RunKind.RUN)
    assert run is not None
    marks = [bot.mark.at for bot in books.bots(run) if bot.mark is not None]
    database.close()
    return max(marks)


def test_processes_go_on_with_what_is_loaded_whoever_dies(empty_url: str, tmp_path: Path) -> None:
    """
    Both by themselves, and one that is begun anew: no entry of a later day is admitted by the
    limits of before, no position has two versions, and the books are true.
    """
    lay_out_demo(tmp_path, hours=MONTH)
    shares = (("dca", "profit-ladder"), ("graduated", "signals"))
    alive = [share(tmp_path, empty_url, *names) for names in shares]
    await_lines(empty_url, 40, of=alive)
    config(tmp_path / "c.toml", CALM)
    words = ("bots", "load", "c.toml", "--yes", "--db", empty_url)
    assert trancher(*words, folder=tmp_path).code == 0
    loaded_on = reached(empty_url).date()

    await_lines(empty_url, 60, of=alive)
    alive[0].kill()
    alive[0].communicate()
    alive[0] = share(tmp_path, empty_url, *shares[0])

    for one in alive:
        _, err = one.communicate(timeout=300)
        assert one.returncode == 0, err
    database = open_database(empty_url, mode=None)
    assert verify(database).differences == ()
    days = entries(database, after=loaded_on)
    assert len(days) > 5
    assert max(days.values()) <= 2
    assert 0 < len(versions_taken(database)) <= 4
    database.close()


def versions_taken(database: Database) -> list[int]:
    """Return the versions that bots went on with; each of them at most once."""
    books, taken = Books(database), list[int]()
    for run in books.runs():
        lines = books.journal(run, limit=run.entries)
        mine = [line.entry for line in lines if isinstance(line.entry, VersionTaken)]
        assert len(mine) <= 1
        taken += [one.configuration_version for one in mine]
    return taken
