"""Durable decisions: steps of running bots against the very same statements without our code.

Every client is a process with a bot of its own, all in one portfolio. It decides, and keeps each
decision: lease, limits, journal, rows, one commit on the disk. What it said to the database is
noted, and said again to an empty one by something that does nothing else: pgbench, which a client
of its own runs for each of ours, its statements prepared; or a loop over sqlite3. The same
statements with the same values in the same transactions, so the ratio is what deciding, Python and
SQLAlchemy cost. Beside it stands how many plain writes of 4 kB a disk takes.

    PYTHONPATH=tests python bench/durable.py [--steps N] [--rounds N] [--markdown]

Exit code 0 if every database held true books afterwards, otherwise 1.
"""

import argparse
import itertools
import multiprocessing as mp
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, event

from postgres import Cluster, cluster
from store.booth import NOON, Fair, rented
from store.kept import opened_at
from store.told import differences
from tables import as_lines, machine_in_words

FAIR = Fair()
HEAD = ("books", "clients", "ours a second", "plain a second", "ours / plain", "fsyncs a second")
KINDS = (("PostgreSQL", 1), ("PostgreSQL", 4), ("PostgreSQL", 16), ("SQLite", 1), ("SQLite", 4))
LONGEST = 60  # seconds that a file is waited for by whoever would write


@dataclass(frozen=True, slots=True)
class Said:
    """A statement; None for its text is a commit."""

    text: str | None
    values: Any = ()
    many: bool = False


Notes = list[Said]


def ours(url: str, number: int, steps: int, barrier: Barrier) -> tuple[float, Notes]:
    """Decide and keep; return how many seconds that took, and what was said."""
    database = opened_at(url)
    booth, notes = rented(database, FAIR, f"bot{number}", f"S{number}/USD"), Notes()

    def note(_c: Any, _k: Any, text: str, values: Any, _x: Any, many: bool) -> None:  # noqa: FBT001 SQLAlchemy calls it so
        if not text.startswith("BEGIN"):
            notes.append(Said(text, values, many))

    engine = database._engine  # noqa: SLF001 what it says is what is measured
    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "commit", lambda _: notes.append(Said(None)))
    barrier.wait()
    begun = time.perf_counter()
    for step in range(steps):
        at = NOON + timedelta(seconds=step)
        done = booth.buy(at) if step % 2 == 0 else booth.sell(at)
        assert done.accepted
    seconds = time.perf_counter() - begun
    database.close()
    return seconds, notes


def by_pgbench(server: Cluster, url: str, notes: Sequence[Notes], folder: Path) -> float:
    """Say what each client has said to other books, at once; return how many seconds that took."""
    running = []
    for number, one in enumerate(notes):
        script = folder / f"client{number}.sql"
        script.write_text(script_of(one), encoding="utf-8")
        words = (server.bin / "pgbench", "-n", "-t", "1", "-f", script, url)
        running.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))  # noqa: S603 our own words
    said = [one.communicate()[0] for one in running]
    assert not any(one.returncode for one in running), said
    found = [re.search(r"latency average = ([0-9.]+) ms", one) for one in said]
    return max(float(one[1]) for one in found if one is not None) / 1000


def script_of(notes: Notes) -> str:
    """Return one transaction of pgbench, which is all that a client has said."""
    texts = dict.fromkeys(said.text for said in notes if said.text is not None)
    names = {text: f"s{number}" for number, text in enumerate(texts)}
    lines = [f"PREPARE {name} AS {_numbered(text)};" for text, name in names.items()]
    inside = False
    for said in notes:
        if said.text is None:
            lines.append("COMMIT;")
            inside = False
            continue
        if not inside:
            lines.append("BEGIN;")
            inside = True
        for values in said.values if said.many else (said.values,):
            given = list(map(_literal, values))
            for place, version in _versions(said.text).items():
                given[place] = version
            # Others work on the same sums, so the version is the one that was read.
            end = " \\gset v_" if _locks(said) else ";"
            called = f"({', '.join(given)})" if given else ""
            lines.append(f"EXECUTE {names[said.text]}{called}{end}")
    return "\n".join([*lines, ""])


def _numbered(text: str) -> str:
    numbers = itertools.count(1)
    return re.sub(r"%s", lambda _: f"${next(numbers)}", text)


def _literal(value: Any) -> str:
    return sql.Literal(value).as_string(None)


def _versions(text: str) -> dict[int, str]:
    """Return where a statement wants the sums' version, new and old: as pgbench is told it."""
    wanted = {
        r"UPDATE portfolio_usage SET .*?version=(%s|\?)": ":v_version + 1",
        r"portfolio_usage\.version = (%s|\?)": ":v_version",
    }
    places = {}
    for pattern, version in wanted.items():
        found = re.search(pattern, text, re.DOTALL)
        if found is not None:
            places[len(re.findall(r"%s|\?", text[: found.start(1)]))] = version
    return places


def to_file(path: str, notes: Notes, barrier: Barrier) -> float:
    """Say the same again to other books in a file; return how many seconds that took."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=LONGEST)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    barrier.wait()
    begun, version, inside = time.perf_counter(), 0, False
    for said in notes:
        if said.text is None:
            connection.execute("COMMIT")
            inside = False
            continue
        if not inside:
            connection.execute("BEGIN IMMEDIATE")
            inside = True
        if said.many:
            connection.executemany(said.text, said.values)
        else:
            found = connection.execute(said.text, _current(said, version)).fetchall()
            version = found[0][-1] if _locks(said) else version
    seconds = time.perf_counter() - begun
    connection.close()
    return seconds


def _locks(said: Said) -> bool:
    return said.text is not None and "FROM portfolio_usage" in said.text


def _current(said: Said, version: int) -> Any:
    """Return the values of a statement; the sums are of the version that others have left."""
    assert said.text is not None
    places = _versions(said.text)
    if not places:
        return said.values
    values = list(said.values)
    for place, wanted in places.items():
        values[place] = version + 1 if wanted.endswith("1") else version
    return tuple(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Decisions a second, one of each for every round.

    Attributes:
        fsyncs: a second, of one process that does nothing else.
        true: whether the books held what their journals tell.
    """

    kind: str
    clients: int
    ours: Sequence[float]
    plain: Sequence[float]
    fsyncs: Sequence[float]
    true: bool

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(a / b for a, b in zip(self.ours, self.plain, strict=True))


Job = tuple[Callable[..., Any], tuple[object, ...]]


def _run(job: Job, barrier: Barrier, answer: Connection) -> None:
    work, given = job
    answer.send(work(*given, barrier))


def at_once(jobs: Sequence[Job]) -> list[Any]:
    """Do jobs in a process each, which begin together; return what came of them, in order."""
    context = mp.get_context("spawn")
    barrier = context.Barrier(len(jobs))
    pipes = [context.Pipe(duplex=False) for _ in jobs]
    processes = [
        context.Process(target=_run, args=(job, barrier, theirs))
        for job, (_, theirs) in zip(jobs, pipes, strict=True)
    ]
    try:
        for process, (_, theirs) in zip(processes, pipes, strict=True):
            process.start()
            # One that dies is heard of: nobody else holds its end open.
            theirs.close()
        return [answer.recv() for answer, _ in pipes]
    finally:
        for process in processes:
            process.kill()
            process.join()


def prepared(url: str, clients: int, *, takes: int) -> None:
    """Make books with a bot for each client, whose lease was taken so often."""
    database = opened_at(url)
    for number in range(clients):
        for _ in range(takes):
            rented(database, FAIR, f"bot{number}", f"S{number}/USD")
    database.close()


def measured(
    kind: str,
    clients: int,
    server: Cluster,
    urls: Iterator[str],
    *,
    steps: int,
    rounds: int,
    folder: Path,
) -> Measured:
    """Measure both ways, in turn, on books of their own each time."""
    decided, said, fsyncs, true = [], [], [], True
    for _ in range(rounds):
        url, other = next(urls), next(urls)
        prepared(url, clients, takes=1)
        # Our clients take their bots once more; the plain ones have nobody to do it.
        prepared(other, clients, takes=2)
        found = at_once([(ours, (url, number, steps)) for number in range(clients)])
        decided.append(clients * steps / max(seconds for seconds, _ in found))
        notes = [one for _, one in found]
        if kind == "SQLite":
            path = other.removeprefix("sqlite:///")
            spent = max(at_once([(to_file, (path, one)) for one in notes]))
        else:
            spent = by_pgbench(server, other, notes, folder)
        said.append(clients * steps / spent)
        fsyncs.append(probe(folder))
        database = opened_at(url)
        true = true and not differences(database, cash=FAIR.cash, zone=FAIR.zone)
        database.close()
    return Measured(kind=kind, clients=clients, ours=decided, plain=said, fsyncs=fsyncs, true=true)


def probe(folder: Path, times: int = 200) -> float:
    """Return how many writes of 4 kB a second the disk takes."""
    with (folder / "probe").open("wb", buffering=0) as file:
        begun = time.perf_counter()
        for _ in range(times):
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
        return times / (time.perf_counter() - begun)


def row(one: Measured) -> tuple[str, ...]:
    """Return the cells of a row."""
    figures = (statistics.median(each) for each in (one.ours, one.plain))
    ratio = f"{one.ratio:.0%}" if one.true else "-"
    shown = (f"{figure:,.0f}" for figure in figures)
    return (one.kind, str(one.clients), *shown, ratio, f"{statistics.median(one.fsyncs):,.0f}")


def databases(server: URL) -> Iterator[str]:
    """Yield the URL of one empty database of a server after the other."""
    number = 0
    while True:
        number += 1
        maintenance = server.set(database="postgres").render_as_string()
        with psycopg.connect(maintenance, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE books{number}".encode())
        yield server.set(database=f"books{number}").render_as_string()


def files(folder: Path) -> Iterator[str]:
    """Yield the URL of one file that is not there after the other."""
    number = 0
    while True:
        number += 1
        yield f"sqlite:///{folder}/books{number}.db"


def main() -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Durable decisions against plain statements.")
    parser.add_argument("--steps", type=int, default=200, help="decisions of each client")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    given = parser.parse_args()
    with cluster(max_connections="60") as server, tempfile.TemporaryDirectory() as name:
        places = {"PostgreSQL": databases(server.url), "SQLite": files(Path(name))}
        found = [
            measured(
                kind,
                clients,
                server,
                places[kind],
                steps=given.steps,
                rounds=given.rounds,
                folder=Path(name),
            )
            for kind, clients in KINDS
        ]
    print(f"{machine_in_words()}. Medians of {given.rounds} rounds.\n")
    print("\n".join(as_lines([HEAD, *map(row, found)], words=1, markdown=given.markdown)))
    return int(not all(one.true for one in found))


if __name__ == "__main__":
    sys.exit(main())
