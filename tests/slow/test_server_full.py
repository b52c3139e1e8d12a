"""A server whose disk is full: bots wait for room, and go on as if there had always been some."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from command_line import done, trancher
from postgres import Cluster, cluster
from running.crowd import await_lines, candles_by, lay_out_demo, share
from running.floor import journal_at
from slow.test_faults import disk_of, fill

pytestmark = pytest.mark.slow


@contextmanager
def books_on(own: Cluster, disk: Path) -> Iterator[str]:
    """Give an empty database of a server whose tables lie on a disk of their own."""
    shutil.chown(disk, disk.parent.owner())
    url = own.url.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{disk}'".encode())
        connection.execute("CREATE DATABASE books TABLESPACE small")
    yield own.url.set(database="books").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP DATABASE books WITH (FORCE)")
        connection.execute("DROP TABLESPACE small")


def test_bots_wait_for_room_on_the_disk_of_their_server(tmp_path: Path) -> None:
    """
    What was committed is true, nothing is lost or done twice, and no process has to be begun anew.
    """
    lay_out_demo(tmp_path, hours=31 * 24)
    backtest = ("backtest", "c.toml", *candles_by("--data"), "--db", "sqlite:///tested.db")
    assert trancher(*backtest, folder=tmp_path).code == 0
    expected = journal_at(f"sqlite:///{tmp_path}/tested.db")
    lines = sum(map(len, expected.values()))
    with cluster() as own:
        disk = own.folder / "disk"
        disk.mkdir()
        with disk_of(disk, size="32m") as mounted:
            if not mounted:
                pytest.skip("the machine lets no test mount a disk of its own")
            room = disk / "room"
            room.mkdir()
            shutil.chown(disk, own.folder.owner())
            with books_on(own, room) as url:
                process = share(tmp_path, url)
                await_lines(url, lines // 3, of=[process])
                fill(disk, "mounted")
                time.sleep(3)
                assert process.poll() is None
                (disk / "filling").unlink()

                _, err = process.communicate(timeout=300)

                assert process.returncode == 0, err
                assert "found no room left on the disk" in err
                assert {bot: its for bot, its in journal_at(url).items() if its} == expected
                assert done("verify", "--db", url, folder=tmp_path).code == 0
