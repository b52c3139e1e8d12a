"""A backtest with its books in a database, and which database a person means."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from store.kept import NOW, configured, in_memory, markets, url_of
from trancher.app.keeping import (
    Kept,
    books_to_read,
    books_to_write,
    database_url,
    keep_backtest,
)
from trancher.app.output import BadInput
from trancher.store.entries import Mode, RunKind
from trancher.store.reading import Books
from trancher.store.verify import verify

HOURS = 40


class Clock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self._now = NOW

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def kept_in(file: Path) -> Kept:
    """Return a backtest of the two bots that is kept in `file`."""
    return keep_backtest(
        configured(),
        markets(HOURS),
        url=url_of(file),
        kind=RunKind.BACKTEST,
        clock=Clock(),
        progress=None,
    )


@pytest.mark.parametrize(
    ("db", "environ", "expected"),
    [
        (None, {}, "sqlite:///trancher.db"),
        (None, {"TRANCHER_DB": ""}, "sqlite:///trancher.db"),
        (None, {"TRANCHER_DB": "sqlite:///mine.db"}, "sqlite:///mine.db"),
        ("sqlite:///other.db", {"TRANCHER_DB": "sqlite:///mine.db"}, "sqlite:///other.db"),
    ],
)
def test_the_nearest_word_decides_on_the_database(
    db: str | None, environ: dict[str, str], expected: str
) -> None:
    """
    What is said at the command counts before the environment, and that before the default.
    """
    assert database_url(db, environ) == expected


def test_a_kept_backtest_is_the_same_backtest(tmp_path: Path) -> None:
    """
    Where the books go changes no figure; and each backtest is a run of its own.
    """
    memory = in_memory(hours=HOURS)

    first, second = kept_in(tmp_path / "books.db"), kept_in(tmp_path / "books.db")

    assert (first.run_id, second.run_id) == (1, 2)
    assert repr(first.backtest.bots) == repr(memory.bots)
    assert first.backtest.refusals == memory.refusals
    assert first.backtest.replayed.engine.treasury.cash == memory.replayed.engine.treasury.cash


def test_what_was_kept_can_be_read_and_verified(tmp_path: Path) -> None:
    """
    By another process, from the file alone.
    """
    kept = kept_in(tmp_path / "books.db")

    with books_to_read(url_of(tmp_path / "books.db")) as database:
        assert verify(database).differences == ()
        run = Books(database).latest_run()
        assert run is not None
        assert (run.id, run.finished_at is not None) == (kept.run_id, True)
        assert run.started_at < (run.finished_at or run.started_at)
        assert run.configuration_text == configured().text


def test_a_database_that_cannot_be_used_is_bad_input(tmp_path: Path) -> None:
    """
    A missing one for whoever reads, one of another mode for whoever writes: exit code 2.
    """
    url = url_of(tmp_path / "books.db")

    with pytest.raises(BadInput, match="found no such file"), books_to_read(url):
        pass
    with books_to_write(url, mode=Mode.LIVE, now=NOW) as database:
        assert database.identity.mode is Mode.LIVE
    with pytest.raises(BadInput, match="found the books of live trading"):
        kept_in(tmp_path / "books.db")
