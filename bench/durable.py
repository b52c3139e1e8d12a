"""Durable decisions: steps of running bots against the very same statements without our code.

Every client is a process with a bot of its own, all in one portfolio. It decides, and keeps each
decision: lease, limits, journal, rows, one commit on the disk. What it said to the database is
noted, and said again to an empty one by a loop that does nothing else: psycopg or sqlite3, the
same statements with the same values in the same transactions, by as many processes. So the ratio
is what deciding and SQLAlchemy cost. Beside it stands how many plain writes of 4 kB a disk takes.

    PYTHONPATH=tests python bench/durable.py [--steps N] [--rounds N] [--markdown]

Exit code 0 if every database held true books afterwards, otherwise 1.
"""

import argparse
import multiprocessing as mp
import os
import sqlite3
import statistics
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
from sqlalchemy import URL, event

from postgres import cluster
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


def plain(url: str, notes: Notes, barrier: Barrier) -> float:
    """Say the same again to other books; return how many seconds that took."""
    if url.startswith("sqlite"):
        return _said_to_file(url.removeprefix("sqlite:///"), notes, barrier)
    with psycopg.connect(url) as connection:
        cursor = connection.cursor()
        barrier.wait()
        begun, version = time.perf_counter(), 0
        for said in notes:
            if said.text is None:
                connection.commit()
            elif said.many:
                cursor.executemany(said.text.encode(), said.values)
            else:
                cursor.execute(said.text.encode(), _current(said, version))
                if cursor.description is not None:
                    found = cursor.fetchall()
                    version = found[0][-1] if _locks(said) else version
        return time.perf_counter() - begun


def _said_to_file(path: str, notes: Notes, barrier: Barrier) -> float:
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
    if not said.text.startswith("UPDATE portfolio_usage"):
        return said.values
    values = list(said.values)
    # At their end: the new version, the portfolio, and the version that it has to be yet.
    values[-3], values[-1] = version + 1, version
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
    kind: str, clients: int, urls: Iterator[str], *, steps: int, rounds: int, folder: Path
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
        spent = at_once([(plain, (other, notes)) for _, notes in found])
        said.append(clients * steps / max(spent))
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
