"""What the commands on books say where a name or a file is wrong, or is left out."""

from pathlib import Path
from typing import Any, Final

import pytest

from app.kept_books import CONFIG, DB, UP, backtest
from command_line import candles, config, done, refused


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the books of one run; it is read, and not written to."""
    return tmp_path_factory.mktemp("books")


@pytest.fixture(scope="module")
def kept(folder: Path) -> Any:
    return backtest(folder, "--db", DB)


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRANCHER_DB", raising=False)


BAD: Final = [
    ("position nobody", "bot: found 'nobody'", "one of run 1: steps, late"),
    ("decisions lat", "bot: found 'lat'", "did you mean late?"),
    ("why Steps", "bot: found 'Steps'", "did you mean steps?"),
    ("db backup c.toml", "c.toml: found a file already", "--force to replace it"),
    ("db backup .", ".: found a folder", "the name of a file to write"),
    ("db backup no/kept.db", "no/kept.db: found no way to write", "a place with room"),
    ("db restore c.toml", "books.db: found books that the backup would replace", "--yes"),
    ("db restore gone.db", "gone.db: found no such file", "a backup"),
    ("db restore c.toml --yes", "c.toml: found a file that is no database", "a database"),
]


@pytest.mark.parametrize(("words", "found", "expected"), BAD, ids=[case[0] for case in BAD])
def test_bad_input_leaves_the_books_alone(
    folder: Path, kept: Any, words: str, found: str, expected: str
) -> None:
    """
    One sentence, exit code 2, and every byte where it was.
    """
    assert kept
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    said = refused(*words.split(), "--db", DB, folder=folder)

    assert said.err.startswith(found)
    assert expected in said.err.partition(", expected ")[2]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "words", ["status", "position late", "decisions late", "why late", "journal"]
)
def test_where_there_are_no_books_the_way_to_them_is_told(tmp_path: Path, words: str) -> None:
    """
    The file that is missing, and the command that makes one; reading makes none.
    """
    said = refused(*words.split(), folder=tmp_path)

    assert said.err == (
        "trancher.db: found no such file, expected a database; `trancher backtest CONFIG "
        "--data FILE --db sqlite:///trancher.db` or `trancher run CONFIG --replay FILE "
        "--db sqlite:///trancher.db` makes one\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["bots list", "bots show late", "bots revert 1"])
def test_where_no_bots_are_loaded_what_loads_some_is_told(tmp_path: Path, words: str) -> None:
    """
    A backtest would make the file, and still no bot would be in force.
    """
    said = refused(*words.split(), folder=tmp_path)

    assert said.err == (
        "trancher.db: found no such file, expected a database; `trancher bots load CONFIG "
        "--db sqlite:///trancher.db` makes one\n"
    )


@pytest.mark.parametrize("words", ["verify", "db backup kept.db"])
def test_what_cares_for_books_wants_those_that_are_meant(tmp_path: Path, words: str) -> None:
    """
    Whoever verifies or backs up has books; empty ones made instead would be worse than none.
    """
    said = refused(*words.split(), folder=tmp_path)

    assert said.err == (
        "trancher.db: found no such file, expected a database; --db or TRANCHER_DB names it\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["position", "decisions", "why"])
def test_a_bot_that_is_not_named_is_asked_for_where_there_are_several(
    folder: Path, kept: Any, command: str
) -> None:
    """
    With their names, so that the next try is right.
    """
    assert kept

    said = refused(command, "--db", DB, folder=folder)

    assert said.err == "bot: found no name, expected one of steps, late\n"


@pytest.mark.parametrize("command", ["position", "decisions", "why"])
def test_the_only_bot_needs_no_name(tmp_path: Path, command: str) -> None:
    """
    There is nobody else that could be meant.
    """
    text = CONFIG[: CONFIG.rindex("[[bot]]")]
    config(tmp_path / "c.toml", text)
    candles(tmp_path / "up.csv", *UP)
    done("backtest", "c.toml", "--data", "up.csv", "--db", DB, folder=tmp_path)

    said = done(command, "--db", DB, folder=tmp_path)

    assert said.out == done(command, "steps", "--db", DB, folder=tmp_path).out


def test_a_position_is_found_without_the_name_of_its_bot(folder: Path, kept: Any) -> None:
    """
    Its id says whose it is.
    """
    assert kept

    said = done("position", "--position", "late-1", "--db", DB, folder=folder)

    named = done("position", "late", "--position", "late-1", "--db", DB, folder=folder)
    assert said.out == named.out
