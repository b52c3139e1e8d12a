"""What every store behind the port must do, whoever implements it.

An implementation inherits the class and says how one is opened and what it kept.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from core.walk import Life, Story, step_from, walk
from strategies import BOT_NAME, NOON, Dial, bot_from, buy_order, opened, portfolio_from
from trancher.core.decision import Decision, Kind
from trancher.core.events import BuildingEnded, EntryAccepted, Event
from trancher.core.evolve import evolve
from trancher.core.limits import Refusal, RefusalCode, Unit
from trancher.core.order import BotName, PositionId
from trancher.core.position import Position
from trancher.ports import Store
from trancher.store.records import Record

OTHER = BotName("other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a store kept.

    Attributes:
        events: with their positions, in the order in which they came.
        records: in the order in which they began or ended, which stores choose for themselves.
    """

    events: Sequence[tuple[PositionId, Event]]
    records: Sequence[Record]

    def of(self, bot: BotName = BOT_NAME) -> list[Record]:
        """Return the records of one bot, whose order is the same in every store."""
        return [record for record in self.records if record.first.bot == bot]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A store with nothing in it, and the way to hear what it kept once all has been given."""

    store: Store
    told: Callable[[], Told]


def refusal(*codes: RefusalCode, minutes: int = 0, bot: BotName = BOT_NAME) -> Decision:
    """Return an entry refused by `codes`; without any it is accepted."""
    return Decision(
        kind=Kind.ENTRY,
        bot=bot,
        position_id=PositionId(f"{bot}-1"),
        at=NOON + timedelta(minutes=minutes),
        reason="rung 0",
        price=Decimal("100.0"),
        anchor_price=None,
        refusals=tuple(
            Refusal(
                code=code,
                measured=Decimal(minutes),
                limit=Decimal(9),
                missing=Decimal(9 - minutes),
                unit=Unit.QUOTE,
                unblocks_at=NOON,
            )
            for code in codes
        ),
    )


class StoreContract:
    """Every store keeps this."""

    @abstractmethod
    def open(self, folder: Path) -> Opened:
        """Return a new store for the bots `bot` and `other`."""

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Opened:
        """Return a new store."""
        return self.open(tmp_path)

    def test_events_are_kept_in_order_with_their_position(self, opened: Opened) -> None:
        """
        The journal is the truth: what came first stands first, over all positions.
        """
        other = EntryAccepted(order=buy_order("b2"), at=NOON)
        first, second = a_position("bot-1", ACCEPTED), a_position("bot-2", other)

        opened.store.append(first, (ACCEPTED,))
        opened.store.append(evolve(second, ENDED), (other, ENDED))
        opened.store.append(evolve(first, ENDED), (ENDED,))

        assert list(opened.told().events) == [
            ("bot-1", ACCEPTED),
            ("bot-2", other),
            ("bot-2", ENDED),
            ("bot-1", ENDED),
        ]

    def test_no_events_are_no_entry(self, opened: Opened) -> None:
        """
        A call that says nothing writes nothing, not even the position it names.
        """
        opened.store.append(a_position("bot-1", ACCEPTED), ())

        assert opened.told() == Told(events=[], records=[])

    def test_a_refusal_that_repeats_is_one_record(self, opened: Opened) -> None:
        """
        First, last and how often; the numbers may have changed meanwhile.
        """
        told = [refusal(RefusalCode.COOLDOWN, minutes=minute) for minute in range(4)]

        for decision in told:
            opened.store.record(decision)

        assert opened.told().of() == [Record(first=told[0], last=told[-1], count=4)]

    def test_other_reasons_begin_another_record(self, opened: Opened) -> None:
        """
        Whoever reads the record must see each reason by itself.
        """
        told = [
            refusal(RefusalCode.COOLDOWN),
            refusal(RefusalCode.COOLDOWN, RefusalCode.MAX_TRANCHES, minutes=1),
            refusal(RefusalCode.COOLDOWN, minutes=2),
        ]

        for decision in told:
            opened.store.record(decision)

        assert opened.told().of() == [Record(first=one, last=one, count=1) for one in told]

    def test_what_was_accepted_is_a_record_of_its_own(self, opened: Opened) -> None:
        """
        Two trades are two trades, and a refusal after one begins a new run.
        """
        told = [
            refusal(RefusalCode.COOLDOWN),
            refusal(minutes=1),
            refusal(minutes=1),
            refusal(RefusalCode.COOLDOWN, minutes=2),
        ]

        for decision in told:
            opened.store.record(decision)

        kept = opened.told().of()
        assert [record.count for record in kept] == [1, 1, 1, 1]
        assert [record.first for record in kept] == told

    def test_another_bot_does_not_break_a_run(self, opened: Opened) -> None:
        """
        Two bots that are refused in turn leave two records, not one for each evaluation.
        """
        for minute in range(3):
            opened.store.record(refusal(RefusalCode.COOLDOWN, minutes=minute))
            opened.store.record(refusal(RefusalCode.COOLDOWN, minutes=minute, bot=OTHER))

        kept = opened.told()
        assert [record.count for record in kept.of()] == [3]
        assert [record.count for record in kept.of(OTHER)] == [3]

    @pytest.mark.parametrize("seed", range(12))
    def test_a_life_is_kept_whole(self, opened: Opened, seed: int) -> None:
        """
        Every event, and every decision or the run of refusals that holds it.
        """
        story = walk(life(seed))

        tell(opened.store, story)

        told = opened.told()
        assert list(told.events) == [(one.before.id, one.event) for one in story.happened]
        assert sum(record.count for record in told.of()) == len(story.decisions)
        decisions = iter(story.decisions)
        assert all(record.first in decisions for record in told.of())


def life(seed: int) -> Life:
    """Return the life of some bot, some ninety steps long."""
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    dial = Dial(random.getrandbits(96))
    steps = [
        step_from(Dial(random.getrandbits(20)), Dial(random.getrandbits(20))) for _ in range(90)
    ]
    return Life(bot_from(dial), portfolio_from(dial), steps)


ACCEPTED = EntryAccepted(order=buy_order(), at=NOON)
ENDED = BuildingEnded(reason="an exit begins", at=NOON)


def a_position(name: str, accepted: EntryAccepted) -> Position:
    """Return a position whose first entry was accepted."""
    return evolve(opened(name=name), accepted)


def tell(store: Store, story: Story) -> None:
    """Give a store what a walk came to: decisions in their order, then events in theirs."""
    for decision in story.decisions:
        store.record(decision)
    for one in story.happened:
        store.append(one.after, (one.event,))
