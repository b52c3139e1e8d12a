"""Many bots, many fills: how long the books take to answer, and how large they grow.

Bots trade through the engine in one portfolio, each with a journal of its own: three entries, a
sale of a part, a sale of all, and again; each is left with a position of five tranches.
At every tenth part of the way the books are asked what a page or a person asks, and measured.

    PYTHONPATH=tests python bench/scale.py [--bots N] [--fills N] [--server] [--png FILE]

Exit code 0 if the sums of the books are those of what the bots did, otherwise 1.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import matplotlib.pyplot as plt
from sqlalchemy import Connection, func, select, text

from postgres import cluster
from store.booth import LONG, NOON, Booth, Fair, noon
from store.kept import opened_at
from tables import as_lines, machine_in_words
from trancher.core.conditions import Look, Observation
from trancher.engine import Engine
from trancher.store import tables
from trancher.store.database import Database
from trancher.store.enrolling import take

TIMES = 25
ROUND = ("buy", "buy", "buy", "sell a part", "sell")
HEAD = ("bots", "fills", "MB", "bytes a fill", "one bot, ms", "sums, ms", "every bot, ms")
FAIR = Fair(cash=Decimal(10_000_000))
ONE_BOT = text("SELECT * FROM bot_positions WHERE bot = :bot")
EVERY_BOT = text("SELECT * FROM bot_positions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """The books at some size. Times in milliseconds, medians.

    Attributes:
        size: bytes on disk.
        one: the row of one bot in the view, with its tranches.
        sums: what the portfolio uses of its limits, and the trades of its day.
        every: the rows of all bots in the view.
    """

    bots: int
    fills: int
    size: int
    one: float
    sums: float
    every: float


def trade(database: Database, number: int, fills: int) -> None:
    """Let a bot fill so many orders, in one step."""
    name, symbol = f"bot{number}", f"S{number % 100}/USD"
    owner = FAIR.owner(database, name, symbol, clock=noon, number=number)
    taken = take(database, owner, name="bench", clock=noon, length=LONG)
    assert taken is not None
    booth = Booth(FAIR, FAIR.bot(name, symbol), taken)
    with booth.step(NOON) as engine:
        for one in range(fills):
            at = NOON + timedelta(seconds=one)
            booth.exchange.touch(booth.name, Decimal(100), at)
            # The last round sells nothing, so a position is left.
            what = "buy" if one >= fills - len(ROUND) else ROUND[one % len(ROUND)]
            deal(engine, booth, what, Observation(price=Decimal(100), at=at, look=Look.EVERYTHING))
            engine.receive()
            booth.exchange.leave(booth.name)


def deal(engine: Engine, booth: Booth, what: str, seen: Observation) -> None:
    """Buy, or sell a part or all."""
    if what == "buy":
        assert engine.add(booth.name, seen, Decimal(50), reason="bench").accepted
    else:
        share = Decimal(1) if what == "sell" else Decimal("0.5")
        assert engine.sell(booth.name, seen, share, reason="bench")


def measured(database: Database, size: Callable[[], int], bots: int) -> Grown:
    """Ask the books what people ask."""
    with database.reading() as connection:
        fills = connection.execute(select(func.count()).select_from(tables.fill)).scalar_one()
        return Grown(
            bots=bots,
            fills=fills,
            size=size(),
            one=timed(lambda: connection.execute(ONE_BOT, {"bot": f"bot{bots // 2}"}).one()),
            sums=timed(lambda: sums_of(connection)),
            every=timed(lambda: len(connection.execute(EVERY_BOT).all()), times=3),
        )


def sums_of(connection: Connection) -> Sequence[object]:
    """Return what the portfolio uses, and of its days."""
    return (
        connection.execute(select(tables.portfolio_usage)).one(),
        connection.execute(select(tables.trading_day)).all(),
    )


def timed(ask: Callable[[], object], *, times: int = TIMES) -> float:
    """Return how many milliseconds it takes, the median."""
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent)


def holds(database: Database, bots: int) -> bool:
    """Say whether the sums are those of what the bots hold."""
    with database.reading() as connection:
        usage = connection.execute(select(tables.portfolio_usage)).one()
        held = connection.execute(select(tables.position.c.open_cost).where(
            tables.position.c.state != "closed")).scalars().all()  # fmt: skip
    return bool(usage.active == bots == len(held) and sum(held) == usage.worth)


@contextmanager
def place(*, server: bool) -> Iterator[tuple[Database, Callable[[], int]]]:
    """Give empty books, and what says how many bytes they are."""
    if not server:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "books.db"
            database = opened_at(f"sqlite:///{path}")
            yield database, lambda: sum(one.stat().st_size for one in Path(name).iterdir())
            database.close()
        return
    with cluster() as own:
        database = opened_at(own.url.set(database="postgres").render_as_string())

        def size() -> int:
            with database.reading() as connection:
                asked = text("SELECT pg_database_size(current_database())")
                return int(connection.execute(asked).scalar_one())

        yield database, size
        database.close()


def row(one: Grown) -> tuple[str, ...]:
    """Return the cells of a row."""
    times = (f"{each:,.2f}" for each in (one.one, one.sums, one.every))
    size = (f"{one.size / 1e6:,.0f}", f"{one.size / max(one.fills, 1):,.0f}")
    return (f"{one.bots:,}", f"{one.fills:,}", *size, *times)


def plot(found: Sequence[Grown], file: Path) -> None:
    """Draw how size and answers grow with the fills."""
    fills = [one.fills for one in found]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    left.plot(fills, [one.size / 1e6 for one in found], marker="o")
    left.set(xlabel="fills", ylabel="MB on disk", ylim=(0, None))
    for called, values in (
        ("one bot", [one.one for one in found]),
        ("sums of the portfolio", [one.sums for one in found]),
        ("every bot", [one.every for one in found]),
    ):
        right.plot(fills, values, marker="o", label=called)
    right.set(xlabel="fills", ylabel="ms", yscale="log")
    right.legend()
    figure.savefig(file, dpi=120)


def main() -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="How the books grow.")
    parser.add_argument("--bots", type=int, default=1_000)
    parser.add_argument("--fills", type=int, default=100, help="of each bot")
    parser.add_argument("--server", action="store_true", help="on PostgreSQL")
    parser.add_argument("--png", type=Path, help="draw how they grow")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    given = parser.parse_args()
    found = []
    with place(server=given.server) as (database, size):
        for number in range(1, given.bots + 1):
            trade(database, number, given.fills)
            if number % max(given.bots // 10, 1) == 0:
                found.append(measured(database, size, number))
                print(number, "bots", file=sys.stderr)
        true = holds(database, given.bots)
    print(f"{machine_in_words()}, {'PostgreSQL' if given.server else 'SQLite'}.\n")
    print("\n".join(as_lines([HEAD, *map(row, found)], words=0, markdown=given.markdown)))
    if given.png is not None:
        plot(found, given.png)
    return int(not true)


if __name__ == "__main__":
    sys.exit(main())
