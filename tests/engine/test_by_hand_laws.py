"""People and plans on one purse: what holds of the engine whoever asks, and whatever fills."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from engine.fakes import NO_LIMITS, Desk, bot_of
from engine.test_by_hand import QUARTER, STOP, STOPPED, WHO
from engine.test_reservations import OFTEN, settle
from strategies import Dial
from trancher.core.bot import Bot
from trancher.core.conditions import Look, Observation
from trancher.core.decision import Decision
from trancher.core.evolve import evolve
from trancher.core.order import BotName, EntryOrder, PositionId
from trancher.core.position import Position
from trancher.seat import Seat, fresh

DROPS: Final = (("0.05", "30"), ("0.1", "50"))
steps: Final = st.lists(
    st.tuples(st.integers(0, 2**16 - 1).map(Dial), st.integers(0, 2**12 - 1).map(Dial)),
    max_size=25,
)


def bots() -> list[Bot]:
    """Return two bots that rebuild."""
    return [
        bot_of(STOP, QUARTER, name=name, size="40", drops=DROPS, rebuild=True, limits=NO_LIMITS)
        for name in ("one", "two")
    ]


def asked(desk: Desk, name: BotName, price: str, person: Dial) -> tuple[Decision, ...]:
    """Let a person ask something of a bot, or nothing."""
    engine, position = desk.engine, desk.engine.seats[name].position
    seen = Observation(price=Decimal(price), at=desk.now, look=Look.EVERYTHING)
    match person.pick(["", "", "add", "add much", "sell", "tranche", "close", "cancel"]):
        case "add":
            return (engine.add(name, seen, Decimal(25), reason=WHO),)
        case "add much":
            return (engine.add(name, seen, Decimal(90), reason=WHO),)
        case "sell":
            share = Decimal(person.pick(["0.3", "0.9", "1"]))
            return engine.sell(name, seen, share, reason=WHO)
        case "tranche":
            named = person.pick(position.book.open) if position.book.open else None
            return () if named is None else engine.sell(name, seen, named.id, reason=WHO)
        case "close":
            return engine.close(name, seen, reason=WHO)
        case "cancel":
            canceling = engine.cancel_entries(name, at=desk.now, reason=WHO)
            return () if canceling is None else (canceling,)
        case _:
            return ()


@given(steps=steps, cash=st.sampled_from(["60", "150", "400"]))
def test_people_and_plans_share_a_purse_without_debt(
    steps: list[tuple[Dial, Dial]], cash: str
) -> None:
    """
    Free cash is never below zero after an entry was accepted, whoever asked; a halted bot sends
    none; what the caller is told is what the record says; and the journal comes to the books.
    """
    desk = Desk(*bots(), cash=cash)
    engine, price, working = desk.engine, 100, list[int]()
    for market, person in steps:
        price = max(price + market.pick([0, 1, -1, 4, -4, 9, -9, 15]), 20)
        name = BotName(market.pick(["one", "two"]))
        engine.halts = person.pick([{}, {}, {}, {name: (STOPPED,)}])
        known = len(desk.exchange.sent)
        if market.pick(["look", "pass"]) == "look":
            desk.look(str(price), bot=name)
        decisions = asked(desk, name, str(price), person)
        sent = desk.exchange.sent[known:]
        working += range(known, known + len(sent))
        if any(isinstance(order, EntryOrder) for order in sent):
            assert engine.free_cash >= 0
            assert engine.halts == {}
        said = [record.last for record in desk.store.records]
        assert all(one in said for one in decisions)
        while working and market.pick(["end", "wait"]) == "end":
            filled = market.pick(OFTEN) == "yes"
            settle(desk, working.pop(0), str(price), filled=filled)
        desk.wait(minutes=30)
    for index in working:
        settle(desk, index, str(price), filled=False)

    assert engine.treasury.cash >= 0
    for seat in engine.seats.values():
        assert replayed(desk, seat) == whole(seat)


def whole(seat: Seat) -> dict[PositionId, Position]:
    """Return the positions of a bot that bought something, as the engine has them."""
    positions = (*seat.closed, seat.position)
    return {one.id: one for one in positions if one.book.tranche_count}


def replayed(desk: Desk, seat: Seat) -> dict[PositionId, Position]:
    """Return the same, as the journal comes to them."""
    told = dict(journal(desk, seat))
    return {name: one for name, one in told.items() if one.book.tranche_count}


def journal(desk: Desk, seat: Seat) -> Iterator[tuple[PositionId, Position]]:
    """Yield a bot's positions after each of their events."""
    position: Position | None = None
    for line in desk.store.journal:
        name, _, number = line.position_id.rpartition("-")
        if name != seat.bot.name:
            continue
        if position is None or position.id != line.position_id:
            position = fresh(seat.bot, int(number), before=position)
        position = evolve(position, line.event)
        yield line.position_id, position
