from datetime import timedelta
from decimal import Decimal

from strategies import BOOK_ID, BOT_NAME, NOON, buy_order, opened
from trancher.core.decision import Decision, Kind
from trancher.core.events import BuildingEnded, DustBooked, EntryAccepted
from trancher.core.limits import Refusal, RefusalCode, Unit
from trancher.core.order import BotName, PositionId
from trancher.store.memory import MemoryStore

COOLDOWN = RefusalCode.COOLDOWN
FUNDS = RefusalCode.INSUFFICIENT_FUNDS


def refusal(code: RefusalCode, missing: int = 1) -> Refusal:
    """Return a refusal by `code`."""
    return Refusal(
        code=code,
        measured=Decimal(0),
        limit=Decimal(missing),
        missing=Decimal(missing),
        unit=Unit.QUOTE,
        unblocks_when="it is there",
    )


def decision(
    *codes: RefusalCode,
    minutes: int = 0,
    kind: Kind = Kind.ENTRY,
    bot: BotName = BOT_NAME,
    position: PositionId = BOOK_ID,
    reason: str = "rung 1",
    missing: int = 1,
) -> Decision:
    """Return a decision, refused by `codes` if there are any."""
    return Decision(
        kind=kind,
        bot=bot,
        position_id=position,
        at=NOON + timedelta(minutes=minutes),
        reason=reason,
        price=Decimal(100),
        anchor_price=None,
        refusals=tuple(refusal(code, missing) for code in codes),
    )


def counts(*decisions: Decision) -> list[int]:
    """Return the count of every record that the decisions leave."""
    store = MemoryStore()
    for one in decisions:
        store.record(one)
    return [record.count for record in store.records]


def test_a_refusal_that_repeats_is_one_record() -> None:
    """
    With the first and the last time and how often; what is missing may have changed meanwhile.
    """
    store = MemoryStore()
    refusals = [decision(COOLDOWN, minutes=minute, missing=9 - minute) for minute in range(4)]

    for one in refusals:
        store.record(one)

    (record,) = store.records
    assert (record.first, record.last, record.count) == (refusals[0], refusals[-1], 4)


def test_what_differs_in_any_respect_is_a_record_of_its_own() -> None:
    """
    The reasons, their number, what was asked, the position, the bot.
    """
    first = decision(COOLDOWN)

    assert counts(first, decision(FUNDS)) == [1, 1]
    assert counts(first, decision(COOLDOWN, FUNDS)) == [1, 1]
    assert counts(first, decision(COOLDOWN, reason="rung 2")) == [1, 1]
    assert counts(first, decision(COOLDOWN, kind=Kind.EXIT)) == [1, 1]
    assert counts(first, decision(COOLDOWN, position=PositionId("bot-2"))) == [1, 1]
    assert counts(first, decision(COOLDOWN, bot=BotName("other"))) == [1, 1]


def test_what_was_accepted_is_always_a_record_of_its_own() -> None:
    """
    Two trades are two trades, and a refusal after one begins a new run.
    """
    accepted = decision()

    assert counts(accepted, accepted) == [1, 1]
    assert counts(decision(COOLDOWN), accepted, decision(COOLDOWN)) == [1, 1, 1]


def test_another_bot_s_decisions_do_not_break_a_run() -> None:
    """
    Two bots that are refused in turn leave two records, not one for each evaluation.
    """
    other = BotName("other")

    told = [decision(COOLDOWN), decision(FUNDS, bot=other)] * 3

    assert counts(*told) == [3, 3]


def test_the_journal_counts_events_over_all_positions() -> None:
    """
    In the order in which they came, each with its position, from 1.
    """
    store = MemoryStore()
    events = (
        EntryAccepted(order=buy_order(), at=NOON),
        BuildingEnded(reason="an exit begins", at=NOON),
        DustBooked(at=NOON),
    )

    store.append(opened(), events[:2])
    store.append(opened(name="bot-2"), events[2:])
    store.append(opened(), ())

    assert [(one.number, one.position_id, one.event) for one in store.journal] == [
        (1, BOOK_ID, events[0]),
        (2, BOOK_ID, events[1]),
        (3, "bot-2", events[2]),
    ]
