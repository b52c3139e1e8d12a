"""The care of a database as a person takes it: the drill of backup and restore, an upgrade."""

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from app.kept_books import DB, FLAT, backtest
from command_line import done, refused
from store.kept import older
from trancher.store import schema


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRANCHER_DB", raising=False)


@pytest.mark.parametrize("lost", ["regretted", "gone", "torn"])
def test_a_backup_comes_back(tmp_path: Path, lost: str) -> None:
    """
    The drill: whatever has become of the books, what was there is there again, verified.
    """
    backtest(tmp_path, "--db", DB)
    done("bots", "load", "c.toml", "--db", DB, folder=tmp_path)
    done("db", "backup", "kept.db", "--db", DB, folder=tmp_path)
    asked = [("status",), ("journal",), ("decisions", "late"), ("bots", "list"), ("verify",)]
    before = [done(*words, "--db", DB, "--json", folder=tmp_path).document for words in asked]
    backtest(tmp_path, "--db", DB, rows=(FLAT,) * 3)
    if lost == "gone":
        (tmp_path / "books.db").unlink()
    elif lost == "torn":
        (tmp_path / "books.db").write_bytes((tmp_path / "books.db").read_bytes()[:9000])

    said = done("db", "restore", "kept.db", "--yes", "--db", DB, folder=tmp_path)

    assert "verified" in said.out
    after = [done(*words, "--db", DB, "--json", folder=tmp_path).document for words in asked]
    assert after == before
    assert {path.name for path in tmp_path.iterdir()} == {
        "c.toml",
        "up.csv",
        "books.db",
        "kept.db",
    }


def test_an_older_database_is_upgraded_once_and_keeps_its_books(tmp_path: Path) -> None:
    """
    Every command names the way; after it the figures are what they were.
    """
    backtest(tmp_path, "--db", DB)
    before = done("status", "--db", DB, folder=tmp_path).out
    with create_engine(f"sqlite:///{tmp_path}/books.db").begin() as connection:
        schema.downgrade(connection, to="0001")

    said = refused("status", "--db", DB, folder=tmp_path)
    first = done("db", "upgrade", "--db", DB, folder=tmp_path).out
    second = done("db", "upgrade", "--db", DB, folder=tmp_path).out

    assert said.err == (
        "books.db: found schema 0001, expected schema 0006: run `trancher db upgrade`\n"
    )
    assert first == "books.db was of schema 0001, and is of schema 0006 now.\n"
    assert second == "books.db is of schema 0006 already.\n"
    assert done("status", "--db", DB, folder=tmp_path).out == before
    done("verify", "--db", DB, folder=tmp_path)


def test_books_of_an_older_program_answer_after_an_upgrade(tmp_path: Path) -> None:
    """
    Bytes that a program of schema 0002 wrote; what it said of them is still what is said.
    """
    older(tmp_path / "books.db")
    done("db", "upgrade", "--db", DB, folder=tmp_path)

    status = done("status", "--db", DB, "--json", folder=tmp_path).document
    position = done("position", "steps", "--db", DB, "--json", folder=tmp_path).document
    why = {bot: done("why", bot, "--db", DB, folder=tmp_path).words for bot in ("steps", "late")}
    verified = done("verify", "--db", DB, folder=tmp_path).words

    assert (status["active_positions"], status["trades_today"]) == (1, 3)
    assert Decimal(status["cash"]) == Decimal("977.4450275")
    tranches = position["position_tranches"]
    assert [one["status"] for one in tranches] == ["closed", "partly_sold"]
    assert "sells at or above 130.00 (+18.2 %)" in why["steps"]
    assert "would be active position 2 of at most 1 beside steps" in why["late"]
    assert verified.startswith("22 entries, 1 position, 1 load: everything that is stored")
    for words in ("journal", "decisions steps", "bots list", "bots show late"):
        done(*words.split(), "--db", DB, "--json", folder=tmp_path)
