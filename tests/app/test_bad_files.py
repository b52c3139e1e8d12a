"""Bad files: whatever lies on the disk, a person gets a sentence and a script gets a 2."""

import random
import sys
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from sparing import one_in
from trancher.app import cli
from trancher.app.commands import config
from trancher.app.output import BadInput
from trancher.app.settings import load, parse

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "profit.toml"
GOOD = EXAMPLE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "found no such file"),
        (b"a = 1\nb = '\xff'", "line 2: found the byte 0xff, expected text in UTF-8"),
        (b"", "found an empty file"),
        (b"#" * 1_000_001, "found more than 1000000 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """
    The file's own troubles come before what is in it.
    """
    path = tmp_path / "c.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadInput, match=words):
        load(path)


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    """
    A folder opens on some systems and not on others; it is never read.
    """
    with pytest.raises(BadInput, match="found a folder"):
        load(tmp_path)


def test_a_byte_order_mark_is_no_key(tmp_path: Path) -> None:
    """
    Some editors write one, and nobody sees it.
    """
    path = tmp_path / "c.toml"
    path.write_text("\ufeff" + GOOD, encoding="utf-8")

    assert load(path).bots[0].name == "btc-profit"


@pytest.mark.parametrize(
    "bad", [GOOD.replace("cash = 1000", "cash = 1e3"), "", "[portfolio", "\x00"]
)
def test_the_command_leaves_with_2_and_one_line(
    bad: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    A script asks for the exit code, a person reads the line, and neither wants a traceback.
    """
    path = tmp_path / "c.toml"
    path.write_text(bad, encoding="utf-8")
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("check")(config.check)
    app.command("schema")(config.schema)
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(sys, "argv", ["trancher", "check", str(path)])

    with pytest.raises(SystemExit) as left:
        cli.main()

    printed = capsys.readouterr()
    assert left.value.code == 2
    assert printed.out == ""
    assert printed.err.startswith(f"{path}, line ")
    assert printed.err.count("\n") == 1


@given(content=st.binary(max_size=200))
def test_no_bytes_raise_anything_else(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    Whatever lies in the file, a person gets a sentence.
    """
    path = tmp_path_factory.mktemp("bytes") / "c.toml"
    path.write_bytes(content)

    with pytest.raises(BadInput):
        load(path)


TOKENS = [
    "0", "-1", "1e5", "9" * 30, "true", '"off"', '"10%"', '"-999%"', '"1h"', "[]", "{}", "nan",
    "[[1]]", '{rsi = ">50"}', '"rest"', "2020-01-01", '"\\u0000"', "0.00000000000000000001",
]  # fmt: skip


@one_in(4)
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 4))
def test_no_mutation_raises_anything_else(seed: int, changes: int) -> None:
    """
    A good configuration with lines lost, doubled, swapped or with other values loads, or is told.
    """
    chance = random.Random(seed)  # noqa: S311  # drawn by hypothesis, and no secret
    lines = GOOD.splitlines()
    for _ in range(changes):
        at = chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, chance.choice(lines))
            case 2:
                lines[at] = f"{lines[at].partition('=')[0]}= {chance.choice(TOKENS)}"
            case 3:
                cut = chance.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:cut] + chance.choice("[]{}=\"'.#,\\%x0\t") + lines[at][cut:]
            case _:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]

    try:
        parse("\n".join(lines), file="c.toml")
    except BadInput as problem:
        said = str(problem)
    else:
        said = ""

    assert "\n" not in said
    assert "another kind" not in said
