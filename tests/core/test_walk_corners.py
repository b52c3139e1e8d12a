"""The walk reaches what the laws of the core are about."""

from collections.abc import Iterator
from random import Random

from core.test_walks import ALLOWED
from core.walk import Life, Story, step_from, walk
from core.wishes import Wish
from strategies import Dial, bot_from, portfolio_from
from trancher.core.decision import Decision
from trancher.core.events import Adopted, Corrected, Event, Undone
from trancher.core.lifecycle import State
from trancher.core.limits import RefusalCode, ReserveFunds
from trancher.core.order import EntryOrder, ExitOrder
from trancher.core.position import Position


def test_the_walk_reaches_every_corner() -> None:
    """
    A law over lives in which nothing happens would hold of any program.
    """
    dice, missing = Random(1), corners()  # noqa: S311 - a seeded path, not a secret
    for _ in range(2000):
        dial = Dial(dice.getrandbits(192))
        path = [
            step_from(Dial(dice.getrandbits(40)), Dial(dice.getrandbits(20))) for _ in range(20)
        ]
        missing -= set(seen_in(walk(Life(bot_from(dial), portfolio_from(dial), path))))
        if not missing:
            break
    assert missing == set()


def corners() -> set[str]:
    """Return all that a life can come to, by name."""
    every = {f"{source} -> {target}" for source, target in ALLOWED}
    every |= {f"holds {state}" for state in State if state is not State.CLOSED}
    every |= {f"reserve {mode}" for mode in ReserveFunds} | {"dust", "cancel", "retry"}
    # A life has one place; tests/engine/test_places.py has bots with several. Its signals are all
    # heard; test_unheard.py has those that are not.
    unmet = {"MAX_POSITIONS", "STALE_SIGNAL", "DUPLICATE_SIGNAL"}
    every |= {code.value for code in RefusalCode} - unmet
    every |= {"StopLoss", "TrailingStop", "BreakEvenStop", "TimeStop", "SignalExit"}
    every |= {"names two", "names one twice", "keeps crumbs", "trails", "clipped", "rests"}
    every |= {f"wish {wish}" for wish in Wish}
    return every | {"re-armed", "sold in two", "break even", "two exits work"}


def seen_in(story: Story) -> Iterator[str]:
    """Yield what a life came to."""
    for one in story.happened:
        yield f"{one.before.state} -> {one.after.state}"
        yield from corners_of_stock(one.event)
        if one.after.held > 0:
            yield f"holds {one.after.state}"
    if story.asked:
        yield f"reserve {story.bot.limits.reserve_funds}"
    yield from (f"wish {asked.wish}" for asked in story.asked if asked.decision.accepted)
    for decision in story.decisions:
        yield from corners_of(decision)
    for position in story.positions:
        yield from corners_of_position(story, position)


def corners_of_stock(event: Event) -> Iterator[str]:
    """Yield what was told of what is there."""
    match event:
        case Adopted():
            yield f"wish {Wish.MORE}"
        case Corrected():
            yield f"wish {Wish.LESS if event.left > 0 else Wish.GONE}"
        case Undone():
            yield f"wish {Wish.UNDO}"
        case _:
            return


RULES = {
    "stop loss": "StopLoss",
    "trailing": "TrailingStop",
    "break-even": "BreakEvenStop",
    "time": "TimeStop",
    "signal": "SignalExit",
}


def corners_of(decision: Decision) -> Iterator[str]:
    """Yield what is rare about a decision."""
    order = decision.order
    yield from (refusal.code.value for refusal in decision.refusals)
    yield from (corner for word, corner in RULES.items() if decision.reason.startswith(word))
    yield from (corner for word, corner in WORDS.items() if word in decision.reason)
    if decision.cancels:
        yield "cancel"
    if isinstance(order, ExitOrder):
        if order.full and not order.rungs:
            yield "retry"
        names = [one.tranche_id for one in order.named]
        if len(set(names)) > 1:
            yield "names two"
        if len(set(names)) < len(names):
            yield "names one twice"
    if isinstance(order, EntryOrder):
        if order.limit_price is not None:
            yield "rests"
        if order.size % 1 != 0 and order.reason != "low":
            yield "clipped"


WORDS = {", trailing": "trails", "of the break-even": "break even"}


def corners_of_position(story: Story, position: Position) -> Iterator[str]:
    """Yield what is rare about a position's life."""
    if position.book.dust_quantity > 0:
        yield "dust"
    if any(
        uses > story.bot.plan.entries[rung].repeat for rung, uses in position.rung_uses.items()
    ):
        yield "re-armed"
    for tranche_id in position.sold:
        sales = {
            e.order_id
            for e in position.book.exits
            for m in e.matches
            if m.tranche_id == tranche_id
        }
        if len(sales) > 1:
            yield "sold in two"
    if any(len(one.after.working_exits) > 1 for one in story.happened):
        yield "two exits work"
    crumb = story.bot.instrument.quantity_step
    if any(0 < one.open_quantity < crumb for one in position.book.open) and position.sold:
        yield "keeps crumbs"
