import re
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

import pytest

from trancher.core.errors import InvalidLimits
from trancher.core.limits import (
    MEANINGS,
    BotLimits,
    ExitReserve,
    PortfolioLimits,
    RefusalCode,
    ReserveFunds,
    Unit,
)
from trancher.core.money import ZERO
from trancher.core.tranches import Disposal, TrancheStatus

LESS = Decimal(-1)


@pytest.mark.parametrize(
    ("smallest", "largest", "whole", "text"),
    [
        ("50.01", "50", "100", "min_tranche_size 50.01 is above max_tranche_size 50"),
        ("20", None, "19.99", "min_tranche_size 20 is above max_position_size 19.99"),
        ("20", "0.01", None, "min_tranche_size 20 is above max_tranche_size 0.01"),
    ],
)
def test_limits_that_can_never_be_met_are_refused(
    smallest: str, largest: str | None, whole: str | None, text: str
) -> None:
    """
    A bot that can never buy is a mistake in the settings, and is said before it runs.
    """
    with pytest.raises(InvalidLimits, match=f"^{re.escape(text)}$"):
        BotLimits(
            min_tranche_size=Decimal(smallest),
            max_tranche_size=None if largest is None else Decimal(largest),
            max_position_size=None if whole is None else Decimal(whole),
        )


def test_limits_that_just_meet_are_allowed() -> None:
    """
    One size and one tranche is a plan.
    """
    same = Decimal(50)

    tight = BotLimits(min_tranche_size=same, max_tranche_size=same, max_position_size=same)
    loose = BotLimits(min_tranche_size=same, max_tranche_size=None, max_position_size=None)

    assert (tight.max_position_size, loose.max_position_size) == (same, None)


def test_a_limit_of_zero_agrees_with_any_smallest_tranche() -> None:
    """
    Nothing is allowed, which is a wish and no contradiction.
    """
    no_position = BotLimits(max_position_size=Decimal(0), min_tranche_size=Decimal(10))
    no_tranche = BotLimits(max_tranche_size=Decimal(0), min_tranche_size=Decimal(10))

    assert (no_position.max_position_size, no_tranche.max_tranche_size) == (ZERO, ZERO)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (lambda: BotLimits(max_position_size=LESS), "max_position_size"),
        (lambda: BotLimits(max_tranches=-1), "max_tranches"),
        (lambda: BotLimits(min_tranche_size=LESS), "min_tranche_size"),
        (lambda: BotLimits(max_tranche_size=LESS), "max_tranche_size"),
        (lambda: PortfolioLimits(max_active_positions=-1), "max_active_positions"),
        (lambda: PortfolioLimits(max_daily_trades=-1), "max_daily_trades"),
        (lambda: PortfolioLimits(max_exposure=LESS), "max_exposure"),
        (lambda: PortfolioLimits(symbol_caps={"BTC/USD": LESS}), "the cap of BTC/USD"),
        (lambda: PortfolioLimits(max_daily_loss=LESS), "max_daily_loss"),
        (lambda: PortfolioLimits(max_losing_streak=-1), "max_losing_streak"),
        (lambda: PortfolioLimits(max_drawdown=LESS), "max_drawdown"),
    ],
)
def test_a_limit_below_zero_is_refused_by_name(written: Callable[[], object], name: str) -> None:
    """
    Less than none cannot be meant; the person learns which, and how to say no limit.
    """
    with pytest.raises(InvalidLimits) as raised:
        written()

    assert str(raised.value) == f"{name} is -1, expected 0 or more, or None for no limit"


@pytest.mark.parametrize("words", [ReserveFunds, ExitReserve, Disposal, Unit, TrancheStatus])
def test_a_word_is_written_in_small_letters(words: type[StrEnum]) -> None:
    """
    It stands in settings files and beside the numbers of every interface: not ours to respell.
    """
    assert [word.value for word in words] == [word.name.lower() for word in words]


def test_every_code_means_something() -> None:
    """
    A code without words cannot be shown to anybody.
    """
    assert set(MEANINGS) == set(RefusalCode)
    assert all(MEANINGS.values())
    assert [code.value for code in RefusalCode] == [code.name for code in RefusalCode]
