"""`trancher verify` where the books of bots that run differ: what is stopped, told and lifted."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from command_line import done, trancher
from processes import ended, started
from running.asking import BOOKS, asked, held, keep_a_day, run_on
from running.floor import backtested, copied, lay_out_moving

HALT = "halt 1: breach of often, position often-1, because of tranche (1, 1, often-1, tranche_1)"


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose bots have come to the end of a day, and one of them was changed."""
    folder = tmp_path_factory.mktemp("spoiled")
    keep_a_day(folder)
    spoil(folder, "UPDATE tranche SET highest_mark = '777' WHERE id = 'tranche_1'")
    return folder


@pytest.fixture
def folder(spoiled: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder."""
    return copied(spoiled, tmp_path)


def spoil(folder: Path, statement: str) -> None:
    """Change books behind everybody's back."""
    with closing(sqlite3.connect(folder / "books.db", isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount == 1


def test_verify_stops_the_position_and_says_how_it_ends(folder: Path) -> None:
    """
    The second time it says so again, and places nothing.
    """
    first = asked(folder, "verify")
    second = asked(folder, "verify")

    assert (first.code, first.err) == (1, "")
    assert f"{HALT}, highest_mark: found '777', expected '100.00'" in first.out
    assert first.out.endswith(
        ": no entries until `trancher resume --position often-1`; exits go on.\n"
    )
    assert second.out == first.out


def test_a_program_reads_what_was_stopped(folder: Path) -> None:
    """
    As a halt like any other.
    """
    document = asked(folder, "verify --json").document

    assert not document["verified"]
    assert document["not_frozen"] is None
    (halt,) = document["frozen"]
    assert (halt["action"], halt["scope"], halt["target"]) == ("breach", "position", "often-1")
    assert done("status", "--json", "--db", BOOKS, folder=folder).document["halts"] == [halt]


def test_the_bot_buys_nothing_until_it_is_resumed(folder: Path) -> None:
    """
    Its gain of 10 % is taken all the same; `status` and `why` say what is the matter.
    """
    asked(folder, "verify")
    assert HALT in done("status", "--db", BOOKS, folder=folder).out
    why = done("why", "often", "--db", BOOKS, folder=folder).out
    assert "its books are not what its journal says" in why
    assert "trancher resume --position often-1" in why
    refused = asked(folder, "add often --size 20 --json")
    assert refused.code == 1
    assert "RECONCILIATION_BREAK" in refused.out

    run_on(folder)

    assert held(folder) == ("0", "closed")
    assert "RECONCILIATION_BREAK" in done("decisions", "often", "--db", BOOKS, folder=folder).out
    lifted = asked(folder, "resume --position often-1")
    assert lifted.out.startswith(f"Lifted: {HALT}")
    assert asked(folder, "add often --size 20").code == 0


def test_one_can_look_and_stop_nothing(folder: Path) -> None:
    """
    The exit code is that of what was found.
    """
    said = asked(folder, "verify --no-freeze")

    assert said.code == 1
    assert "halt" not in said.out
    assert "halt" not in done("status", "--db", BOOKS, folder=folder).out


def test_a_broken_journal_stops_its_bot(folder: Path) -> None:
    """
    Nothing else of the run was compared, so nothing narrower is known.
    """
    with closing(sqlite3.connect(folder / "books.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER journal_no_update")
        connection.execute("UPDATE journal SET payload = payload || ' ' WHERE number = 3")

    said = asked(folder, "verify")

    assert said.code == 1
    assert "no entries until `trancher resume --bot " in said.out


def test_books_that_cannot_be_written_are_told_of(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    """
    What was found is said, and that nobody was stopped for it.
    """
    (folder / "books.db").chmod(0o444)
    folder.chmod(0o555)
    request.addfinalizer(lambda: folder.chmod(0o755))

    said = ended(started("verify", "--db", BOOKS, folder=folder, bound=True))

    assert said.code == 1
    assert "highest_mark: found '777'" in said.out
    assert "No entries were stopped for it: books.db: found " in said.out


def test_books_without_bots_that_run_stop_nobody(tmp_path: Path) -> None:
    """
    A backtest is told of, and that is all.
    """
    lay_out_moving(tmp_path, hours=30)
    assert backtested(tmp_path).code == 0
    with closing(sqlite3.connect(tmp_path / "tested.db", isolation_level=None)) as connection:
        connection.execute("UPDATE position SET orders_placed = 99")

    said = trancher("verify", "--json", "--db", "sqlite:///tested.db", folder=tmp_path)

    assert said.code == 1
    assert said.document["frozen"] == []
    assert said.document["not_frozen"] is None
