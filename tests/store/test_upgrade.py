"""Books that an older program has left: upgraded, proved, and never between two schemas."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import create_engine

from store.kept import BUSY, keep, older, opened, rows_of, url_of
from trancher.store import schema, tables
from trancher.store.codec import ENTRIES, LOADS
from trancher.store.database import open_database, upgrade_database
from trancher.store.errors import StoreError
from trancher.store.reading import Books
from trancher.store.remaking import REMADE
from trancher.store.verify import Verified, verify

REMADE_NAMES: Final = {table.name for table in REMADE}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the books of a program of schema 0002."""
    return older(tmp_path / "books.db")


def changed(file: Path, *statements: str) -> None:
    """Change books behind everybody's back."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def verified(file: Path) -> Verified:
    """Return what verify says of the books in `file`."""
    database = open_database(url_of(file), mode=None)
    try:
        return verify(database)
    finally:
        database.close()


def test_books_of_an_older_program_are_true_after_an_upgrade(file: Path) -> None:
    """
    Byte for byte what the journal comes to, in the schema and the spelling of this program.
    """
    assert upgrade_database(url_of(file), progress=None) == "0002"

    found = verified(file)
    assert found.differences == ()
    assert [(run.entries, run.finished) for run in found.runs] == [(22, True)]
    assert found.loads == 1


def test_an_upgrade_changes_no_figure_of_an_older_program(file: Path) -> None:
    """
    Only documents are spelled anew; journals, fills and all else are the very bytes.
    """
    before = rows_of(file)

    upgrade_database(url_of(file), progress=None)

    after = rows_of(file)
    for name in before.keys() - REMADE_NAMES - {"alembic_version"}:
        assert after[name] == before[name]
    for name in REMADE_NAMES:
        assert [
            {column: row[column] for column in old if column != "document"}
            for row, old in zip(after[name], before[name], strict=True)
        ] == [
            {column: old[column] for column in old if column != "document"} for old in before[name]
        ]


def test_what_the_journal_knows_fills_the_new_columns(file: Path) -> None:
    """
    An older program had none of them, but wrote down what they follow from: of 0.05 in fees half
    is left with half of the base, and 27.4725 less its fee was received for the other half.
    """
    upgrade_database(url_of(file), progress=None)

    after = rows_of(file)
    (position,) = after["position"]
    assert Decimal(position["anchor_fee"]) == Decimal("0.025")
    assert Decimal(position["anchor_realized"]) == Decimal("27.4725") - Decimal(
        "0.0274725"
    ) - Decimal("24.975") - Decimal("0.025")
    assert [(row["rung"], row["score"]) for row in after["tranche"]] == [(0, None), (1, None)]
    assert {row["expires_at"] for row in after["orders"]} == {None}


def test_books_of_an_older_program_get_their_postings(file: Path) -> None:
    """
    From the journal: the cash it began with, and two assets, or three accounts, for each fill.
    """
    upgrade_database(url_of(file), progress=None)

    after = rows_of(file)
    (run,), (position,) = after["run"], after["position"]
    held: dict[tuple[str, str], Decimal] = {}
    for row in after["posting"]:
        place = row["account"], row["asset"]
        held[place] = held.get(place, Decimal(0)) + Decimal(row["amount"])
    spent = Decimal(position["cash_paid"]) - Decimal(position["cash_received"])
    assert held["wallet", "USD"] == Decimal(run["cash"]) - spent
    assert held.get(("position", "BTC"), 0) == Decimal(position["open_quantity"])
    assert {row["trade_id"] for row in after["posting"]} - {None} == {
        row["trade_id"] for row in after["fill"]
    }


def test_every_entry_of_an_older_program_has_its_text(file: Path) -> None:
    """
    The codec reads what it did not write, and would write it so again.
    """
    rows = rows_of(file)
    entries = [row["payload"] for row in rows["journal"]]
    loads = [row["payload"] for row in rows["loading"]]

    assert [ENTRIES.encode(ENTRIES.decode(text)) for text in entries] == entries != []
    assert [LOADS.encode(LOADS.decode(text)) for text in loads] == loads != []


def test_the_first_schema_comes_to_this_one(file: Path) -> None:
    """
    Over every revision between, in one step.
    """
    with create_engine(url_of(file)).begin() as connection:
        schema.downgrade(connection, to="0001")

    assert upgrade_database(url_of(file), progress=None) == "0001"

    assert verified(file).differences == ()


def test_a_figure_that_was_wrong_is_right_after_an_upgrade(file: Path) -> None:
    """
    The journal is the truth, and what follows from it is taken from nowhere else.
    """
    changed(
        file,
        "UPDATE position SET open_cost = '7', document = '{}'",
        "DELETE FROM tranche WHERE id = 'tranche_2'",
    )

    upgrade_database(url_of(file), progress=None)

    assert verified(file).differences == ()


def test_a_wrong_fill_is_still_found_after_an_upgrade(file: Path) -> None:
    """
    What is not made anew stays as it is, so nothing that was touched passes for true.
    """
    changed(
        file, "DROP TRIGGER fill_no_update", "UPDATE fill SET price = '101' WHERE side = 'buy'"
    )

    upgrade_database(url_of(file), progress=None)

    found = {(one.table, one.column) for one in verified(file).differences}
    assert found == {("fill", "price"), ("fill", "trigger")}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE journal SET payload = replace(payload, '0.2000', '0.2001') WHERE number = 4",
            r"found run 1 with a broken journal \(entry 4: hash is .*\), expected one that",
        ),
        ("DELETE FROM journal WHERE number = 9", r"broken journal \(entry 9: row is none"),
        ("DELETE FROM journal", r"broken journal \(entry 1: row is none"),
        (
            "DELETE FROM portfolio",
            "found a row of .* without the row of portfolio that it belongs to, expected every",
        ),
    ],
)
def test_books_that_are_broken_are_left_as_they_are(file: Path, statement: str, said: str) -> None:
    """
    No program makes true books of them, and the sentence says where.
    """
    changed(file, "DROP TRIGGER journal_no_update", "DROP TRIGGER journal_no_delete", statement)
    before = rows_of(file)

    with pytest.raises(StoreError, match=said):
        upgrade_database(url_of(file), progress=None)

    assert rows_of(file) == before


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return books with more orders than are written at once, in the form of schema 0002."""
    file = tmp_path_factory.mktemp("long") / "books.db"
    database = opened(file)
    keep(database, hours=20, finish=False)
    keep(database, hours=2_000, text=BUSY)
    database.close()
    with create_engine(url_of(file)).begin() as connection:
        schema.downgrade(connection, to="0002")
    return file


class Interrupted(Exception):
    """Somebody has had enough."""


def test_an_interrupted_upgrade_leaves_the_older_books(long: Path) -> None:
    """
    One transaction holds the tables and what is in them: old or new, never between. The same
    command again does its work, telling how far it is, and a run without an end stays one.
    """
    before = rows_of(long)
    told: list[tuple[int, int]] = []

    def interrupt(done: int, whole: int) -> None:
        told.append((done, whole))
        if done > whole // 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        upgrade_database(url_of(long), progress=interrupt)
    assert rows_of(long) == before
    entries = len(before["journal"])
    assert told[-1][0] < entries
    told.clear()

    upgrade_database(url_of(long), progress=lambda done, whole: told.append((done, whole)))

    assert told == sorted(told)
    assert told[-1] == (entries, entries)
    assert {whole for _, whole in told} == {entries}
    assert len(told) > 2
    found = verified(long)
    assert found.differences == ()
    assert [run.finished for run in found.runs] == [False, True]
    database = open_database(url_of(long), mode=None)
    with database.reading() as connection:
        assert len(connection.execute(tables.orders.select()).all()) > 2_000
    assert len(Books(database).runs()) == 2
    database.close()
