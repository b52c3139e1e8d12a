"""The page about PostgreSQL is true: its SQL and its commands are run, and its roles are bound."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL

from backtest.cases import rows_from
from backtest.everything import several
from command_line import candles
from postgres import Cluster, cluster
from running.test_actor import lives_as_backtested
from store.kept import NOW
from strategies import Dial
from trancher.store.database import open_or_create
from trancher.store.entries import Mode

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = (ROOT / "docs" / "how-to" / "postgresql.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```(sql|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WHERE: Final = re.compile(r"-- (\w+) in (\w+)\n")
PASSWORDS: Final = {
    "postgres": "the first one",
    "trancher_owner": "a long one",
    "trancher_app": "another one",
}
INSERT_ONLY: Final = ("journal", "fill", "posting", "loading")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the examples and candles."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(ROOT / "examples", folder / "examples")
    candles(folder / "candles.csv", *["50000 50000 50000 50000"] * 200)
    return folder


@pytest.fixture(scope="module")
def own(desk: Path) -> Iterator[Cluster]:
    """Return a server on which everything has been done that the page says, in its order."""
    with cluster(password=PASSWORDS["postgres"]) as one:
        known = desk / "pgpass"
        lines = (f"127.0.0.1:{one.port}:*:{name}:{word}" for name, word in PASSWORDS.items())
        known.write_text("\n".join(lines), encoding="utf-8")
        known.chmod(0o600)
        exports = ""
        for kind, text in BLOCK.findall(PAGE):
            if kind == "sql":
                execute(one, text)
                continue
            exports = f"export {text.split()[1]}" if text.startswith("export ") else exports
            run(one, f"{exports}\n{text}", desk)
        yield one


def execute(own: Cluster, text: str, *, database: str | None = None) -> None:
    """Do what a block of SQL says, as whom and where it says, or in another database."""
    where = WHERE.match(text)
    assert where is not None, text
    with as_role(own, where[1], database or where[2]) as connection:
        for statement in text[where.end() :].split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())


def as_role(own: Cluster, name: str, database: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host="127.0.0.1",
        port=own.port,
        user=name,
        password=PASSWORDS[name],
        dbname=database,
        autocommit=True,
    )


def run(own: Cluster, text: str, folder: Path) -> None:
    """Run what a block says to type."""
    done = subprocess.run(  # noqa: S603 our own page
        [
            "/bin/bash",
            "-euo",
            "pipefail",
            "-c",
            text.replace("@localhost/", f"@127.0.0.1:{own.port}/"),
        ],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "PATH": f"{own.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PGPASSFILE": str(folder / "pgpass"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"


def test_the_page_shows_what_it_promises() -> None:
    """
    A test that found no block would pass every page.
    """
    kinds = [kind for kind, _ in BLOCK.findall(PAGE)]

    assert (kinds.count("sql"), kinds.count("bash")) == (4, 5)


@pytest.mark.parametrize("role", ["trancher_owner", "trancher_app"])
@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET portfolio_id = 1", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_neither_role_rewrites_the_past(own: Cluster, role: str, table: str, change: str) -> None:
    """
    The role that trades has no right to; the owner's is taken away, and a trigger is behind it.
    """
    statement = sql.SQL(change).format(sql.Identifier(table))
    with as_role(own, role, "trancher") as connection:
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(statement)
        # A row of a load may be locked for those that refer to it, and the trigger is in the way.
        expected = (
            {"42501", "23001"} if (role, table) == ("trancher_owner", "loading") else {"42501"}
        )
        assert refused.value.sqlstate in expected


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id INTEGER)",
        "DROP TABLE journal",
        "ALTER TABLE journal DISABLE TRIGGER ALL",
        "DELETE FROM position",
        "TRUNCATE orders",
        "UPDATE identity SET mode = 'live'",
        "UPDATE alembic_version SET version_num = '0001'",
        "UPDATE configuration SET text = ''",
        "CREATE OR REPLACE FUNCTION insert_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "SET session_replication_role TO replica",
    ],
)
def test_the_role_that_trades_has_the_least_rights(own: Cluster, statement: str) -> None:
    """
    It adds rows, and changes those that follow from the journal; nothing else.
    """
    with (
        as_role(own, "trancher_app", "trancher") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_the_role_that_trades_can_do_all_that_bots_do(own: Cluster) -> None:
    """
    Bots that run, die and are taken over, with what all of them share: no right is missing.
    """
    _, in_new, granted, _ = (text for kind, text in BLOCK.findall(PAGE) if kind == "sql")
    with as_role(own, "postgres", "postgres") as connection:
        connection.execute("CREATE DATABASE running OWNER trancher_owner")
    execute(own, in_new, database="running")
    owner, trader = (
        own.url.set(username=name, password=PASSWORDS[name], database="running")
        for name in ("trancher_owner", "trancher_app")
    )
    open_or_create(text_of(owner), mode=Mode.PAPER, now=NOW).close()
    execute(own, granted, database="running")

    random = Random(5)  # noqa: S311 nothing secret is drawn
    text = several([Dial(random.getrandbits(192)) for _ in range(3)])
    path, other = (rows_from([Dial(random.getrandbits(24)) for _ in range(60)]) for _ in range(2))
    lives_as_backtested(text_of(trader), text, path, other, seed=1)


def text_of(url: URL) -> str:
    """Return a URL with its password."""
    return url.render_as_string(hide_password=False)


WHOLE: Final = (
    "SELECT * FROM journal ORDER BY run_id, number",
    "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
    "SELECT relname, relacl::text FROM pg_class WHERE relkind = 'r' AND oid > 16383 ORDER BY 1",
)


def test_the_backup_came_back_whole(own: Cluster) -> None:
    """
    The same entries, guards and rights: what is restored is as bound as what was lost.
    """
    found = []
    for name in ("trancher", "restored"):
        with as_role(own, "postgres", name) as connection:
            found.append([connection.execute(query).fetchall() for query in WHOLE])

    assert found[0] == found[1]
    assert len(found[0][0]) > 3
