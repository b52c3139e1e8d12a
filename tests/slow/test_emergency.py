"""Eight processes enter as fast as they can on one server, and somebody stops them all."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from command_line import config, done, trancher
from postgres import cluster, connected
from processes import ended, started
from running.crowd import LEASE, Process
from trancher.core.events import EntryAccepted
from trancher.market.candles import write_candles
from trancher.market.simulated import simulated_candles
from trancher.store.codec import ENTRIES
from trancher.store.database import open_or_create
from trancher.store.entries import Mode

pytestmark = pytest.mark.slow

NAMES: Final = tuple(f"bot{number}" for number in range(8))
HEAD: Final = """\
[portfolio]
name = "rush"
quote = "USD"
cash = 1000000
max_active_positions = "off"
max_daily_trades = "off"
[instrument."BTC/USD"]
price_tick = 0.01
quantity_step = 0.00000001
"""
BOT: Final = """\
[[bot]]
name = "{name}"
symbol = "BTC/USD"
[bot.limits]
max_position_size = 1000
max_tranches = 20
tranche_cooldown = "0s"
[bot.entry]
plan = "dca"
size = 20
every = "1h"
max_tranches = 20
[bot.exit]
take_profit = [{{gain = "2%", sell = "50%"}}, {{gain = "3%", sell = "rest"}}]
stop_loss = "3%"
"""
"""It buys at every candle until it may not, sells soon, and begins again."""
ENTRIES_BEFORE: Final = 15
PATIENCE: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Rush:
    """Eight processes on a server that says when each transaction was committed."""

    folder: Path
    url: str
    processes: dict[str, Process]

    def begin(self, name: str) -> None:
        """Start the process of a bot, which waits for no other."""
        words = ("run", "c.toml", "--replay", "BTC.csv", "--bot", name, "--alone", *LEASE)
        self.processes[name] = started(*words, "--db", self.url, folder=self.folder)

    def entries(self) -> dict[str, list[datetime]]:
        """Return when each entry of each bot was committed, by the server's clock."""
        query = (
            "SELECT payload, pg_xact_commit_timestamp(xmin) FROM journal WHERE position_id <> ''"
        )
        found: dict[str, list[datetime]] = {name: [] for name in NAMES}
        for payload, at in self.rows(query):
            entry = ENTRIES.decode(payload)
            if isinstance(entry, EntryAccepted):
                found[entry.order.bot].append(at)
        return found

    def stopped_at(self) -> datetime:
        """Return when the stop was committed, by the server's clock."""
        ((at,),) = self.rows("SELECT pg_xact_commit_timestamp(xmin) FROM halt")
        assert isinstance(at, datetime)
        return at

    def rows(self, query: Any) -> list[Any]:
        with connected(self.url) as connection:
            return [tuple(row.values()) for row in connection.execute(query)]

    def wait_for_entries(self, *, after: datetime | None = None) -> None:
        """Wait until every bot has entered often enough, after a time or at all."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            since = after or datetime.min.replace(tzinfo=UTC)
            if all(
                sum(at > since for at in its) >= ENTRIES_BEFORE for its in self.entries().values()
            ):
                return
            time.sleep(0.2)
        raise AssertionError(self.entries())

    def asked(self, words: str) -> Any:
        said = trancher(*words.split(), "--db", self.url, folder=self.folder)
        assert said.code == 0, said.err
        return said.document


@pytest.fixture
def rush(tmp_path: Path) -> Iterator[Rush]:
    """Return eight processes that have all begun to enter."""
    config(tmp_path / "c.toml", HEAD, *(BOT.format(name=name) for name in NAMES))
    market = simulated_candles(
        seed=7,
        count=20_000,
        first_at=datetime(2022, 1, 1, tzinfo=UTC),
        start_price=Decimal(50_000),
        tick=Decimal("0.01"),
        volatility=Decimal(1),
    )
    write_candles(tmp_path / "BTC.csv", market)
    with cluster(fsync="off", track_commit_timestamp="on") as own:
        url = own.url.set(database="postgres").render_as_string(hide_password=False)
        open_or_create(url, mode=Mode.PAPER, now=datetime.now(UTC)).close()
        rush = Rush(folder=tmp_path, url=url, processes={})
        for name in NAMES:
            rush.begin(name)
        try:
            rush.wait_for_entries()
            yield rush
        finally:
            for one in rush.processes.values():
                one.kill()
                one.communicate()


def test_nothing_is_bought_after_a_stop_and_everything_is_sold(rush: Rush) -> None:
    """
    Not one entry is committed after it, by the server's own clock, though all go on looking.
    """
    asked_at = time.monotonic()
    said = rush.asked("stop --action flatten --json")
    took = time.monotonic() - asked_at
    time.sleep(3)

    late = {name: its for name, its in entries_after(rush, rush.stopped_at()).items() if its}
    assert late == {}
    assert took < 10
    assert everything_is_flat(rush)
    assert [one["bot"] for one in said["results"]] == list(NAMES)
    assert [one["problem"] for one in said["results"]] == [None] * len(NAMES)
    assert all(one.poll() is None for one in rush.processes.values())
    resumed_at = rush.stopped_at()
    rush.asked("resume --json")
    rush.wait_for_entries(after=resumed_at)
    for one in rush.processes.values():
        one.terminate()
    assert {ended(one).code for one in rush.processes.values()} == {1}
    assert done("verify", "--db", rush.url, folder=rush.folder).code == 0


def test_it_reaches_the_bot_of_a_process_that_is_killed(rush: Rush) -> None:
    """
    One dies just before it and one right after it; both bots are flat, and stay so when they
    are taken over.
    """
    rush.processes[NAMES[0]].kill()
    stopping = started("stop", "--action", "flatten", "--json", "--db", rush.url,
                       folder=rush.folder)  # fmt: skip
    until = time.monotonic() + PATIENCE
    while not rush.rows("SELECT 1 FROM halt") and time.monotonic() < until:
        time.sleep(0.01)
    rush.processes[NAMES[1]].kill()
    said = ended(stopping)
    for name in NAMES[:2]:
        rush.processes[name].communicate()
        rush.begin(name)
    time.sleep(5)

    assert said.code == 0, said.err
    assert [one["bot"] for one in said.document["results"]] == list(NAMES)
    assert not any(entries_after(rush, rush.stopped_at()).values())
    assert everything_is_flat(rush)
    assert [one.poll() for one in rush.processes.values()] == [None] * len(NAMES)
    resumed_at = rush.stopped_at()
    rush.asked("resume --json")
    rush.wait_for_entries(after=resumed_at)
    assert done("verify", "--db", rush.url, folder=rush.folder).code == 0


def entries_after(rush: Rush, at: datetime) -> dict[str, list[timedelta]]:
    """Return how long after a time each later entry came."""
    return {name: [one - at for one in its if one > at] for name, its in rush.entries().items()}


def everything_is_flat(rush: Rush) -> bool:
    document = done("status", "--json", "--db", rush.url, folder=rush.folder).document
    active: int = document["active_positions"]
    return active == 0
