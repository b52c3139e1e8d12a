"""Bots that run on paper do what the same bots do in a backtest, however often they begin anew."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backtest.cases import rows_from
from backtest.everything import OTHER, several, with_places
from backtest.replays import SYMBOL, Row, candles_of, replay_of
from running.company import Company
from running.floor import journal_of
from strategies import Dial, dials
from trancher.app.settings import parse
from trancher.core.events import Event
from trancher.store.verify import verify

FEW = settings(max_examples=max(settings().max_examples // 50, 10))
Kind = Callable[[Sequence[Dial]], str]
paths = st.lists(st.integers(0, 2**24 - 1).map(Dial), min_size=12, max_size=40).map(rows_from)


@FEW
@given(
    bots=st.lists(dials(), min_size=1, max_size=3),
    of_kind=st.sampled_from([several, with_places]),
    path=paths,
    other=paths,
    seed=st.integers(0, 2**32),
)
def test_what_runs_does_what_the_backtest_did(
    bots: Sequence[Dial], of_kind: Kind, path: Sequence[Row], other: Sequence[Row], seed: int
) -> None:
    """
    Event for event, though each bot has a process of its own that dies after any of its steps;
    also bots with several positions, of one strategy or of two.
    """
    text = of_kind(bots)
    # What others hold is worth what each has seen last, and not all see the same at once.
    assume('of = "equity"' not in text)
    with TemporaryDirectory() as folder:
        lives_as_backtested(f"sqlite:///{folder}/books.db", text, path, other, seed=seed)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("of_kind", [several, with_places])
def test_so_it_does_on_a_server(server_url: str, of_kind: Kind, seed: int) -> None:
    """
    Three bots of random kinds, whose processes die; with a position each, or several.
    """
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    plans = ([Dial(random.getrandbits(192)) for _ in range(3)] for _ in count())
    text = next(one for one in map(of_kind, plans) if 'of = "equity"' not in one)
    path, other = (rows_from([Dial(random.getrandbits(24)) for _ in range(40)]) for _ in range(2))

    lives_as_backtested(server_url, text, path, other, seed=seed)


def lives_as_backtested(
    url: str, text: str, path: Sequence[Row], other: Sequence[Row], *, seed: int
) -> None:
    """Run bots whose processes die now and then, and compare them with their backtest."""
    deaths = Random(seed)  # noqa: S311 nothing secret is drawn
    said = parse(text, file="case.toml")
    candles = {SYMBOL: candles_of(path), OTHER: candles_of(other)}
    expected = defaultdict[str, list[Event]](list)
    for entry in replay_of(said, candles).run().store.journal:
        expected[entry.position_id.rpartition("-")[0]].append(entry.event)
    company = Company(url, said, candles)

    def die() -> None:
        if deaths.random() < 0.05:
            company.kill(deaths.choice([bot.name for bot in said.bots]))

    company.run(meanwhile=die)

    assert journal_of(company.database) == {bot.name: expected[bot.name] for bot in said.bots}
    assert verify(company.database).differences == ()
    company.database.close()
