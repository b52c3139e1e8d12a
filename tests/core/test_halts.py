"""What holds entries back, and is no limit: a pause, an emergency stop, books that broke."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.test_checks import ASK, USAGE, asked
from trancher.core.limits import BotLimits, Halt, PortfolioLimits, Refusal, RefusalCode, Unit

PAUSED = Halt(code=RefusalCode.PAUSED)
PAUSED_ALONE = Halt(code=RefusalCode.PAUSED, lifted_by="trancher resume --bot btc")
STOPPED = Halt(code=RefusalCode.EMERGENCY_STOP)
BROKEN = Halt(code=RefusalCode.RECONCILIATION_BREAK, lifted_by="trancher resume --position btc-1")
NO_LIMITS = BotLimits(
    max_position_size=None,
    max_tranches=None,
    min_tranche_size=None,
    max_tranche_size=None,
    tranche_cooldown=timedelta(0),
)
NONE = PortfolioLimits(max_active_positions=None, max_daily_trades=None)


def held_back(*halts: Halt) -> tuple[Refusal, ...]:
    """Ask under no limit at all, but for what somebody said."""
    usage = replace(USAGE, free_cash=Decimal(1000), halts=halts)
    return asked(ASK, bot=NO_LIMITS, portfolio=NONE, usage=usage)


def test_a_halt_refuses_what_no_limit_would() -> None:
    """
    It says how it ends: a person lifts what a person said.
    """
    assert held_back() == ()
    assert held_back(STOPPED) == (
        Refusal(
            code=RefusalCode.EMERGENCY_STOP,
            measured=Decimal(1),
            limit=Decimal(0),
            missing=Decimal(1),
            unit=Unit.HALTS,
            unblocks_when="somebody runs trancher resume",
        ),
    )


def test_every_halt_has_to_be_lifted() -> None:
    """
    A pause of all and one of the bot are one reason with two ends; a stop is a reason beside it,
    and so are books that are not what their journal says.
    """
    refusals = held_back(BROKEN, PAUSED, STOPPED, PAUSED_ALONE)

    assert [(one.code, one.measured, one.unblocks_when) for one in refusals] == [
        (
            RefusalCode.PAUSED,
            Decimal(2),
            "somebody runs trancher resume and trancher resume --bot btc",
        ),
        (RefusalCode.EMERGENCY_STOP, Decimal(1), "somebody runs trancher resume"),
        (
            RefusalCode.RECONCILIATION_BREAK,
            Decimal(1),
            "somebody runs trancher resume --position btc-1",
        ),
    ]


def test_two_halts_that_one_command_lifts_name_it_once() -> None:
    """
    Nobody types it twice.
    """
    (refusal,) = held_back(PAUSED, PAUSED)

    assert refusal.unblocks_when == "somebody runs trancher resume"
