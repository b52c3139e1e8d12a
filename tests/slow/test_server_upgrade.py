"""An upgrade on a server that is killed, again and again, from every revision there is."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from psycopg import sql

from command_line import done
from postgres import Cluster, ask, cluster, connected
from processes import ended, started
from store.kept import BUSY, keep, load, opened_at
from store.serving import made, taken_down
from trancher.store import tables
from trancher.store.schema import SCHEMA

pytestmark = pytest.mark.slow

OLDER: Final = SCHEMA.revisions[:-1]
KILLS: Final = -(-20 // len(OLDER))
BEGUN: Final = (
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_NUMBERS: Final = count(1)


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """Return a server with the books of every older schema, `r0001` and so on, a run in each."""
    with cluster(fsync="off") as one:
        opened = opened_at(_url(one, "postgres"))
        keep(opened, hours=800, text=BUSY)
        load(opened)
        opened.close()
        for revision in OLDER:
            with connected(_url(one, "template1")) as connection:
                connection.execute(_copied(f"r{revision}", "postgres"))
            taken_down(_url(one, f"r{revision}"), to=revision)
        yield one


def _url(own: Cluster, name: str) -> str:
    return own.url.set(database=name).render_as_string()


def _copied(name: str, template: str) -> sql.Composed:
    names = sql.Identifier(name), sql.Identifier(template)
    return sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names)


@contextmanager
def copy(own: Cluster, revision: str) -> Iterator[str]:
    """Give a copy of the books of an older schema."""
    name = f"copy_{next(_NUMBERS)}"
    with connected(_url(own, "postgres")) as connection:
        connection.execute(_copied(name, f"r{revision}"))
        yield _url(own, name)
        dropped = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        connection.execute(dropped)


def state(url: str) -> dict[str, Any]:
    """Return all that a database is: every object that it has, and every row of every table."""
    with connected(url) as connection:
        there = {
            row["name"]
            for row in connection.execute(
                "SELECT relname AS name FROM pg_class WHERE relkind = 'r' "
                "AND relnamespace = 'public'::regnamespace"
            )
        }
        rows = {
            name: sorted(
                map(
                    repr,
                    connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name))),
                )
            )
            for name in there
        }
    return {"objects": made(url), "rows": rows}


def revision_of(url: str) -> str:
    ((revision,),) = [row.values() for row in ask(url, "SELECT version_num FROM alembic_version")]
    assert isinstance(revision, str)
    return revision


@pytest.mark.parametrize("revision", OLDER)
def test_an_upgrade_of_a_server_that_is_killed_is_done_or_not(
    own: Cluster, tmp_path: Path, revision: str
) -> None:
    """
    Old or new and never between, whenever the process dies; the same command again does it.
    """
    random = Random(int(revision))  # noqa: S311 nothing secret is drawn
    before = state(_url(own, f"r{revision}"))
    left = []
    with copy(own, revision) as url:
        began = time.monotonic()
        done("db", "upgrade", "--db", url, folder=tmp_path)
        whole = time.monotonic() - began
        after = state(url)

    # The first one dies as soon as it has begun, so the older schema is left at least once.
    for moment in [0.0, *(random.random() * 2 for _ in range(KILLS - 1))]:
        with copy(own, revision) as url:
            process = started("db", "upgrade", "--db", url, folder=tmp_path)
            while not ask(url, BEGUN) and process.poll() is None:
                time.sleep(0.01)
            with suppress(subprocess.TimeoutExpired):
                process.wait(moment * whole)
            process.kill()
            ended(process)
            found = revision_of(url)
            left.append(found)
            if found == revision:
                assert state(url) == before
                done("db", "upgrade", "--db", url, folder=tmp_path)
            assert state(url) == after
            done("verify", "--db", url, folder=tmp_path)

    assert revision in left, left
    assert set(left) <= {revision, SCHEMA.head}
    assert set(before["rows"]) <= {*tables.metadata.tables, "alembic_version"}
