"""The documentation is true: what it tells to type works, and nothing the program has is left out.

Every block of the README and of docs/ that shows commands is run, in the order of its page, in a
folder that has what a reader has by then: the examples, the output of the demo, a file of candles.
A block of text straight after one command has to be what that command prints. The pages that
tools/docs.py makes by running are held to the letter there.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from candle_files import DATA
from command_line import FIRST_AT, done, trancher
from trancher.app.cli import app
from trancher.app.settings import load
from trancher.core.lifecycle import State
from trancher.core.limits import RefusalCode
from trancher.market.candles import write_candles
from trancher.market.simulated import simulated_candles
from transcripts import MARK

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
PAGES: Final = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
EXAMPLES: Final = sorted((ROOT / "examples").glob("*.toml"))
FENCE: Final = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
WORDS: Final = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One command line of a page, and the text that the page says it prints."""

    line: str
    prints: str | None


def shown(page: str) -> Iterator[Shown]:
    """Yield the command lines of a page, in order."""
    blocks = list(FENCE.finditer(page))
    for block, after in zip(blocks, [*blocks, None][1:], strict=True):
        if block["kind"] == "console":
            lines = [line[2:] for line in block["text"].splitlines() if line.startswith("$ ")]
        elif block["kind"] == "sh":
            lines = block["text"].splitlines()
        else:
            continue
        follows = after is not None and not page[block.end() : after.start()].strip()
        output = after["text"] if after is not None and follows and len(lines) == 1 else None
        yield from (Shown(line=line, prints=output) for line in lines)


def squeezed(text: str) -> list[str]:
    """Return the lines that hold anything, with every run of blanks as one blank."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as a reader has it after `make demo`; it is copied, and not worked in."""
    folder = tmp_path_factory.mktemp("desk") / "main"
    shutil.copytree(ROOT / "examples", folder / "examples")
    done("demo", folder=folder)
    shutil.copy(folder / "trancher-demo" / "BTC-USD.csv", folder / "candles.csv")
    return folder


WITH_COMMANDS: Final = [
    page
    for page in PAGES
    if not page.read_text(encoding="utf-8").startswith(MARK)
    and any(one.line.startswith("trancher ") for one in shown(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_what_a_page_tells_to_type_works(page: Path, desk: Path, tmp_path: Path) -> None:
    """
    The first command that fails is the last one a reader tries.
    """
    folder = shutil.copytree(desk, tmp_path / "main")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "data").symlink_to(DATA)

    for one in shown(page.read_text(encoding="utf-8")):
        program, *words = shlex.split(one.line, comments=True) or [""]
        if program != "trancher" or ("../shared" in one.line and not DATA.exists()):
            continue
        said = trancher(*words, folder=folder)
        assert said.code == 0, said.err
        assert one.prints is None or squeezed(said.out) == squeezed(one.prints)


def test_readme_and_ledger_page_are_among_the_pages_that_are_run() -> None:
    """
    A test that found no command anywhere would pass every page.
    """
    assert {"README.md", "ledger.md", "accounting.md"} <= {page.name for page in WITH_COMMANDS}
    readme = [one.line for one in shown((ROOT / "README.md").read_text(encoding="utf-8"))]
    assert sum(line.startswith("trancher ") for line in readme) >= 5


def test_every_target_of_make_that_is_told_exists() -> None:
    """
    `make` is what a reader types first.
    """
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    told = {
        one.line.split()[1]
        for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "bench" / "README.md"]
        for one in shown(page.read_text(encoding="utf-8"))
        if one.line.startswith("make ")
    } | set(re.findall(r"`make ([a-z-]+)`", WORDS))

    assert told
    assert told <= targets


def commands(group: Any, *before: str) -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *before, name)
        else:
            yield " ".join([*before, name]), command


COMMANDS: Final = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_every_option(name: str) -> None:
    """
    What is not written down is found by nobody.
    """
    reference = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    heading = rf"^## trancher {name}$(.*?)(?=^## |\Z)"
    section = re.search(heading, reference, re.MULTILINE | re.DOTALL)

    assert section is not None
    for parameter in COMMANDS[name].params:
        for word in parameter.opts:
            assert re.search(rf"^  {re.escape(word)}\b", section[1], re.MULTILINE), word
        assert parameter.help


@pytest.mark.parametrize("word", [*RefusalCode, *(state.name for state in State)])
def test_every_refusal_and_every_state_is_documented(word: str) -> None:
    """
    They are what people see when nothing happens, and what they search for.
    """
    assert f"`{word}`" in WORDS


def test_every_link_leads_somewhere() -> None:
    """
    Asked of the pages as they are, by the script that `make check` runs.
    """
    spec = spec_from_file_location("docs", ROOT / "tools" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    script: Any = module_from_spec(spec)
    spec.loader.exec_module(script)

    assert script.dead_links() == []


def test_the_embedded_example_runs_and_is_short() -> None:
    """
    A reader copies it; so it is short enough to read first, and prints what its comments promise.
    """
    file = ROOT / "examples" / "embed.py"

    ended = subprocess.run(  # noqa: S603 - our own example
        [sys.executable, file], capture_output=True, text=True, check=True
    )

    assert len(file.read_text(encoding="utf-8").splitlines()) <= 20
    assert ended.stderr == ""
    # 0.0005 from 50000 to 55000 is 2.5, 0.0001 from 49500 is 0.55.
    assert "open realized 3.0500000000" in ended.stdout
    # The plain document: 0.0005 from 50000 to 51000, and sold at 52000.
    assert "pnl=Decimal('0.5000')" in ended.stdout
    assert "pnl=Decimal('1.0000')" in ended.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_no_warning_and_trades(example: Path, tmp_path: Path) -> None:
    """
    The first configuration that anybody copies has to do something, and nothing surprising.
    """
    settings = load(example)
    data: list[str] = []
    for number, symbol in enumerate(dict.fromkeys(bot.symbol for bot in settings.bots)):
        market = simulated_candles(
            seed=number,
            count=24 * 180,
            first_at=FIRST_AT,
            start_price=Decimal(50000),
            tick=Decimal("0.01"),
            volatility=Decimal("0.6"),
        )
        write_candles(tmp_path / f"{number}.csv", market)
        data += ["--data", f"{symbol}={number}.csv"]

    said = done("backtest", example, *data, "--json", folder=tmp_path).document

    assert settings.warnings == ()
    assert all(bot["entries"] > 0 and bot["exits"] > 0 for bot in said["bots"])
