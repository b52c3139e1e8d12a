"""What `--help` says: every word of it is there, and none of them is the program's own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from command_line import trancher
from trancher.app.cli import app


def commands() -> Iterator[str]:
    """Give every command by its words."""
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    for name, one in whole.commands.items():
        yield from (
            [f"{name} {each}" for each in one.commands] if isinstance(one, TyperGroup) else [name]
        )


@pytest.mark.parametrize("group", ["", "bots", "db", "data"])
def test_a_list_of_commands_tells_each_of_them_whole(tmp_path: Path, group: str) -> None:
    """
    A sentence that ends in dots in its middle tells nobody what the command does.
    """
    shown = trancher(*group.split(), "--help", folder=tmp_path)

    assert shown.code == 0
    assert "Commands:" in shown.out
    assert "..." not in shown.out.replace("[ARGS]...", "")


def test_an_option_is_called_by_what_it_takes(tmp_path: Path) -> None:
    """
    A text and a list are how the program keeps it; a person gives a price, a bot, a file.
    """
    for words in commands():
        said = trancher(*words.split(), "--help", folder=tmp_path).out
        assert not re.findall(r"--[a-z-]+ +<(?:str|path|list.*)>", said), words
