"""An upgrade that is killed, again and again, while it makes a long run anew."""

import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

import pytest
from sqlalchemy import create_engine

from command_line import done
from faults import TIMES
from processes import ended, started
from store.kept import BUSY, keep, opened, rows_of, url_of
from trancher.store import schema
from trancher.store.schema import SCHEMA

pytestmark = pytest.mark.slow

UPGRADE: Final = ("db", "upgrade", "--db", "sqlite:///books.db")
KILLS: Final = 4 * TIMES


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Return books of more than ten thousand entries, in the form of schema 0002."""
    file = tmp_path / "older.db"
    database = opened(file)
    keep(database, hours=6_000, text=BUSY)
    database.close()
    with create_engine(url_of(file)).begin() as connection:
        schema.downgrade(connection, to="0002")
    return file


def revision_after(folder: Path, older: Path, *, seconds: float) -> str:
    """Kill an upgrade of the books after so many seconds; return the schema that is left."""
    file = folder / "books.db"
    shutil.copy(older, file)
    process = started(*UPGRADE, folder=folder)
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    ended(process)
    ((revision,),) = [row.values() for row in rows_of(file)["alembic_version"]]
    assert isinstance(revision, str)
    return revision


def test_an_upgrade_that_is_killed_is_done_or_not(older: Path, tmp_path: Path) -> None:
    """
    Old or new and never between, whenever the process dies; the same command again does it.
    """
    before = rows_of(older)
    began = time.monotonic()
    shutil.copy(older, tmp_path / "books.db")
    assert ended(started(*UPGRADE, folder=tmp_path)).code == 0
    whole = time.monotonic() - began
    random = Random(3)  # noqa: S311 nothing secret is drawn
    left = []

    # The first one dies early, so the older schema is left at least once.
    for number, moment in enumerate([0.2, *(random.random() for _ in range(KILLS - 1))]):
        folder = tmp_path / str(number)
        folder.mkdir()
        revision = revision_after(folder, older, seconds=moment * whole)
        left.append(revision)
        if revision == "0002":
            assert rows_of(folder / "books.db") == before
            done(*UPGRADE, folder=folder)
        done("verify", "--db", "sqlite:///books.db", folder=folder)
        shutil.rmtree(folder)

    assert "0002" in left
    assert set(left) <= {"0002", SCHEMA.head}
