"""Disks as they are: read-only, full, or another user's. One sentence, and nothing is lost.

Where the machine lets a test mount disks of its own, it does; elsewhere permissions, or a limit on
the size of files, stand for them.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from command_line import Said, config, done
from processes import ended, started
from store.kept import BUSY, TEXT, keep, load, markets, opened
from trancher.market.candles import write_candles

pytestmark = pytest.mark.slow

DB: Final = ("--db", "sqlite:///disk/books.db")
READING: Final = ("status", "position often", "why often", "journal", "verify", "bots list",
                  "db upgrade")  # fmt: skip
BACKTEST: Final = "backtest c.toml --data BTC/USD=BTC.csv --data ETH/USD=ETH.csv"
FULL: Final = {
    "mounted": "found no room left on the disk, expected room for the books",
    "limited": "found a disk that does not take or give the data, expected a working disk with "
    "room",
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return books with one run and one load."""
    file = tmp_path_factory.mktemp("kept") / "books.db"
    database = opened(file)
    keep(database, hours=20)
    load(database)
    database.close()
    return file


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder with a disk, a configuration and candles."""
    (tmp_path / "disk").mkdir()
    config(tmp_path / "c.toml", BUSY)
    for symbol, source in markets(2_000).items():
        write_candles(tmp_path / f"{symbol[:3]}.csv", source.candles)
    return tmp_path


def mount(disk: Path, *options: str) -> bool:
    """Mount a disk in memory, or change how it is; say whether the machine allows it."""
    words = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(disk)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603 our own words


@contextmanager
def disk_of(disk: Path, *, size: str) -> Iterator[bool]:
    """Make `disk` a disk of its own, and say whether it is one."""
    mounted = mount(disk, f"size={size}")
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], check=True)  # noqa: S603, S607 our own words


def verified(desk: Path) -> list[bool]:
    """Return for each run whether it came to its end, once all that is there is true."""
    document = done("verify", *DB, "--json", folder=desk).document
    assert document["verified"] is True
    return [run["finished"] for run in document["runs"]]


@pytest.mark.parametrize("what", ["file", "folder", "both", "disk"])
def test_books_that_may_not_be_written_are_read_and_not_written(
    kept: Path, desk: Path, what: str
) -> None:
    """
    A copy put aside is there to be looked at. To write it is bad input, and leaves every byte.
    """
    disk = desk / "disk"
    with disk_of(disk, size="32m") as mounted:
        file = Path(shutil.copy(kept, disk))
        before = file.read_bytes()
        file.chmod(0o666 if what == "folder" else 0o444)
        disk.chmod(0o777 if what == "file" else 0o555)
        bound = what != "disk" or not mounted or not mount(disk, "remount", "ro")

        for words in READING:
            said = ended(started(*words.split(), *DB, folder=desk, bound=bound))
            assert (said.code, said.err) == (0, ""), words
        for words in (BACKTEST, "bots load c.toml --yes", "bots revert 1 --dry-run"):
            said = ended(started(*words.split(), *DB, folder=desk, bound=bound))
            if "--dry-run" in words:
                assert said.code == 0
                continue
            assert (said.code, said.out) == (2, ""), words
            assert said.err == (
                "disk/books.db: found a file that may not be written, "
                "expected one that may be written\n"
            )
        assert file.read_bytes() == before
        disk.chmod(0o777) if bound else mount(disk, "remount", "rw")
        assert verified(desk) == [True]


def test_a_new_database_where_nothing_may_be_written_is_bad_input(desk: Path) -> None:
    """
    Said before anything is bought, and no file appears.
    """
    (desk / "disk").chmod(0o555)

    for words in (BACKTEST, "bots load c.toml"):
        said = ended(started(*words.split(), *DB, folder=desk, bound=True))

        assert (said.code, said.out) == (2, "")
        assert said.err == (
            "disk/books.db: found no way to open it, "
            "expected a file in a folder that may be written\n"
        )
    assert list((desk / "disk").iterdir()) == []


@contextmanager
def small(disk: Path) -> Iterator[str]:
    """Give `disk` two megabytes, or say that files have to be limited to them."""
    with disk_of(disk, size="2m") as mounted:
        yield "mounted" if mounted else "limited"


def told(desk: Path, *words: str, how: str, largest: int = 2_000_000) -> Said:
    """Run a command on a small disk, or with small files."""
    return ended(started(*words, *DB, folder=desk, largest=None if how == "mounted" else largest))


def test_a_disk_that_fills_up_leaves_whole_batches(desk: Path) -> None:
    """
    What was committed before is true, the run is known as unfinished, and a later one ends well.
    """
    with small(desk / "disk") as how:
        said = told(desk, *BACKTEST.split(), how=how)

        assert (said.code, said.out) == (1, "")
        assert said.err == f"disk/books.db: {FULL[how]}\n"
        assert verified(desk) == [False]
        if how == "mounted":
            assert mount(desk / "disk", "remount", "size=64m")
        done(*BACKTEST.split(), *DB, folder=desk)
        assert verified(desk) == [False, True]


def test_a_load_that_finds_no_room_leaves_the_one_before(kept: Path, desk: Path) -> None:
    """
    And so does a backup: half of one is none, and the books stay as they are.
    """
    disk = desk / "disk"
    with small(disk) as how:
        shutil.copy(kept, disk)
        fill(disk, how)
        config(desk / "c.toml", TEXT.replace("cash = 500", "cash = 600"))

        said = told(desk, "bots", "load", "c.toml", "--yes", how=how, largest=8_000)
        copied = told(desk, "db", "backup", "disk/copy.db", how=how, largest=8_000)

        assert (said.code, said.out) == (1, "")
        assert said.err == f"disk/books.db: {FULL['mounted']}\n"
        assert (copied.code, copied.out, copied.err.count("\n")) == (1, "", 1)
        assert sorted(path.name for path in disk.iterdir() if "-" not in path.name) == [
            "books.db", "filling",
        ]  # fmt: skip
        (disk / "filling").unlink()
        assert verified(desk) == [True]
        assert done("bots", "list", *DB, "--json", folder=desk).document["bots"][0]["version"] == 1


def test_books_put_back_on_a_full_disk_are_put_back_later(kept: Path, desk: Path) -> None:
    """
    The books that were to be replaced stay, until there is room for both.
    """
    disk = desk / "disk"
    shutil.copy(kept, desk / "saved.db")
    with small(disk) as how:
        shutil.copy(kept, disk)
        before = (disk / "books.db").read_bytes()
        fill(disk, how)

        said = told(desk, "db", "restore", "saved.db", "--yes", how=how, largest=8_000)

        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
        assert (disk / "books.db").read_bytes() == before
        (disk / "filling").unlink()
        done("db", "restore", "saved.db", "--yes", *DB, folder=desk)
        assert verified(desk) == [True]


def fill(disk: Path, how: str) -> None:
    """Leave no room on a disk."""
    with (disk / "filling").open("wb", buffering=0) as file:
        if how != "mounted":
            return
        try:
            while True:
                file.write(b"0" * 4096)
        except OSError:
            return
