"""Another configuration comes into force: each bot goes on with it once it holds nothing."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from backtest.replays import candles_of
from running.company import LENGTH
from running.floor import QUIET
from running.test_crew import ROUNDS, Watch
from store.kept import opened_at
from trancher.app.backtesting import Source
from trancher.app.loading import new_load
from trancher.app.output import BadInput
from trancher.app.running import crew_of
from trancher.app.settings import parse
from trancher.app.versions import goes_by
from trancher.core.events import EntryAccepted
from trancher.core.lifecycle import State
from trancher.core.limits import RefusalCode
from trancher.core.order import BotName, EntryOrder
from trancher.core.position import Position
from trancher.running.crew import Crew
from trancher.store.database import Database
from trancher.store.entries import RunKind, VersionTaken
from trancher.store.errors import NewVersion, StoreError
from trancher.store.loads import draft, read_loads, write_load
from trancher.store.reading import Books, BotBooks, Run
from trancher.store.verify import verify

OFTEN = BotName("often")
LARGER = QUIET.replace("size = 20", "size = 30").replace('gain = "10%"', 'gain = "50%"')
FLAT = (100, 100, 100, 100)
RISING = (100, 111, 100, 111)


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(empty_url)
    yield database
    database.close()


def load(database: Database, text: str, watch: Watch) -> None:
    """Bring a configuration into force."""
    new = new_load(parse(text, file="c.toml"), at=watch.clock())
    write_load(database, draft(database, new), new)


def crew(
    database: Database,
    text: str,
    watch: Watch,
    prices: Sequence[tuple[int, int, int, int]],
    *,
    bots: Sequence[BotName] = (OFTEN,),
) -> Crew:
    """Return a crew of bots on hourly candles."""
    rows = [(hour, *row) for hour, row in enumerate(prices)]
    candles = candles_of(rows, interval=timedelta(hours=1))
    return crew_of(
        database,
        parse(text, file="c.toml"),
        {"BTC/USD": Source(name="day.csv", candles=candles)},
        (),
        bots=bots,
        alone=True,
        lease=LENGTH,
        clock=watch.clock,
        stop_file=None,
        tell=watch.tell,
    )


def run(one: Crew, watch: Watch, then: Callable[[int], bool] = lambda _: True) -> None:
    """Run a crew as long as `then` says, or to its end."""
    watch.rounds = 0
    one.run(going_on=watch.going_on(then), moved=lambda _: None)


def run_until_loaded(one: Crew, watch: Watch, load_it: Callable[[], None], *, after: int) -> None:
    """Run a crew until something that is loaded after so many rounds ends it."""

    def then(rounds: int) -> bool:
        if rounds == after:
            load_it()
        return True

    with pytest.raises(NewVersion):
        run(one, watch, then)


def kept(database: Database) -> tuple[Run, BotBooks]:
    """Return the books of the bot, which are true."""
    assert verify(database).differences == ()
    books = Books(database)
    run = books.latest_run(kind=RunKind.RUN)
    assert run is not None
    (bot,) = books.bots(run)
    return run, bot


def sizes(position: Position) -> set[Decimal]:
    """Return for how much quote a position has bought, order by order."""
    return {tranche.cost for tranche in position.book.tranches}


def taken(database: Database) -> list[int]:
    """Return the versions that the bot went on with, in order."""
    run, _ = kept(database)
    lines = Books(database).journal(run, limit=run.entries)
    return [
        line.entry.configuration_version for line in lines if isinstance(line.entry, VersionTaken)
    ]


def test_a_position_keeps_its_version_and_the_next_one_has_the_new(database: Database) -> None:
    """
    What is held is added to and sold as it was begun, 20 at a time and at 10 % more; then the bot
    takes what is in force, in the very candle and without a person.
    """
    watch, prices = Watch(), [*[FLAT] * 25, RISING, *[FLAT] * 12]
    one = crew(database, QUIET, watch, prices)

    run_until_loaded(one, watch, lambda: load(database, LARGER, watch), after=8)
    _, before = kept(database)
    assert (before.version, len(before.active)) == (1, 1)
    run(crew(database, LARGER, watch, prices), watch)

    _, bot = kept(database)
    first, second = bot.positions
    assert sizes(first) == {Decimal(20)}
    assert len(first.book.tranches) == 5
    assert (first.state, second.state) == (State.CLOSED, State.BUILDING)
    assert sizes(second) == {Decimal(30)}
    assert taken(database) == [2]
    assert bot.version == 2


def test_a_bot_that_holds_nothing_takes_it_at_once(database: Database) -> None:
    """
    At the next step that it does, whatever it would have done before.
    """
    watch, prices = Watch(), [FLAT] * 10
    load(database, QUIET, watch)
    crew(database, QUIET, watch, prices)
    load(database, LARGER, watch)

    run(crew(database, LARGER, watch, prices), watch)

    _, bot = kept(database)
    assert sizes(bot.positions[0]) == {Decimal(30)}
    assert taken(database) == [2]


def test_limits_over_all_bots_hold_from_the_load_on(database: Database) -> None:
    """
    Also for a bot that keeps another configuration: they are the portfolio's.
    """
    watch, prices = Watch(), [FLAT] * 24
    tight = QUIET.replace("max_daily_trades = 30", "max_daily_trades = 1")
    one = crew(database, QUIET, watch, prices)
    run_until_loaded(one, watch, lambda: load(database, tight, watch), after=8)
    bought = len(kept(database)[1].positions[0].fills)

    run(crew(database, tight, watch, prices), watch)

    kept_run, bot = kept(database)
    assert len(bot.positions[0].fills) == bought
    last = Books(database).decisions(kept_run, OFTEN, limit=1)[0].last
    assert [one.code for one in last.refusals] == [RefusalCode.MAX_DAILY_TRADES]
    assert last.refusals[0].limit == Decimal(1)
    assert taken(database) == []
    found = goes_by(Books(database), kept_run, (bot,))
    assert found.settings.portfolio.limits.max_daily_trades == 1
    assert [one.name for one in found.settings.bots] == [OFTEN]
    assert (found.version, found.keeping) == (2, {OFTEN: 1})


def test_a_step_under_the_version_before_writes_nothing(database: Database) -> None:
    """
    It is noticed alone with the portfolio's sums, where whoever loads has been before.
    """
    watch = Watch()
    one = crew(database, QUIET, watch, [FLAT] * 24)

    def then(rounds: int) -> bool:
        if rounds == 3:
            load(database, LARGER, watch)
        return True

    with pytest.raises(NewVersion, match=r"bot often: found load 1 in force, expected load 0"):
        run(one, watch, then)
    entries = kept(database)[0].entries

    with pytest.raises(NewVersion):
        run(one, watch)

    assert kept(database)[0].entries == entries


def test_the_same_meaning_in_other_words_changes_no_bot(database: Database) -> None:
    """
    It is another version, and nobody has to go on with it.
    """
    watch, prices = Watch(), [FLAT] * 24
    other = QUIET.replace("cash = 1000", "cash = 1000.0  # the same")
    one = crew(database, QUIET, watch, prices)

    run_until_loaded(one, watch, lambda: load(database, other, watch), after=4)
    run(crew(database, other, watch, prices), watch)

    assert taken(database) == []
    assert kept(database)[1].version == 1


def test_what_was_loaded_is_what_may_run(database: Database) -> None:
    """
    And no other file, whatever the bots ran with before.
    """
    watch, prices = Watch(), [FLAT] * 5
    run(crew(database, QUIET, watch, prices), watch)
    load(database, LARGER, watch)

    with pytest.raises(BadInput, match=r"portfolio floor: found version 2 in force \(there and"):
        crew(database, QUIET, watch, prices)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            QUIET.replace("cash = 1000", "cash = 2000"),
            "cash = 2000, expected 1000, for its bots have run with it",
        ),
        (
            QUIET.replace('quote = "USD"', 'quote = "USD"\ntimezone = "Asia/Tokyo"'),
            "timezone = Asia/Tokyo, expected UTC, for its bots have run with it",
        ),
        (
            QUIET.replace('"often"', '"another"'),
            "no bot often, which holds something, expected it until it is sold",
        ),
        (
            QUIET.replace("BTC/USD", "ETH/USD"),
            "bot often on ETH/USD, expected BTC/USD, which it has traded, or another name",
        ),
    ],
    ids=["cash", "time zone", "a bot gone", "another symbol"],
)
def test_what_bots_that_run_cannot_do_without_is_not_loaded(
    database: Database, text: str, problem: str
) -> None:
    """
    Nobody would sell what a bot holds that is gone; money that was counted by one figure is not
    counted by another one from then on.
    """
    watch = Watch()
    run(crew(database, QUIET, watch, [FLAT] * 5), watch)

    with pytest.raises(StoreError) as told:
        load(database, text, watch)

    assert str(told.value) == f"portfolio floor: found {problem}"
    assert read_loads(database) == ()


def test_a_bot_is_not_dropped_that_bought_while_it_was_asked(database: Database) -> None:
    """
    What was seen of it before is looked for once more, alone with the portfolio's sums.
    """
    watch = Watch()
    one = crew(database, QUIET, watch, [FLAT] * 5)
    new = new_load(parse(QUIET.replace('"often"', '"another"'), file="c.toml"), at=watch.clock())
    drafted = draft(database, new)
    run(one, watch)

    with pytest.raises(StoreError, match="no bot often, which holds something"):
        write_load(database, drafted, new)


def test_a_bot_that_holds_nothing_may_go(database: Database) -> None:
    """
    And its process ends with it, where it has no other.
    """
    watch = Watch()
    one = crew(database, QUIET, watch, [FLAT] * 5)
    rest = QUIET.replace('"often"', '"another"')
    load(database, rest, watch)

    with pytest.raises(NewVersion):
        run(one, watch)

    run(crew(database, rest, watch, [FLAT] * 5, bots=[BotName("another")]), watch)
    assert verify(database).differences == ()


PLACES = QUIET.replace('symbol = "BTC/USD"', 'symbol = "BTC/USD"\nmax_positions = 2', 1)


def test_a_bot_gets_more_places_and_fewer_again(database: Database) -> None:
    """
    Each goes on from where the bot stands; what was left over in one is swept up there.
    """
    watch = Watch()
    cycle = [*[FLAT] * 8, RISING, *[FLAT] * 4]
    texts = [QUIET, PLACES, LARGER, PLACES.replace("size = 20", "size = 40")]
    load(database, QUIET, watch)
    for number, text in enumerate(texts, start=1):
        prices = cycle * number
        if number > 1:
            load(database, text, watch)
        run(crew(database, text, watch, prices), watch)
        kept(database)

    _, bot = kept(database)
    assert len(bot.positions) > 3


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_loaded_when_each_position_has_one_version(
    database: Database, seed: int
) -> None:
    """
    Loads between any two rounds, and processes that die: what was bought in a position was bought
    by the configuration that the bot had when it opened; and the books follow from the journal.
    """
    dice, watch = Random(seed), Watch()  # noqa: S311 nothing secret is drawn
    prices = [RISING if hour % 7 == 6 else FLAT for hour in range(60)]
    by_size = {Decimal(size): _sized(size) for size in (20, 21, 22, 23)}
    text = _sized(20)
    load(database, text, watch)
    for _ in range(40):
        one = crew(database, text, watch, prices)
        ends_after, loads_after = dice.randrange(2, 25), dice.randrange(1, 40)
        loaded = dice.choice([*by_size.values()])

        def then(
            rounds: int, ends: int = ends_after, at: int = loads_after, new: str = loaded
        ) -> bool:
            if rounds == at:
                load(database, new, watch)
            return rounds < ends

        try:
            run(one, watch, then)
        except NewVersion:
            text = loaded
            continue
        if loads_after <= ends_after and watch.rounds >= loads_after:
            text = loaded
        if one.is_over:
            break
    _, bot = kept(database)
    orders = _entries(database)
    assert {position.id for position in bot.positions} == set(orders)
    assert all(len(found) == 1 for found in orders.values())
    assert watch.rounds < ROUNDS


def _sized(size: int) -> str:
    return QUIET.replace("size = 20", f"size = {size}").replace('every = "6h"', 'every = "2h"')


def _entries(database: Database) -> dict[str, set[tuple[int, Decimal]]]:
    """Return of each position by which version, and for how much, it was bought."""
    run, _ = kept(database)
    found: dict[str, set[tuple[int, Decimal]]] = {}
    version = 1
    for line in Books(database).journal(run, limit=run.entries):
        if isinstance(line.entry, VersionTaken):
            version = line.entry.configuration_version
        if isinstance(line.entry, EntryAccepted):
            assert isinstance(line.entry.order, EntryOrder)
            found.setdefault(str(line.position_id), set()).add((version, line.entry.order.size))
    return found
