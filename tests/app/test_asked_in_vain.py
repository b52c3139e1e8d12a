"""`trancher add` and `sell` while the process that runs the bot says nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from command_line import done
from running.asking import BOOKS, asked, held, keep_a_day
from running.floor import copied
from trancher.core.order import BotName
from trancher.store import commands, leases
from trancher.store.database import open_database


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose bots have come to the end of a day."""
    folder = tmp_path_factory.mktemp("kept")
    keep_a_day(folder)
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the folder, whose commands have less patience."""
    monkeypatch.setattr(commands, "LASTS", timedelta(seconds=1))
    return copied(kept, tmp_path)


@contextmanager
def silent(folder: Path) -> Iterator[None]:
    """Let a process hold the lease of a bot, and do nothing with it."""
    database = open_database(f"sqlite:///{folder}/books.db", mode=None)
    now = datetime.now(UTC)
    with database.writing() as connection:
        lease = leases.take(
            connection,
            portfolio_id=1,
            bot=BotName("often"),
            owner="a silent process",
            now=now,
            length=timedelta(hours=1),
        )
    assert lease is not None
    yield
    with database.writing() as connection:
        leases.give_up(connection, lease)
    database.close()


def test_an_entry_that_nobody_answers_is_withdrawn(folder: Path) -> None:
    """
    It is said that nothing will be bought, and nothing is, whoever runs the bot next; the same
    words do it later.
    """
    words = "add often --size 20 --price 100 --id k"
    with silent(folder):
        said = asked(folder, words)
    after = held(folder)
    again = asked(folder, words)

    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "bot often: found no answer within 1 s, expected one from a silent process; nothing was "
        "bought, and nothing will be\n"
    )
    assert after == ("0.80000000", "building")
    assert (again.code, held(folder)) == (0, ("1.00000000", "building"))
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def test_a_sale_that_nobody_answers_stays_asked(folder: Path) -> None:
    """
    Whoever runs the bot next makes it.
    """
    with silent(folder):
        said = asked(folder, "sell often --price 100")
    assert said.code == 1
    assert said.err.endswith("; it is asked, and waits\n")

    assert asked(folder, "sell often --share 50% --price 100 --id other").code in {0, 1}

    assert held(folder)[0] == "0"
