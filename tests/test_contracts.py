"""The import contracts of pyproject.toml break when the rule they state is broken.

Each test plants one import into a copy of the source and runs the linter there, as CI does.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ARROWS = "Arrows point inwards"
CORE = "Inside the core, too"
STANDARD = "The core knows the standard library only, and no world"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter on the copy in `folder`, and not on the installed package."""
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(  # noqa: S603 - our own linter, from this environment
        [linter, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def touch(folder: Path, module: str) -> Path:
    """Return the file of `module` in the copy, made with its packages where it is missing."""
    package = folder / "src" / Path(*module.split("."))
    if package.is_dir():
        return package / "__init__.py"
    file = package.with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    for parent in (file.parent, *file.parent.parents):
        if parent == folder / "src":
            break
        (parent / "__init__.py").touch()
    file.touch()
    return file


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with the source and its contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    if (ROOT / "src").is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.html", "*.js")
        shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    return tmp_path


def test_the_source_as_it_is_keeps_every_contract(copy: Path) -> None:
    """
    Otherwise the tests below would find a contract broken by something else than the plant.
    """
    touch(copy, "trancher.core.money")

    result = lint(copy)

    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("trancher.core.money", "from trancher.app import cli", ARROWS),
        ("trancher.ports", "import trancher.engine", ARROWS),
        ("trancher.store", "import trancher.market", ARROWS),
        ("trancher.newcomer", "", ARROWS),
        ("trancher.core.errors", "import trancher.core.money", CORE),
        ("trancher.core.newcomer", "", CORE),
        ("trancher.core.money", "import polars", STANDARD),
        ("trancher.core.money", "import time", STANDARD),
        ("trancher.engine", "import sqlalchemy", STANDARD),
        ("trancher.market.candles", "import polars", "polars lives in files"),
        (
            "trancher.app.cli",
            "import msgspec",
            "sqlalchemy, psycopg, alembic and msgspec live in store",
        ),
        ("trancher.backtest.replay", "import talib", "talib lives in market"),
        ("trancher.store", "import pydantic", "typer, rich and pydantic live in app"),
        ("trancher.app.cli", "import numpy", "numpy lives in files, market and backtest"),
    ],
)
def test_a_planted_import_breaks_its_contract(
    copy: Path, module: str, line: str, contract: str
) -> None:
    """
    A contract that nothing can break holds nothing.
    """
    for imported in ("app.cli", "core.money", "engine", "market.candles"):
        touch(copy, f"trancher.{imported}")
    with touch(copy, module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")

    result = lint(copy)

    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{contract} BROKEN" in result.stdout


@pytest.mark.parametrize("name", ["ports", "engine"])
def test_what_stands_around_the_core_is_held_to_the_same(name: str) -> None:
    """
    The linter refuses a contract on a module that is missing, so it is named once it is there.
    """
    package = ROOT / "src" / "trancher" / name
    there = package.is_dir() or package.with_suffix(".py").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]

    held = next(c["source_modules"] for c in contracts if c["name"] == STANDARD)

    assert (f"trancher.{name}" in held) is there
