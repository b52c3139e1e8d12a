"""`trancher demo`: the first command anybody runs, and the commands it tells them to run next."""

import re
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Never

import pytest

from command_line import Said, done

ENDS = re.compile(
    r" (from|until) 20[0-9-]+ [0-9:]+ UTC| at or (below|above) [0-9]| once rsi < | until (a|this) "
)
FILES = {"demo.toml", "BTC-USD.csv", "ETH-USD.csv", "SOL-USD.csv", "ADA-USD.csv"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module", autouse=True)
def offline() -> Iterator[None]:
    """Let nothing of this module reach any address."""

    def refused(*_: object) -> Never:
        raise AssertionError("the demo works offline")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refused)
        patch.setattr(socket, "getaddrinfo", refused)
        yield


@pytest.fixture(scope="module")
def said(folder: Path) -> Said:
    return done("demo", folder=folder)


@pytest.fixture(scope="module")
def document(folder: Path, said: Said) -> Any:
    """Return the document of a second run, in the same place."""
    assert said.code == 0
    return done("demo", "--json", folder=folder).document


def next_commands(said: Said) -> list[list[str]]:
    """Return the words of each command that the demo tells to try next."""
    lines = said.out.partition("Try next:")[2].splitlines()
    return [shlex.split(line)[1:] for line in lines if line.strip().startswith("trancher ")]


def test_it_says_that_the_market_is_simulated(said: Said) -> None:
    """
    Nobody may take these profits for evidence; so it comes first.
    """
    assert said.out.startswith("A simulated market: no price here ever was.")
    assert "seed 1." in said.out.splitlines()[0]


def test_all_four_patterns_trade(document: Any) -> None:
    """
    A bot that never buys, or never sells, shows nothing.
    """
    names = [bot["bot"] for bot in document["bots"]]
    assert names == ["dca", "graduated", "profit-ladder", "signals"]
    for bot in document["bots"]:
        assert bot["entries"] >= 20
        assert bot["exits"] >= 20
        assert bot["positions"] >= 20


def test_positions_are_built_and_reduced_in_parts(document: Any) -> None:
    """
    Several tranches in and several steps out are what the program is for.
    """
    tranches = [len(position["position_tranches"]) for position in document["positions"]]
    exits = [len(position["exits"]) for position in document["positions"]]

    assert (max(tranches), max(exits)) == (3, 3)
    assert document["refusals"]["MAX_ACTIVE_POSITIONS"] > 0


def test_it_leaves_its_configuration_its_candles_and_its_books(folder: Path, said: Said) -> None:
    """
    What was shown can be looked at, changed and run again; nothing else is left behind.
    """
    assert {path.name for path in folder.iterdir()} == {"trancher-demo", "trancher-demo.db"}
    assert {path.name for path in (folder / "trancher-demo").iterdir()} == FILES
    assert "The configuration and the candles are in trancher-demo/" in said.words
    assert "the books in trancher-demo.db as run 1." in said.words


def test_the_next_commands_work(folder: Path, said: Said, document: Any) -> None:
    """
    Copied from the screen, they run; and the files give to the last digit what the demo showed.
    """
    commands = next_commands(said)

    assert [words[0] for words in commands] == ["status", "why", "plan", "check", "backtest"]
    for words in commands[:4]:
        assert done(*words, folder=folder).out
    again = done(*commands[4], "--json", folder=folder).document
    kept = {"db": "sqlite:///trancher-demo.db", "run_id": 2}
    assert {**again, **kept, "elapsed": 0} == {**document, "elapsed": 0}


def test_each_bot_says_why_it_is_not_buying_and_when_that_ends(
    folder: Path, document: Any
) -> None:
    """
    On books that nobody made for the purpose: one sentence, with a time, a price or a condition.
    """
    for bot in document["bots"]:
        words = ("why", bot["bot"], "--db", "sqlite:///trancher-demo.db")
        said = done(*words, "--json", folder=folder).document

        sentence = said["sentence"]
        assert sentence.startswith(f"{bot['bot']} holds ")
        assert sentence.count(". ") == 0
        assert ENDS.search(sentence), sentence
        (line,) = done(*words, folder=folder).out.splitlines()[1:]
        assert line == sentence


def test_another_seed_is_another_market(tmp_path: Path, document: Any) -> None:
    """
    And a folder with a blank in its name is quoted, so that the next commands work there too.
    """
    other = done("demo", "--seed", "2", "--folder", "my demo", folder=tmp_path)

    assert "seed 2." in other.out
    _, _, plan, check, _ = next_commands(other)
    assert "is valid" in done(*check, folder=tmp_path).out
    told = done(*plan, "--json", folder=tmp_path).document
    assert told["bot"] == "profit-ladder"
    assert str(document["entries"]) not in other.out.split()
