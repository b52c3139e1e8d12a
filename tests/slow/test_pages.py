"""The check of the made pages, asked of pages that are wrong: it runs every command they show."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with all that tools/docs.py looks at."""
    for name in ("docs", "tools", "examples", "bench"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_page_changed_by_hand_and_a_dead_link_are_found(copy: Path) -> None:
    """
    And all other made pages are what the code says.
    """
    refusals = copy / "docs" / "reference" / "refusals.md"
    refusals.write_text(refusals.read_text(encoding="utf-8").replace("recent", "late"), "utf-8")
    tutorial = copy / "docs" / "tutorial.md"
    ended = tutorial.read_text(encoding="utf-8").replace("everything that is stored", "all")
    tutorial.write_text(f"{ended}\nIt has earned `12.34`.\n", encoding="utf-8")
    (copy / "docs" / "planted.md").write_text("[gone](nowhere.md)\n", encoding="utf-8")

    checked = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, copy / "tools" / "docs.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (1, "")
    assert [line for line in checked.stdout.splitlines() if "differs" in line] == [
        "docs/tutorial.md differs from the code: run tools/docs.py",
        "docs/reference/refusals.md differs from the code: run tools/docs.py",
    ]
    assert "docs/tutorial.md says 12.34, which none of its commands prints" in checked.stdout
    assert "docs/planted.md links to nowhere.md, which is not there" in checked.stdout
