"""The care of a database as a person takes it: the drill of backup and restore, an upgrade."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from app.test_books_commands import DB, FLAT, backtest, refused
from command_line import done
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
        "books.db: found schema 0001, expected schema 0002: run `trancher db upgrade`\n"
    )
    assert first == "books.db was of schema 0001, and is of schema 0002 now.\n"
    assert second == "books.db is of schema 0002 already.\n"
    assert done("status", "--db", DB, folder=tmp_path).out == before
    done("verify", "--db", DB, folder=tmp_path)
