"""Books of lives in which people have asked for things: verify replays them like any other."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.store_contract import life, tell
from core.walk import Story, walk
from core.wishes import Wish
from store.kept import LATER, opened
from store.test_stores import facts, new_run
from strategies import BOT_NAME
from trancher.store.runs import start
from trancher.store.verify import verify


@pytest.mark.parametrize("seed", range(6))
def test_what_was_done_by_hand_follows_from_the_journal(tmp_path: Path, seed: int) -> None:
    """
    Orders of no rung, sales of a tranche that a person named, cancels: to the last column.
    """
    story = walk(life(seed))
    assert {asked.wish for asked in story.asked} > {Wish.NOTHING}

    differences = verified(tmp_path, story)

    assert differences == ()


def verified(folder: Path, story: Story) -> tuple[object, ...]:
    """Return what differs between the journal of a life and the rows that were kept of it."""
    database = opened(folder / "books.db")
    bot = replace(facts(1, BOT_NAME), instrument=story.bot.instrument)
    store = start(database, new_run([bot]), batch=5)
    tell(store, story)
    store.finish(at=LATER, marks={}, peak_equity=None)
    try:
        return verify(database).differences
    finally:
        database.close()
