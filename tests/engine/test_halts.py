"""A pause and an emergency stop hold back entries, and nothing else."""

from decimal import Decimal

from engine.fakes import Desk, bot_of
from trancher.core.exits import StopLoss
from trancher.core.limits import Halt, RefusalCode
from trancher.core.order import BotName, ExitOrder

STOP = StopLoss(loss=Decimal("0.1"))
PAUSED = Halt(code=RefusalCode.PAUSED, lifted_by="trancher resume --bot one")
STOPPED = Halt(code=RefusalCode.EMERGENCY_STOP)


def test_a_halted_bot_buys_nothing_until_somebody_resumes() -> None:
    """
    The rung that was due is refused and recorded like every other; the bot beside it goes on.
    """
    desk = Desk(bot_of(name="one"), bot_of(name="two"))
    desk.engine.halts = {BotName("one"): (PAUSED, STOPPED)}

    desk.look("100", bot="one")
    assert desk.codes == ["PAUSED", "EMERGENCY_STOP"]
    desk.look("100", bot="two")
    assert [order.bot for order in desk.exchange.sent] == ["two"]
    desk.engine.halts = {}
    desk.look("100", bot="one")

    assert [order.bot for order in desk.exchange.sent] == ["two", "one"]


def test_a_halted_bot_sells() -> None:
    """
    Exits go on: a halt that kept somebody in a falling market would be the emergency itself.
    """
    desk = Desk(bot_of(STOP))
    desk.buy("1", "100")
    desk.engine.halts = {BotName("bot"): (PAUSED, STOPPED)}

    desk.look("90")

    assert isinstance(desk.exchange.sent[-1], ExitOrder)
