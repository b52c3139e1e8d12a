"""What the how-to pages add is typed, strictly, in the program that it is added to."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from transcripts import changed_program

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("name", ["exit-rule.md", "signal.md"])
def test_mypy_has_nothing_to_say_of_the_changed_program(name: str) -> None:
    """
    A rule without levels among those that have some, or the other way round, is found by it alone.
    """
    with changed_program((ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8")) as folder:
        shutil.copy(ROOT / "pyproject.toml", folder)
        checked = subprocess.run(
            [sys.executable, "-m", "mypy", "src"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )

    assert checked.stdout.startswith("Success: no issues found in ")
    assert checked.returncode == 0
