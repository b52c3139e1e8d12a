"""A rule and a signal are added as the pages say: in two source files, and in nothing else.

Each page makes its changes in a copy of the program. What its commands print is held by
tools/docs.py; here its tests are run, and what it says belongs to a change is asked for.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from transcripts import MARK, changed_program

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).resolve().parent.parent.parent
TEST: Final = re.compile(r"^```python\n# (tests/\S+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REFERENCE: Final = re.compile(r"^```markdown\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STARTER: Final = re.compile(r"^```text\n(# .*?)^```$", re.MULTILINE | re.DOTALL)
NAMED: Final = (
    "tests/app/test_config_commands.py::test_init_names_every_key_that_a_bot_may_have",
    "tests/app/test_settings.py::test_every_key_is_documented",
    "tests/app/test_settings.py::test_every_parameter_and_event_of_a_signal_is_documented",
)
"""The tests that ask for a key in what `init` writes and in the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that adds something to the program.

    Attributes:
        files: that it changes, below src/trancher.
        traded: of what its backtest shows, the row that only a working change prints.
        asked_by: the tests of NAMED that fail until its lines are written.
    """

    name: str
    files: Sequence[str]
    traded: str
    asked_by: Sequence[str]

    @property
    def text(self) -> str:
        return (ROOT / "docs" / "how-to" / self.name).read_text(encoding="utf-8")


PAGES: Final = (
    Page(
        name="exit-rule.md",
        files=("app/exit_grammar.py", "core/exits.py"),
        traded=" keeper  give back 50 % of the best gain      1 ",
        asked_by=NAMED[:2],
    ),
    Page(
        name="signal.md",
        files=("app/signal_grammar.py", "market/signals.py"),
        traded=" breakout  BTC/USD  CLOSED          1        2      1 ",
        asked_by=NAMED,
    ),
)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pytest.fixture
def clone(page: Page) -> Iterator[Path]:
    """Work with a clone in which the changes of the page are made."""
    with changed_program(page.text) as folder:
        for name in ("tests", "docs"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "pyproject.toml", folder)
        yield folder


def ran(clone: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests of a clone against its own program."""
    return subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )


@each_page
def test_exactly_two_source_files_change(page: Page, clone: Path) -> None:
    """
    The third would be the one that somebody forgets.
    """
    before, after = (
        {path.relative_to(package): path.read_bytes() for path in package.rglob("*.*")}
        for package in (ROOT / "src" / "trancher", clone / "src" / "trancher")
    )
    kept = {path: text for path, text in before.items() if "__pycache__" not in path.parts}

    changed = {path for path in kept.keys() | after.keys() if kept.get(path) != after.get(path)}

    assert sorted(map(str, changed)) == sorted(page.files)


@each_page
def test_what_the_page_adds_has_traded(page: Page) -> None:
    """
    By its mark tools/docs.py runs it, so what it shows is what the changed program prints.
    """
    assert page.text.startswith(MARK)
    assert page.traded in page.text


@each_page
def test_the_tests_of_a_page_pass(page: Page, clone: Path) -> None:
    """
    By hand, and that a backtest that jumps equals one that visits every candle.
    """
    shown = TEST.findall(page.text)
    for name, text in shown:
        (clone / name).write_text(text, encoding="utf-8")

    ended = ran(clone, *(name for name, _ in shown))

    assert ended.returncode == 0, ended.stdout
    assert re.search(r"\b[4-9] passed", ended.stdout)


@each_page
def test_what_a_page_tells_to_add_is_what_the_tests_ask_for(page: Page, clone: Path) -> None:
    """
    Without these lines a key is found by nobody; with them nothing is missing.
    """
    (lines,), (example,) = REFERENCE.findall(page.text), STARTER.findall(page.text)
    reference = clone / "docs" / "reference" / "configuration.md"
    starter = clone / "src" / "trancher" / "app" / "starter.toml"

    without = ran(clone, *NAMED)
    for file, more in ((reference, lines), (starter, example)):
        file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    completed = ran(clone, *NAMED)

    failed = re.findall(r"^FAILED ([\w/.:]+)", without.stdout, re.MULTILINE)
    assert sorted(failed) == sorted(page.asked_by)
    assert completed.returncode == 0, completed.stdout
