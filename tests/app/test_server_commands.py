"""The commands on books of a server: the same figures as in a file, and never a password."""

from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import make_url

from app.kept_books import CONFIG, UP, backtest
from command_line import Said, candles, config, done, trancher
from store.serving import taken_down
from trancher.store.places import shown
from trancher.store.schema import SCHEMA

CANARY: Final = "canary-7351"
FILE: Final = "sqlite:///books.db"
ASKED: Final = ("status", "position steps", "decisions late", "why steps", "journal", "verify",
                "bots list", "bots show late")  # fmt: skip
# What differs from one run to the next, and where the books are.
MOVING: Final = ("elapsed", "db", "started_at", "finished_at", "loaded_at", "at", "hash")


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRANCHER_DB", raising=False)


@pytest.fixture
def db(server_url: str) -> str:
    """Return the URL of empty books, with a password that must not be seen anywhere."""
    url = make_url(server_url)
    return url.set(password=url.password or CANARY).render_as_string(hide_password=False)


def kept(folder: Path, db: str) -> Any:
    """Keep a backtest and a load; return the document of the backtest."""
    document = backtest(folder, "--db", db)
    done("bots", "load", "c.toml", "--db", db, folder=folder)
    return document


def still(document: Any) -> Any:
    """Return a document without what moves."""
    match document:
        case dict():
            return {key: still(one) for key, one in document.items() if key not in MOVING}
        case list():
            return [still(one) for one in document]
        case _:
            return document


def test_every_command_says_of_a_server_what_it_says_of_a_file(tmp_path: Path, db: str) -> None:
    """
    To the last digit: where the books are changes nothing but their place.
    """
    assert still(kept(tmp_path, db)) == still(kept(tmp_path, FILE))

    for words in ASKED:
        on_server = done(*words.split(), "--db", db, "--json", folder=tmp_path)
        in_file = done(*words.split(), "--db", FILE, "--json", folder=tmp_path)
        assert still(on_server.document) == still(in_file.document), words
        assert done(*words.split(), "--db", db, folder=tmp_path).words != ""


def test_the_database_of_the_environment_is_a_server_too(
    tmp_path: Path, db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    That is where a URL stands on a server's machine, and not in every command.
    """
    kept(tmp_path, db)
    monkeypatch.setenv("TRANCHER_DB", db)

    assert done("status", "--json", folder=tmp_path).document["run"]["id"] == 1
    said = done("verify", folder=tmp_path)
    assert "everything that is stored follows from the journal" in said.words


def test_books_on_a_server_are_upgraded_by_the_same_command(tmp_path: Path, db: str) -> None:
    """
    Every command names the way; after it the figures are what they were.
    """
    kept(tmp_path, db)
    before = done("status", "--db", db, folder=tmp_path).out
    taken_down(db, to="0001")

    said = trancher("status", "--db", db, folder=tmp_path)
    first = done("db", "upgrade", "--db", db, folder=tmp_path).words
    second = done("db", "upgrade", "--db", db, folder=tmp_path).words

    assert (said.code, said.out) == (2, "")
    older = f"found schema 0001, expected schema {SCHEMA.head}: run `trancher db upgrade`"
    assert said.err == f"{shown(db)}: {older}\n"
    assert first == f"{shown(db)} was of schema 0001, and is of schema {SCHEMA.head} now."
    assert second == f"{shown(db)} is of schema {SCHEMA.head} already."
    assert done("status", "--db", db, folder=tmp_path).out == before
    done("verify", "--db", db, folder=tmp_path)


def test_what_only_a_file_has_is_refused_in_one_sentence(tmp_path: Path, db: str) -> None:
    """
    A server has its own programs for that, and they are named.
    """
    kept(tmp_path, db)
    (tmp_path / "kept.db").touch()

    copied = trancher("db", "backup", "copy.db", "--db", db, folder=tmp_path)
    restored = trancher("db", "restore", "kept.db", "--yes", "--db", db, folder=tmp_path)

    assert (copied.code, restored.code) == (2, 2)
    assert copied.err == (
        f"{shown(db)}: found a database on a server, "
        "expected a file; what is on a server is copied by pg_dump\n"
    )
    assert "is put back by pg_restore" in restored.err
    assert not (tmp_path / "copy.db").exists()


def test_a_password_is_in_nothing_that_is_printed(tmp_path: Path, db: str) -> None:
    """
    Neither where all is well nor where anything is wrong, whatever it is.
    """
    secret = make_url(db).password
    assert secret is not None
    config(tmp_path / "c.toml", CONFIG)
    candles(tmp_path / "up.csv", *UP)
    backtests = ("backtest", "c.toml", "--data", "up.csv")
    said: list[Said] = []

    def say(*words: str, db: str) -> int:
        said.append(trancher(*words, "--db", db, folder=tmp_path))
        return said[-1].code

    assert say("status", db=db) == 2
    assert say("bots", "load", "c.toml", "--dry-run", db=db) == 0
    assert say(*backtests, db=db) == 0
    assert say(*backtests, "--json", "--report", "r.html", db=db) == 0
    assert say("bots", "list", db=db) == 2
    assert say("bots", "load", "c.toml", db=db) == 0
    assert say("bots", "revert", "9", db=db) == 2
    for words in (*ASKED, "db upgrade", "db backup x.db", "db restore x.db"):
        say(*words.split(), db=db)
        say(*words.split(), "--json", db=db)
    url = make_url(db)
    for other in (
        url.set(port=1),
        url.set(database="nowhere"),
        url.set(host="no.such.host.invalid"),
        url.set(username="nobody-here"),
        url.set(drivername="mysql"),
        url.set(query={"nonsense": "1"}),
        url.set(query={"password": secret, "sslmode": "require"}),
    ):
        wrong = other.render_as_string(hide_password=False)
        assert say("status", db=wrong) in (1, 2)
        assert say(*backtests, db=wrong) in (1, 2)
    assert say("status", db=db.replace(secret, f"{secret}@{secret}")) == 2
    assert say("status", db=f"postgresql://me:{secret}@host:port/books") == 2

    assert all(secret not in one.out + one.err for one in said)
    assert secret not in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert all(one.err.count("\n") <= 1 or "Usage" in one.err for one in said)


def test_a_server_that_is_away_is_a_failure_and_a_wrong_name_is_bad_input(tmp_path: Path) -> None:
    """
    The exit code says whether the same command may work later.
    """
    config(tmp_path / "c.toml", CONFIG)
    url = "postgresql://me@127.0.0.1:1/books"

    for words in ("status", "verify", "bots list", "bots load c.toml", "db upgrade"):
        said = trancher(*words.split(), "--db", url, folder=tmp_path)

        assert (said.code, said.out) == (1, "")
        assert said.err == f"{url}: found no server that answers, expected one that is up\n"
    said = trancher("status", "--db", "postgresql://me@127.0.0.1", folder=tmp_path)
    assert said.code == 2
    assert said.err == (
        "database: found postgresql://me@127.0.0.1, which names no database, "
        "expected postgresql://user@host/name\n"
    )
