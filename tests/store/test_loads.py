"""Which configuration of a portfolio is in force, and which ones were before."""

from collections.abc import Iterator

import pytest

from store.kept import NOW, TEXT, configured, keep, load, opened_at
from trancher.app.loading import new_load
from trancher.store.codec import LOADS
from trancher.store.database import Database
from trancher.store.errors import StoreError, StoreFailure
from trancher.store.loads import draft, read_loads, write_load
from trancher.store.reading import Books
from trancher.store.verify import verify

CHANGED = TEXT.replace("size = 25", "size = 26")
OTHER = TEXT.replace('"kept"', '"other"')


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """Return books that hold nothing yet."""
    database = opened_at(empty_url)
    yield database
    database.close()


def test_loads_and_versions_are_counted_by_portfolio(database: Database) -> None:
    """
    A text that comes back has its old version, and is a load of its own.
    """
    for text in (TEXT, CHANGED, OTHER, TEXT):
        load(database, text)

    found = [(one.portfolio, one.load, one.configuration_version) for one in read_loads(database)]

    assert found == [("kept", 1, 1), ("kept", 2, 2), ("kept", 3, 1), ("other", 1, 1)]
    assert verify(database).loads == 4
    assert verify(database).differences == ()


def test_runs_and_loads_count_versions_together(database: Database) -> None:
    """
    One text, one version, whoever brought it: what a position was begun by is one number.
    """
    keep(database, hours=5)
    first, second = load(database, CHANGED), load(database)
    keep(database, hours=5, text=CHANGED)

    assert (first.configuration_version, second.configuration_version) == (2, 1)
    assert [run.configuration_version for run in Books(database).runs()] == [1, 2]
    assert verify(database).differences == ()


def test_a_load_comes_back_as_it_was(database: Database) -> None:
    """
    Text, hash, bots in the configuration's order; and written, it is the same text again.
    """
    loaded = load(database)

    (found,) = read_loads(database)

    assert found == loaded == LOADS.decode(LOADS.encode(loaded))
    assert found.configuration_text == TEXT
    assert found.configuration_hash == configured().config_hash
    assert [(bot.id, bot.name, bot.strategy) for bot in found.bots] == [
        (1, "often", "dca"),
        (2, "seldom", "dca"),
    ]


def test_a_draft_writes_nothing(database: Database) -> None:
    """
    Who only looks at what would change must leave no trace of it.
    """
    drafted = draft(database, new_load(configured(), at=NOW))

    assert (drafted.load, drafted.configuration_version) == (1, 1)
    assert read_loads(database) == ()


def test_a_load_that_another_one_overtook_is_refused(database: Database) -> None:
    """
    Its author has seen changes against what is in force no longer.
    """
    new = new_load(configured(), at=NOW)
    drafted = draft(database, new)
    load(database, CHANGED)

    with pytest.raises(StoreFailure, match="found books that have changed while load 1 was"):
        write_load(database, drafted, new)

    assert [one.configuration_text for one in read_loads(database)] == [CHANGED]
    assert verify(database).differences == ()


def test_a_portfolio_keeps_its_currency(database: Database) -> None:
    """
    The same name with other money is another account.
    """
    load(database)
    euros = configured(TEXT.replace("USD", "EUR"))

    with pytest.raises(StoreError, match="found the portfolio kept in USD, expected another name"):
        draft(database, new_load(euros, at=NOW))
