"""What the core knows of several positions of a bot: where each stands, and how many there are."""

from dataclasses import replace
from decimal import Decimal

from core.facts import LATER, entry, filled
from core.test_checks import ASK, USAGE, asked
from core.test_decide_exit import STOP, bot, held
from strategies import BOT_NAME, BTC, observed
from trancher.core.bot import NO_PAST
from trancher.core.decide_entry import decide_entry
from trancher.core.decide_exit import decide_exit
from trancher.core.limits import BotLimits, PortfolioLimits, Refusal, RefusalCode, Unit
from trancher.core.order import PositionId, seat_name
from trancher.core.position import new_position, number_of
from trancher.core.tranches import Disposal


def test_the_first_place_of_a_bot_goes_by_the_bots_name() -> None:
    """
    So a bot with one position at a time, as most are, is called the same everywhere.
    """
    assert [seat_name(BOT_NAME, place) for place in (1, 2, 12)] == ["bot", "bot/2", "bot/12"]


def test_an_entry_says_in_which_place_its_position_stands() -> None:
    """
    The decision, the order, and so the journal: whoever reads it makes the same position of it.
    """
    waiting = replace(held(), place=2)

    decision = decide_entry(
        bot(),
        waiting,
        observed("100", at=LATER),
        past=NO_PAST,
        usage=USAGE,
        limits=PortfolioLimits(),
    )

    assert decision is not None
    assert decision.order is not None
    assert (decision.place, decision.seat) == (2, "bot/2")
    assert (decision.order.place, decision.order.seat) == (2, "bot/2")


def test_so_does_an_exit() -> None:
    """
    Its order is what the exchange reports of.
    """
    position = replace(held(entry("b1"), filled("b1", "1", "100")), place=3)

    decision = decide_exit(bot(STOP), position, observed("50", at=LATER))

    assert decision is not None
    assert decision.order is not None
    assert (decision.order.seat, decision.seat, position.seat) == ("bot/3",) * 3


def test_a_position_has_the_number_of_its_id() -> None:
    """
    A bot's name may have dashes too.
    """
    one = new_position(
        position_id=PositionId("btc-dca-12"), bot=BOT_NAME, instrument=BTC, disposal=Disposal.FIFO
    )

    assert number_of(one) == 12


def test_one_position_of_the_bot_too_many() -> None:
    """
    Asked only by an entry that would open one; a limit that was lowered wants several closed.
    """
    limits = BotLimits(max_positions=2)
    full, fuller = replace(USAGE, bot_positions=2), replace(USAGE, bot_positions=4)

    assert asked(bot=limits, usage=replace(USAGE, bot_positions=1)) == ()
    assert asked(bot=limits, usage=full) == (
        Refusal(
            code=RefusalCode.MAX_POSITIONS,
            measured=Decimal(3),
            limit=Decimal(2),
            missing=Decimal(1),
            unit=Unit.POSITIONS,
            unblocks_when="a position of the bot is closed",
        ),
    )
    assert asked(replace(ASK, opens_position=False), bot=limits, usage=full) == ()
    (refusal,) = asked(bot=limits, usage=fuller)
    assert (refusal.measured, refusal.missing) == (Decimal(5), Decimal(3))
    assert refusal.unblocks_when == "the bot has at most 1 positions"
