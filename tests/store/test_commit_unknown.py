"""A commit that nobody answered: looked for by its key, never guessed, never done twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer

import pytest
from sqlalchemy import Connection

from contracts.store_contract import life, tell
from core.walk import walk
from store.kept import LATER, opened, opened_at
from store.test_stores import facts, new_run
from strategies import BOT_NAME
from trancher.store.database import Database
from trancher.store.errors import CommitUnknown, StoreFailure
from trancher.store.runs import start
from trancher.store.sql import SqlStore
from trancher.store.verify import verify


class Cut(Database):
    """Books whose connection is cut at the end of every third transaction that writes.

    Attributes:
        reached: whether the commit comes to the server before that, by turns.
    """

    reached = False
    count = 0

    @classmethod
    def of(cls, database: Database) -> "Cut":
        """Take over books."""
        return cls(database._engine, place=database._place, identity=database.identity)  # noqa: SLF001 a stand-in for its connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self.count += 1
        cut = self.count % 3 == 0
        self.reached ^= cut
        with super().writing() as connection:
            yield connection
            if cut and not self.reached:
                self._lose()
        if cut:
            self._lose()

    def _lose(self) -> None:
        raise CommitUnknown(
            where=self.where, found="a connection that broke", expected="an answer"
        )


class Stubborn:
    """A caller who does the same again; the store has taken it, and only its flush failed."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.failures = 0

    def append(self, *given: object) -> None:
        self.store.append(*given)  # type: ignore[arg-type]
        self.flushed()

    def record(self, *given: object) -> None:
        self.store.record(*given)  # type: ignore[arg-type]
        self.flushed()

    def flushed(self) -> None:
        """Flush until nothing waits."""
        for _ in range(3):
            try:
                self.store.flush()
            except CommitUnknown:
                self.failures += 1
            else:
                return
        raise AssertionError


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_whose_commit_is_unknown_is_written_once(empty_url: str, seed: int) -> None:
    """
    Whether the cut came before or after the commit was reached, the books are as without it.
    """
    lived = life(seed)
    story = walk(lived)
    bot = replace(facts(1, BOT_NAME), instrument=lived.bot.instrument)
    database = Cut.of(opened_at(empty_url))
    store = start(database, new_run([bot]), batch=1_000)
    told = Stubborn(store)

    tell(told, story)
    database.count = 2
    with pytest.raises(CommitUnknown):
        store.finish(at=LATER, marks={}, peak_equity=None)
    told.flushed()

    assert told.failures > 10
    found = verify(database)
    assert found.differences == ()
    assert [run.finished for run in found.runs] == [True]
    assert found.runs[0].entries > len(story.happened)
    database.close()


def test_nothing_is_taken_while_a_commit_is_unknown(tmp_path: Path) -> None:
    """
    What came after it would belong to a batch that nobody knows the beginning of.
    """
    database = Cut.of(opened(tmp_path / "books.db"))
    story = walk(life(1))
    store = start(database, new_run([facts(1, BOT_NAME)]), batch=1)
    first, second = story.happened[:2]
    database.count = 2
    with pytest.raises(CommitUnknown):
        store.append(first.after, (first.event,))
    database.count = 2

    with pytest.raises(StoreFailure):
        store.append(second.after, (second.event,))
    store.append(second.after, (second.event,))

    with database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT number, type FROM journal").all()
    assert [tuple(row) for row in kept] == [
        (1, "RunStarted"),
        (2, type(first.event).__name__),
        (3, type(second.event).__name__),
    ]
    database.close()


class Late(Database):
    """Books whose next commit comes a moment after its connection seemed to be lost."""

    armed = False

    @classmethod
    def of(cls, database: Database) -> "Late":
        """Take over books."""
        return cls(database._engine, place=database._place, identity=database.identity)  # noqa: SLF001 see above

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if not self.armed:
            with super().writing() as connection:
                yield connection
            return
        self.armed = False
        late = super().writing()
        yield late.__enter__()
        Timer(0.3, late.__exit__, (None, None, None)).start()
        raise CommitUnknown(where=self.where, found="silence", expected="an answer")


def test_a_commit_that_is_still_on_its_way_is_waited_for(server_url: str) -> None:
    """
    Looked for without its row being locked it would seem not to be there, and be done again.
    """
    database = Late.of(opened_at(server_url))
    happened = walk(life(1)).happened
    store = start(database, new_run([facts(1, BOT_NAME)]), batch=1)
    database.armed = True
    with pytest.raises(CommitUnknown):
        store.append(happened[0].after, (happened[0].event,))

    store.append(happened[1].after, (happened[1].event,))

    with database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT number FROM journal ORDER BY number").scalars()
        assert kept.all() == [1, 2, 3]
    database.close()
