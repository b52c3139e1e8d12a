"""What is read back is what a run in memory has, value by value."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postgres import empty_database
from store.kept import LATER, NOW, TEXT, configured, in_memory, keep, opened, opened_at, url_of
from trancher.core.events import Filled
from trancher.core.lifecycle import State
from trancher.core.money import EXACT
from trancher.core.order import BotName, PositionId
from trancher.store import views
from trancher.store.database import Database
from trancher.store.entries import Decided, RunFinished, RunKind, RunStarted
from trancher.store.reading import Books, Run

HOURS = 120
OFTEN = BotName("often")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return books whose latest run has positions open at its end."""
    file = tmp_path_factory.mktemp("read") / "books.db"
    fill(url_of(file))
    return file


@pytest.fixture(scope="module")
def filled_url() -> Iterator[str]:
    """Return the same books on a server."""
    with empty_database() as url:
        fill(url)
        yield url


def fill(url: str) -> None:
    """Keep two runs."""
    database = opened_at(url)
    keep(database, hours=10, seed=3)
    keep(database, hours=HOURS)
    database.close()


@pytest.fixture(params=["file", "server"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Return the books, opened."""
    on_file = request.param == "file"
    place = request.getfixturevalue("file" if on_file else "filled_url")
    database = opened(place) if on_file else opened_at(place)
    yield database
    database.close()


@pytest.fixture
def books(database: Database) -> Books:
    """Return who answers."""
    return Books(database)


@pytest.fixture
def run(books: Books) -> Run:
    """Return the latest run."""
    run = books.latest_run()
    assert run is not None
    return run


def test_the_latest_run_says_what_it_was(books: Books, run: Run) -> None:
    """
    With the configuration it ran with, as it was written.
    """
    assert (run.id, run.kind, run.portfolio, run.quote) == (2, RunKind.BACKTEST, "kept", "USD")
    assert (run.cash, run.timezone) == (Decimal(500), "UTC")
    assert (run.started_at, run.finished_at) == (NOW, LATER)
    assert run.configuration_text == TEXT
    assert run.configuration_hash == configured().config_hash
    assert [one.id for one in books.runs()] == [1, 2]
    assert books.run(2) == run
    assert books.run(3) is None


def test_the_positions_are_those_of_the_engine(books: Books, run: Run) -> None:
    """
    To the last digit, in the order in which they began, closed and open.
    """
    done = in_memory(hours=HOURS).replayed
    ends = {symbol: price for symbol, price in done.last_prices.items()}  # noqa: C416 a plain dict

    for bot in books.bots(run):
        seat = done.engine.seats[bot.facts.name]
        whole = [*seat.closed, *([seat.position] if seat.position.book.tranche_count else [])]
        assert repr(list(bot.positions)) == repr(whole)
        assert bot.facts.instrument == seat.bot.instrument
        assert bot.mark is not None
        assert bot.mark.price == ends[bot.facts.instrument.symbol]
        active = [one for one in whole if one.state is not State.CLOSED]
        assert list(bot.active) == active
        for position in whole:
            assert books.position(run, position.id) == position
    assert books.position(run, PositionId("often-999")) is None


def test_the_decisions_are_those_of_the_engine_newest_first(books: Books, run: Run) -> None:
    """
    A run of refusals stands where it ended; each bot's own order is the engine's.
    """
    records = in_memory(hours=HOURS).replayed.store.records

    for bot in configured().bots:
        own = [record for record in records if record.first.bot == bot.name]
        assert list(books.decisions(run, bot.name, limit=10**6)) == own[::-1]
        assert list(books.decisions(run, bot.name, limit=3)) == own[:-4:-1]
    everything = books.decisions(run, None, limit=10**6)
    assert len(everything) == len(records)


def test_the_journal_begins_and_ends_with_the_run(books: Books, run: Run) -> None:
    """
    All events and all decisions stand between, and any range of them can be asked for.
    """
    memory = in_memory(hours=HOURS).replayed.store

    lines = books.journal(run, limit=10**6)

    assert [line.number for line in lines] == list(range(1, run.entries + 1))
    assert isinstance(lines[0].entry, RunStarted)
    assert isinstance(lines[-1].entry, RunFinished)
    assert lines[-1].hash == run.hash
    events = [(line.position_id, line.entry) for line in lines if line.position_id is not None]
    assert events == [(entry.position_id, entry.event) for entry in memory.journal]
    decided = [line for line in lines if isinstance(line.entry, Decided)]
    assert len(decided) == len(memory.records)
    assert books.journal(run, first=5, limit=2) == lines[4:6]
    own = books.journal(run, limit=10**6, position_id=PositionId("often-1"))
    assert list(own) == [line for line in lines if line.position_id == "often-1"]


def test_every_fill_has_a_row(file: Path, books: Books, run: Run) -> None:
    """
    For whoever asks in SQL: amounts are text with every digit.
    """
    entries = [line.entry for line in books.journal(run, limit=10**6)]
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute(
            "SELECT trade_id, side, price, quantity, fee FROM fill WHERE run_id = 2"
        ).fetchall()

    assert sorted(found) == sorted(
        (
            one.fill.trade_id,
            one.fill.side.value,
            f"{one.fill.price:f}",
            f"{one.fill.quantity:f}",
            f"{one.fill.fee:f}",
        )
        for one in entries
        if isinstance(one, Filled)
    )


def test_the_view_has_a_row_for_each_bot(file: Path, books: Books, run: Run) -> None:
    """
    The design's own columns, CLOSED bots included, of the latest run only.
    """
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        found = [dict(row) for row in connection.execute("SELECT * FROM bot_positions")]

    assert [(row["bot_id"], row["bot"]) for row in found] == [(1, "often"), (2, "seldom")]
    assert {row["position_status"] for row in found} != {"CLOSED"}
    for row, bot in zip(found, books.bots(run), strict=True):
        assert row["max_position_tranches"] == bot.facts.max_tranches
        if not bot.active:
            assert row["position_status"] == "CLOSED"
            assert (row["current_position_size"], row["position_tranches"]) == ("0", "[]")
            assert row["current_position_entry_price"] is None
            assert json.loads(row["positions"]) == []
            continue
        (position,) = bot.active
        book = position.book
        assert row["position_status"] == position.state.value.upper()
        assert row["current_position_size"] == f"{book.open_cost:f}"
        close_to(row["current_position_entry_price"], book.open_cost, book.open_quantity)
        tranches = json.loads(row["position_tranches"])
        assert [one["id"] for one in tranches] == [one.id for one in book.tranches]
        assert [one["size_usd"] for one in tranches] == [f"{one.cost:f}" for one in book.tranches]
        for shown, tranche in zip(tranches, book.tranches, strict=True):
            close_to(shown["entry_price"], tranche.cost, tranche.quantity)
        (shown,) = json.loads(row["positions"])
        assert shown["position_id"] == position.id
        assert shown["tranches"] == tranches


numbers = st.builds(
    lambda units, places: Decimal(f"{units}e-{places}"),
    st.integers(1, 10**9),
    st.integers(0, 8),
)


@given(price=numbers, quantity=numbers)
def test_a_price_of_the_view_is_plain(price: Decimal, quantity: Decimal) -> None:
    """
    Bought at 6845.38, it is shown as that: no digits that only a binary number has, no exponent.
    """
    cost = EXACT.multiply(price, quantity)
    query = f"SELECT {views.price('cost', 'quantity')} FROM (SELECT ? AS cost, ? AS quantity)"  # noqa: S608 our own words

    with closing(sqlite3.connect(":memory:")) as connection:
        (shown,) = connection.execute(query, (f"{cost:f}", f"{quantity:f}")).fetchone()

    assert Decimal(shown) == price
    assert set(shown) <= set("0123456789.")


def close_to(text: str, cost: Decimal, quantity: Decimal) -> None:
    """Check that a price of the view has the digits that it promises."""
    assert abs(Decimal(text) * quantity - cost) <= cost * Decimal("1e-14")


def test_books_without_runs_have_no_answers(tmp_path: Path) -> None:
    """
    The first command after the making of a database finds nothing, and nothing breaks.
    """
    database = opened(tmp_path / "books.db")

    assert Books(database).runs() == ()
    assert Books(database).latest_run() is None
    database.close()


def test_an_unfinished_run_has_no_marks(tmp_path: Path) -> None:
    """
    Nobody wrote down where the market stood when the process died.
    """
    database = opened(tmp_path / "books.db")
    keep(database, hours=30, finish=False)
    books = Books(database)
    run = books.latest_run()
    assert run is not None

    assert run.finished_at is None
    assert [bot.mark for bot in books.bots(run)] == [None, None]
    database.close()
