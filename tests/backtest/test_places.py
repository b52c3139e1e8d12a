"""Bots with several positions: what they share, and what each position has for itself."""

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from backtest.everything import both, many
from backtest.replays import SYMBOL, Row, candles_of, replay_of
from backtest.scripted import bot, head, refused, run, strategies, tape
from backtest.test_everything import LEAN, paths, story
from backtest.test_everything import run as run_path
from strategies import Dial, dial_of, dials
from trancher.app.settings import parse
from trancher.backtest.exact import Replayed
from trancher.backtest.summary import books_balance, summaries
from trancher.core.events import Event
from trancher.core.lifecycle import State
from trancher.core.position import Position
from trancher.seat import Seat
from trancher.store.codec import ENTRIES
from trancher.store.memory import MemoryStore

FLAT = (100, 100, 100, 100)
ONCE = 'plan = "dca"\nsize = 100\nmax_tranches = 1'
TWICE = 'plan = "dca"\nsize = 100\nmax_tranches = 2\nevery = "2h"'
GAIN = 'take_profit = [{gain = "10%", sell = "rest"}]'


# ---- two strategies are two bots, wherever nothing binds that they share


@LEAN
@given(pair=st.tuples(dials(), dials()), path=paths)
# One strategy buys at the end of a candle; only then is the other asked about the middle of it.
@example(
    pair=(
        dial_of((2316, 221, 1311, 84123, 3669083, 200538, 0, 592907)),
        dial_of((43156, 404953, 9012, 358436, 1, 7268520, 232, 4493)),
    ),
    path=(
        *((place, *FLAT) for place in range(8)),
        (8, 100, 112, 98, 98),
        (9, 95, 95, 88, 93),
        *((place, 93, 93, 93, 93) for place in (10, 11)),
    ),
)
def test_a_bot_with_two_strategies_is_two_bots(
    pair: tuple[Dial, Dial], path: Sequence[Row]
) -> None:
    """
    Event for event, refusal for refusal: each strategy has its own position, plan, back-off and
    past. Only the names differ.
    """
    together, apart = both(pair)

    one, two = run_path(together, path), run_path(apart, path)

    assert events_of(one) == events_of(two)
    assert refusals_of(one) == refusals_of(two)
    assert one.engine.treasury.cash == two.engine.treasury.cash


def events_of(done: Replayed) -> list[str]:
    """Return the journal with each position called by its strategy and how many that had."""
    names: dict[str, str] = {}
    told: list[str] = []
    counted = Counter[str]()
    for entry in done.store.journal:
        text = ENTRIES.encode(entry.event)
        place = re.search(r'"place":(\d+)', text)
        known = entry.position_id
        if known not in names:
            bot_name, _, _ = known.rpartition("-")
            strategy = f"s{place[1] if place else 1}" if bot_name == "one" else bot_name
            counted[strategy] += 1
            names[known] = f"{strategy}/{counted[strategy]}"
        text = re.sub(r',"place":\d+|"bot":"[^"]*",', "", text)
        told.append(re.sub(rf"\b{known}(?=[-\"])", names[known], text))
    return told


def refusals_of(done: Replayed) -> Counter[tuple[object, ...]]:
    """Return how often each strategy was refused, and why."""
    told = Counter[tuple[object, ...]]()
    for record in done.store.records:
        first = record.first
        strategy = f"s{first.place}" if first.bot == "one" else first.bot
        codes = tuple(refusal.code for refusal in first.refusals)
        told[strategy, first.kind, first.reason, codes] += record.count
    return told


# ---- what holds of every backtest


@LEAN
@given(dial=dials(), path=paths)
def test_a_candle_passed_over_changes_nothing(dial: Dial, path: Sequence[Row]) -> None:
    """
    However many positions there are, and whichever of them waits for its turn.
    """
    text = many(dial)

    assert story(run_path(text, path)) == story(run_path(text, path, jump=False))


@LEAN
@given(dial=dials(), path=paths)
def test_the_books_balance_and_the_limit_holds(dial: Dial, path: Sequence[Row]) -> None:
    """
    At no time are more positions active than max_positions.
    """
    settings, states = parse(many(dial), file="case.toml"), States()

    done = replay_of(settings, {SYMBOL: candles_of(path)}, store=states).run()

    cash = done.engine.treasury.cash
    assert books_balance(summaries(done), cash_before=Decimal(1000), cash_after=cash)
    assert states.most_active <= settings.bots[0].limits.max_positions


class States(MemoryStore):
    """A store that looks at the state of every position whenever something happens to one."""

    def __init__(self) -> None:
        super().__init__()
        self.most_active = 0
        self._states: dict[str, State] = {}

    def append(self, position: Position, events: Sequence[Event]) -> None:
        super().append(position, events)
        self._states[position.id] = position.state
        active = [one for one in self._states.values() if one is not State.CLOSED]
        self.most_active = max(self.most_active, len(active))


# ---- one strategy, several positions


def test_the_next_position_begins_when_the_one_before_is_built() -> None:
    """
    Two tranches each, two hours apart: the second position waits for the second tranche of the
    first, and no further.
    """
    text = head() + with_places(bot("bot", TWICE, GAIN), 2)

    done = run(text, [FLAT] * 9)

    assert tape(done) == [
        "01:00:00.000000 buy 1 @ 100 fee 0",
        "03:00:00.000000 buy 1 @ 100 fee 0",
        "04:00:00.000000 buy 1 @ 100 fee 0",
        "06:00:00.000000 buy 1 @ 100 fee 0",
    ]
    assert [(seat.position.id, seat.position.state) for seat in seats_of(done)] == [
        ("bot-1", State.OPEN),
        ("bot-2", State.OPEN),
        ("bot-3", State.CLOSED),
    ]


def test_a_position_too_many_is_refused_until_one_is_closed() -> None:
    """
    The third one is due at every close, and is told once with how often.
    """
    text = head() + with_places(bot("bot", ONCE, GAIN), 2)
    rising = [*([FLAT] * 5), (100, 110, 100, 110), (110, 110, 110, 110), (110, 110, 110, 110)]

    done = run(text, rising)

    assert refused(done) == ["03:00 first entry: MAX_POSITIONS"]
    (record,) = [one for one in done.store.records if not one.first.accepted]
    (refusal,) = record.first.refusals
    assert (refusal.measured, refusal.limit) == (Decimal(3), Decimal(2))
    assert refusal.unblocks_when == "a position of the bot is closed"
    # Both have sold at 110, and two more have begun at the next opening and the one after.
    assert [seat.position.id for seat in seats_of(done)] == ["bot-3", "bot-4", "bot-5"]


def test_positions_have_numbers_in_the_order_in_which_they_opened() -> None:
    """
    Whatever place they stand in: the id of one that waits is the next that there will be.
    """
    text = head() + with_places(bot("bot", ONCE, GAIN), 2)
    rising = [*([FLAT] * 3), (100, 110, 100, 110), *([(110, 110, 110, 110)] * 4)]

    (summary,) = summaries(run(text, rising))

    assert [one.id for one in summary.positions] == ["bot-1", "bot-2", "bot-3", "bot-4"]
    assert [one.place for one in summary.positions] == [1, 2, 1, 2]


def test_the_cooldown_is_the_bots() -> None:
    """
    Both would buy at once: the second waits for the cooldown that the first one begins, though
    nothing of that one has filled when both are decided.
    """
    plans = ((ONCE, GAIN), (ONCE, GAIN))
    text = head() + strategies("bot", *plans, limits='tranche_cooldown = "3h"')

    done = run(text, [FLAT] * 7)

    assert tape(done) == [
        "01:00:00.000000 buy 1 @ 100 fee 0",
        "04:00:00.000000 buy 1 @ 100 fee 0",
    ]
    assert refused(done) == ["01:00 first entry: COOLDOWN"]


def test_a_bot_may_have_fewer_positions_than_strategies() -> None:
    """
    Which one has its position is a matter of who comes first; the other is told why it waits.
    """
    text = head() + strategies("bot", (ONCE, GAIN), (ONCE, GAIN), most=1)

    done = run(text, [FLAT] * 5)

    assert [seat.position.state for seat in seats_of(done)] == [State.OPEN, State.CLOSED]
    assert refused(done) == ["01:00 first entry: MAX_POSITIONS"]


def seats_of(done: Replayed) -> list[Seat]:
    """Return the places of all bots."""
    return list(done.engine.seats.values())


def with_places(text: str, most: int) -> str:
    """Return a bot that may have several positions."""
    return text.replace("[bot.limits]", f"max_positions = {most}\n[bot.limits]")
