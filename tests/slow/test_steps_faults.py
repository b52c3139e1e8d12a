"""Steps of bots that run while their server dies, or its answer to a commit is cut off.

Whoever ran a bot believes nothing then: it is made anew from the database, and what comes of it
all is what a backtest comes to.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from random import Random
from threading import Thread
from typing import Final

import pytest

from backtest.cases import rows_from
from backtest.everything import OTHER, several
from backtest.replays import SYMBOL, candles_of, replay_of
from postgres import Cluster
from running.company import Company
from running.floor import journal_of
from slow.proxy import Cut, proxy
from slow.test_server_faults import CUTS, STOPS, own, url_of
from strategies import Dial
from trancher.app.settings import Settings, parse
from trancher.backtest.passage import Phase, Step
from trancher.core.events import Event
from trancher.core.order import BotName
from trancher.market.candles import Candles
from trancher.store.errors import CommitUnknown, StoreFailure
from trancher.store.verify import verify

pytestmark = pytest.mark.slow

CANDLES: Final = 300
LAST: Final = Step(2**62, Phase.OPEN, 0, 0)
__all__ = ["own"]


class Failing:
    """A company whose books fail it now and then.

    Attributes:
        failures: how often a step could not be kept.
        unknown: how often nobody said whether it was.
    """

    def __init__(self, company: Company) -> None:
        self.company = company
        self.failures = self.unknown = 0

    def run(self, before_step: Callable[[], None]) -> None:
        """Do all steps, until the candles are over; where one fails the actor is made anew."""
        while ahead := [one for one in self.company.actors.values() if not one.is_over]:
            actor = min(ahead, key=lambda one: one.next or LAST)
            before_step()
            try:
                actor.do()
            except CommitUnknown:
                self.unknown += 1
                self._hire(actor.name)
            except StoreFailure:
                self.failures += 1
                self._hire(actor.name)

    def _hire(self, name: BotName) -> None:
        while True:
            try:
                self.company.hire(name)
            except StoreFailure:
                time.sleep(0.02)
            else:
                return


def lives(seed: int) -> tuple[Settings, dict[str, Candles], dict[str, list[Event]]]:
    """Return three bots of random kinds, their markets, and what a backtest makes of them."""
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    plans = ([Dial(random.getrandbits(192)) for _ in range(3)] for _ in count())
    text = next(one for one in map(several, plans) if 'of = "equity"' not in one)
    candles = {
        symbol: candles_of(rows_from([Dial(random.getrandbits(24)) for _ in range(CANDLES)]))
        for symbol in (SYMBOL, OTHER)
    }
    said, expected = parse(text, file="case.toml"), defaultdict[str, list[Event]](list)
    for entry in replay_of(said, candles).run().store.journal:
        expected[entry.position_id.rpartition("-")[0]].append(entry.event)
    return said, candles, expected


@contextmanager
def hired(url: str, seed: int) -> Iterator[Failing]:
    """Give a company; at its end it has done what its backtest did."""
    said, candles, expected = lives(seed)
    failing = Failing(Company(url, said, candles))
    yield failing
    found = journal_of(failing.company.database)
    assert found == {bot.name: expected[bot.name] for bot in said.bots}
    assert verify(failing.company.database).differences == ()
    failing.company.database.close()


def test_bots_go_on_after_their_server_was_stopped_at_once(own: Cluster) -> None:
    """
    In whatever moment of a step that was.
    """
    random, power = Random(1), Thread()  # noqa: S311 nothing secret is drawn
    stops = 0

    def before_step() -> None:
        nonlocal power, stops
        if stops < STOPS and not power.is_alive() and random.random() < 0.05:
            stops += 1
            power = Thread(target=cut_power, args=(own, random.random() / 50))
            power.start()

    with hired(url_of(own), seed=4) as failing:
        failing.run(before_step)
        if power.ident is not None:
            power.join()

    assert stops == STOPS
    assert failing.failures + failing.unknown >= STOPS // 2


def cut_power(own: Cluster, seconds: float) -> None:
    """Stop a server as a power cut does, after a while, and start it again."""
    time.sleep(seconds)
    own.stop("immediate")
    own.start()


def test_bots_go_on_after_a_commit_that_nobody_answered(own: Cluster) -> None:
    """
    Before the server hears of it or after, by turns: what was done is not done again.
    """
    cuts = 0

    with proxy(own.port) as between:

        def before_step() -> None:
            nonlocal cuts
            if cuts < CUTS and not between.is_armed:
                cuts += 1
                between.cut_next(Cut.AFTER if cuts % 2 else Cut.BEFORE)

        with hired(url_of(own, between.port), seed=4) as failing:
            failing.run(before_step)

    assert between.cuts == CUTS
    assert failing.unknown > CUTS // 2
