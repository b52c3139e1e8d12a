"""The limits that are off unless somebody sets them: exposure, losses, drawdown, signals."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.test_checks import ASK, BOT, MIDNIGHT, PORTFOLIO, QUANTUM, USAGE, asked
from strategies import NOON
from trancher.core.checks import room
from trancher.core.limits import BotLimits, PortfolioLimits, Refusal, RefusalCode, Unit
from trancher.core.signals import Temperature

D = Decimal


@pytest.mark.parametrize(
    ("limits", "code", "unblocks_when"),
    [
        (
            replace(PORTFOLIO, max_exposure=D(150)),
            RefusalCode.MAX_EXPOSURE,
            "what all bots hold and buy falls to 129.9999999999",
        ),
        (
            replace(PORTFOLIO, symbol_caps={"BTC/USD": D(100)}),
            RefusalCode.SYMBOL_CAP,
            "what all bots hold and buy of the symbol falls to 79.9999999999",
        ),
    ],
)
def test_a_sum_over_all_bots_is_full_to_the_quantum(
    limits: PortfolioLimits, code: RefusalCode, unblocks_when: str
) -> None:
    """
    130 in all and 80 of the symbol, 20 more: 150 and 100 are enough, a quantum less is not.
    """
    tight = replace(
        limits,
        max_exposure=None if limits.max_exposure is None else D(150) - QUANTUM,
        symbol_caps={name: cap - QUANTUM for name, cap in limits.symbol_caps.items()},
    )

    assert asked(portfolio=limits) == ()
    (refusal,) = asked(portfolio=tight)
    assert (refusal.code, refusal.missing, refusal.unit) == (code, QUANTUM, Unit.QUOTE)
    assert refusal.measured == refusal.limit + QUANTUM
    assert refusal.unblocks_when == unblocks_when


def test_another_symbols_cap_is_no_limit() -> None:
    """
    And 0 for this one allows none of it, ever.
    """
    assert asked(portfolio=replace(PORTFOLIO, symbol_caps={"ETH/USD": D(0)})) == ()
    (never,) = asked(portfolio=replace(PORTFOLIO, symbol_caps={"BTC/USD": D(0)}))
    assert never.unblocks_when == "the rung is made smaller or the limit larger"


@pytest.mark.parametrize(
    ("limit", "realized", "missing"),
    [
        ("5", "-4.9999999999", None),
        ("5", "-5", "0"),
        ("5", "-7", "2"),
        ("0", "0", None),
        ("0", "3", None),
        ("0", "-0.0000000001", "0.0000000001"),
    ],
)
def test_a_days_loss_ends_its_entries_at_the_limit(
    limit: str, realized: str, missing: str | None
) -> None:
    """
    Reached is enough, because the next loss comes after the entry; without a loss even a limit of
    0 has nothing against it.
    """
    refusals = asked(
        portfolio=replace(PORTFOLIO, max_daily_loss=D(limit)),
        usage=replace(USAGE, realized_today=D(realized)),
    )

    assert refusals == (
        ()
        if missing is None
        else (
            Refusal(
                code=RefusalCode.MAX_DAILY_LOSS,
                measured=-D(realized),
                limit=D(limit),
                missing=D(missing),
                unit=Unit.QUOTE,
                unblocks_at=MIDNIGHT,
            ),
        )
    )


@pytest.mark.parametrize(
    ("limit", "streak", "missing"), [(2, 1, None), (2, 2, 0), (2, 3, 1), (0, 0, None), (0, 1, 1)]
)
def test_losses_in_a_row_end_the_days_entries_at_the_limit(
    limit: int, streak: int, missing: int | None
) -> None:
    """
    Two of two are enough; until midnight.
    """
    refusals = asked(
        portfolio=replace(PORTFOLIO, max_losing_streak=limit),
        usage=replace(USAGE, losing_streak=streak),
    )

    assert refusals == (
        ()
        if missing is None
        else (
            Refusal(
                code=RefusalCode.LOSING_STREAK,
                measured=D(streak),
                limit=D(limit),
                missing=D(missing),
                unit=Unit.POSITIONS,
                unblocks_at=MIDNIGHT,
            ),
        )
    )


@pytest.mark.parametrize(
    ("limit", "equity", "refusal"),
    [
        ("0.1", "900.01", None),
        ("0.1", "900", ("0.1", "0", "equity rises above 900.0")),
        ("0.1", "850", ("0.15", "0.05", "equity rises above 900.0")),
        ("0", "1000", None),
        ("0", "999", ("0.001", "0.001", "equity is at its peak")),
        ("1", "0.01", None),
        ("1", "-5", ("1.005", "0.005", "equity rises above 0")),
    ],
)
def test_a_drawdown_is_measured_from_the_peak(
    limit: str, equity: str, refusal: tuple[str, str, str] | None
) -> None:
    """
    1000 at the peak: at 900 a tenth is lost, which is the limit. 0 wants the peak itself, and
    equity may be below nothing.
    """
    refusals = asked(
        portfolio=replace(PORTFOLIO, max_drawdown=D(limit)),
        usage=replace(USAGE, equity=D(equity)),
    )

    told = [(one.measured, one.missing, one.unblocks_when) for one in refusals]
    expected = [] if refusal is None else [(D(refusal[0]), D(refusal[1]), refusal[2])]
    assert told == expected
    assert all((one.code, one.unit) == (RefusalCode.MAX_DRAWDOWN, Unit.RATIO) for one in refusals)


def test_the_cooldown_after_a_stop_stands_beside_the_other() -> None:
    """
    Both are told, each with its name and its own end.
    """
    bot = replace(BOT, reentry_cooldown=timedelta(hours=1))
    ask = replace(ASK, last_entry_at=NOON, stopped_at=NOON - timedelta(minutes=30))

    told = [(one.code, one.key, one.unblocks_at) for one in asked(ask, bot=bot)]

    assert told == [
        (RefusalCode.COOLDOWN, "tranche_cooldown", NOON + timedelta(minutes=15)),
        (RefusalCode.COOLDOWN, "reentry_cooldown", NOON + timedelta(minutes=30)),
    ]
    assert asked(replace(ASK, stopped_at=NOON - timedelta(hours=1)), bot=bot) == ()


def test_a_cooldown_of_nothing_refuses_nothing() -> None:
    """
    Not even where the last entry, or the stop, is dated later than what is asked: another position
    of the bot has been looked at to the end of a candle, or an exchange's clock is ahead.
    """
    later = NOON + timedelta(microseconds=1)
    bot = replace(BOT, tranche_cooldown=timedelta(0), reentry_cooldown=timedelta(0))

    assert asked(replace(ASK, last_entry_at=later, stopped_at=later), bot=bot) == ()


def test_what_the_signals_have_against_it_is_told_with_the_rest() -> None:
    """
    Colder than WARM and not confirmed, and a tranche too many besides: every reason.
    """
    cold = replace(
        ASK,
        score=D("0.14"),
        confirmed_score=D("0.1"),
        temperature=Temperature.COOL,
        confirmed=False,
        tranches=3,
    )

    told = [(one.code, one.missing) for one in asked(cold)]

    assert told == [
        (RefusalCode.MAX_TRANCHES, D(1)),
        (RefusalCode.MIN_TEMPERATURE, D("0.01")),
        (RefusalCode.UNCONFIRMED, D("0.1")),
    ]
    assert asked(replace(cold, tranches=2, least_temperature=None, score_wanted=None)) == ()


@pytest.mark.parametrize(
    ("bot", "portfolio", "expected"),
    [
        (BotLimits(), PORTFOLIO, "20"),
        (BotLimits(max_position_size=None), PORTFOLIO, "50"),
        (
            BotLimits(max_position_size=None, max_tranche_size=None),
            replace(PORTFOLIO, max_exposure=D(140), symbol_caps={"BTC/USD": D(95)}),
            "10",
        ),
        (BotLimits(), replace(PORTFOLIO, max_exposure=D(100)), "-30"),
        (BotLimits(max_position_size=None, max_tranche_size=None), PORTFOLIO, None),
    ],
)
def test_the_room_is_that_of_the_tightest_limit(
    bot: BotLimits, portfolio: PortfolioLimits, expected: str | None
) -> None:
    """
    80 of the position, 130 in all, 80 of the symbol: what is over-used has less than none.
    """
    left = room(ASK.symbol, ASK.anchor_cost, bot=bot, portfolio=portfolio, usage=USAGE)

    assert left == (None if expected is None else D(expected))
