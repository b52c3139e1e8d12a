"""Bots that run on paper do what the same bots do in a backtest, however often they begin anew."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backtest.cases import rows_from
from backtest.everything import OTHER, several
from backtest.replays import SYMBOL, Row, candles_of, replay_of
from running.company import Company
from strategies import Dial, dials
from trancher.app.settings import parse
from trancher.backtest.passage import Step
from trancher.core.events import Event
from trancher.core.order import BotName
from trancher.store.reading import Books
from trancher.store.verify import verify

FEW = settings(max_examples=max(settings().max_examples // 20, 10))
paths = st.lists(st.integers(0, 2**24 - 1).map(Dial), min_size=12, max_size=40).map(rows_from)


def journal_of(company: Company) -> dict[str, list[Event]]:
    """Return the events of each bot."""
    books = Books(company.database)
    told: dict[str, list[Event]] = {}
    for run in books.runs():
        (bot,) = books.bots(run)
        lines = books.journal(run, limit=run.entries)
        told[bot.facts.name] = [one.entry for one in lines if isinstance(one.entry, Event)]
    return told


@FEW
@given(
    bots=st.lists(dials(), min_size=1, max_size=3),
    path=paths,
    other=paths,
    seed=st.integers(0, 2**32),
)
def test_what_runs_does_what_the_backtest_did(
    bots: Sequence[Dial], path: Sequence[Row], other: Sequence[Row], seed: int
) -> None:
    """
    Event for event and to the last digit of cash, though each bot has a process of its own that
    dies after any of its steps.
    """
    text, deaths = several(bots), Random(seed)  # noqa: S311 nothing secret is drawn
    assume('of = "equity"' not in text)
    said = parse(text, file="case.toml")
    candles = {SYMBOL: candles_of(path), OTHER: candles_of(other)}
    done = replay_of(said, candles).run()
    expected = defaultdict[str, list[Event]](list)
    for entry in done.store.journal:
        expected[entry.position_id.rpartition("-")[0]].append(entry.event)
    with TemporaryDirectory() as folder:
        company = Company(Path(folder), said, candles)

        def die(_: Step) -> None:
            if deaths.random() < 0.05:
                company.kill(deaths.choice([BotName(bot.name) for bot in said.bots]))

        company.run(meanwhile=die)

        found = journal_of(company)
        assert found == {bot.name: expected[bot.name] for bot in said.bots}
        assert verify(company.database).differences == ()
        company.database.close()
