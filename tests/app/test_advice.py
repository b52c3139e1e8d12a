"""Warnings: what a configuration may say, and what a person should hear about it first."""

import pytest

from trancher.app.settings import Settings, parse

SMALLEST = """
[portfolio]
quote = "USD"
cash = 1000
[[bot]]
name = "b"
symbol = "BTC/USD"
[bot.entry]
plan = "dca"
size = 25
every = "7d"
"""


def settings_of(
    *, portfolio: str = "", limits: str = "", entry: str = "", end: str = ""
) -> Settings:
    """Return the settings of a small configuration with these lines in their tables."""
    entry = entry or 'plan = "dca"\nsize = 25\nevery = "7d"'
    return parse(
        f"[portfolio]\nquote = 'USD'\ncash = 1000\n{portfolio}\n"
        f"[[bot]]\nname = 'b'\nsymbol = 'BTC/USD'\n[bot.limits]\n{limits}\n"
        f"[bot.entry]\n{entry}\n[bot.exit]\n{end}\n",
        file="c.toml",
    )


WARNED = [
    ("", "max_active_positions = 0", "", "", "max_active_positions is 0"),
    ("", "max_daily_trades = 1", "", "", "needs 1 trade and 1 kept back"),
    (
        "",
        'max_daily_trades = 2\nexit_reserve = "ladder"',
        "",
        'take_profit = [{gain = 0.1, sell = 0.5}, {gain = 0.2, sell = "rest"}]',
        "needs 1 trade and 2 kept back",
    ),
    ("max_position_size = 60", "", "", "", "further entry can be used 1 of 2 times"),
    ("max_position_size = 60", "", "", "", "max_position_size 60 binds"),
    ("max_tranches = 0", "", 'plan = "dca"\nsize = 25\nevery = "1d"', "", "allows no entry"),
    (
        "",
        "",
        'plan = "ladder"\nbase_size = 20\nlevels = [{drop = 0.1, size = 60}]',
        "",
        "safety order 1 of 60 never fits: max_tranche_size 50 binds",
    ),
    ("", "", "", 'take_profit = [{gain = "9%", sell = "50%"}]', "the rest is never sold"),
    ("", "", "", "", "it has no exit"),
    ("", "cash = 50", "", "", "cash 50 is below the 75.075"),
    (
        "",
        "",
        'plan = "dca"\nsize = 20\nevery = "1d"\nmax_tranches = 4',
        "",
        "max_tranches 4 is above limits.max_tranches 3",
    ),
    ("", "", 'plan = "dca"\nsize = 20\nevery = "1m"', "", "every is shorter"),
    ("", "", 'plan = "dca"\nsize = 20\nevery = "1d"\nmax_tranches = 1', "", "have no effect"),
    (
        "",
        "",
        'plan = "dca"\nsize = 20\ndrop = "10%"',
        'stop_loss = "8%"',
        "stop_loss 8 % sells before use 1 of further entry is reached",
    ),
    (
        "",
        "",
        (
            'plan = "ladder"\nbase_size = 20\n'
            "levels = [{drop = 0.05, size = 20}, {drop = 0.2, size = 20}]"
        ),
        'stop_loss = "12%"',
        "stop_loss 12 % sells before safety order 2 is reached",
    ),
]


@pytest.mark.parametrize(("limits", "portfolio", "entry", "end", "words"), WARNED)
def test_what_may_surprise_is_warned_of(
    limits: str, portfolio: str, entry: str, end: str, words: str
) -> None:
    """
    Each is allowed, and each has cost somebody an evening of asking why nothing happens.
    """
    if portfolio.startswith("cash"):
        text = f"{SMALLEST.replace('cash = 1000', portfolio)}[bot.exit]\nstop_loss = '9%'\n"
        settings = parse(text, file="c.toml")
    else:
        settings = settings_of(limits=limits, portfolio=portfolio, entry=entry, end=end)

    assert any(words in warning for warning in settings.warnings), settings.warnings


def test_a_tranche_that_may_become_unsellable_is_warned_of() -> None:
    """
    Bought at the minimum, it is below it at the stop.
    """
    text = f'{SMALLEST}[bot.exit]\nstop_loss = "30%"\n[instrument."BTC/USD"]\nmin_notional = 20\n'

    (warning,) = parse(text, file="c.toml").warnings

    assert "worth 17.5" in warning
    assert "unsellable" in warning


def test_what_nothing_reads_is_warned_of() -> None:
    """
    An instrument nobody trades is most often a misspelt one.
    """
    settings = parse(f'{SMALLEST}[bot.signals.rsi]\n[instrument."ETH/USD"]\n', file="c.toml")

    assert "instrument ETH/USD: no bot trades it" in settings.warnings
    assert "bot b: no rung reads the signal rsi" in settings.warnings
