"""Warnings: what a configuration may say, and what a person should hear about it first."""

import pytest

from small_settings import settings_of, text_of
from trancher.app.fitting import fit
from trancher.app.settings import parse

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
    ("", "", "", 'take_profit = [{gain = "9%", sell = "50%"}]', "no other rule sells the rest"),
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


STOP = 'stop_loss = "9%"\n'
DCA = 'plan = "dca"\nsize = 25\nevery = "7d"\n'
FEES = 'fee_in = "base"\nmaker_fee = "0.2%"\ntaker_fee = "0.2%"'
MORE = [
    (
        {"entry": DCA + 'build_window = "7d"'},
        "bot b: build_window 7d is over before the 7d that further entry waits: it never comes",
    ),
    (
        {"end": 'signal_exit = {score = -0.5}\nreentry_cooldown = "1d"', "signals": "rsi = {}"},
        "bot b: reentry_cooldown has no effect: there is no stop after which it runs",
    ),
    (
        {"portfolio": 'symbol_caps = {"ETH/USD" = 50}', "end": STOP},
        "symbol_caps ETH/USD: no bot trades it",
    ),
    (
        {"portfolio": 'symbol_caps = {"BTC/USD" = 24.99}', "end": STOP},
        "bot b: symbol_caps BTC/USD 24.99 is below its first entry of 25: it never enters",
    ),
    (
        {"portfolio": 'symbol_caps = {"BTC/USD" = 74.99}', "end": STOP},
        (
            "bot b: symbol_caps BTC/USD 74.99 is below the 75 that further entry would bring the "
            "bot to: it is refused"
        ),
    ),
    (
        {
            "portfolio": "max_exposure = 45",
            "entry": 'plan = "ladder"\nbase_size = 20\nlevels = [{drop = 0.1, size = 26}]',
            "end": 'stop_loss = "30%"',
        },
        (
            "bot b: max_exposure 45 is below the 46 that safety order 1 would bring the bot to: "
            "it is refused"
        ),
    ),
    (
        {"end": STOP + 'break_even_after = "0.2%"'},
        (
            "bot b: break_even_after 0.2 % lies below the break-even price, 0.20 % above the "
            "anchor with fees: once armed it sells at a loss"
        ),
    ),
    (
        {"end": STOP + 'break_even_after = "0.4%"', "instrument": FEES},
        (
            "bot b: break_even_after 0.4 % lies below the break-even price, 0.40 % above the "
            "anchor with fees: once armed it sells at a loss"
        ),
    ),
    (
        {"end": STOP + 'take_profit = [{gain = "5%", sell = "rest"}]\nbreak_even_after = "5%"'},
        "bot b: break_even_after 5 % has no effect: take_profit has sold all by then",
    ),
    (
        {
            "end": STOP
            + 'take_profit = [{gain = "5%", sell = "rest"}]\ntrailing_take_profit = "10%"'
        },
        (
            "bot b: take profit +5 %, trailing 10 % may sell 5.5 % below the anchor: it trails "
            "too wide"
        ),
    ),
    (
        {"portfolio": "max_exposure = 0", "end": STOP},
        "bot b: max_exposure 0 is below its first entry of 25: it never enters",
    ),
    (
        {"entry": DCA + 'on_excess = "clip"', "limits": "max_position_size = 60", "end": STOP},
        (
            "bot b: further entry can be used 2 of 2 times: max_position_size 60 binds, to which "
            "the last is clipped"
        ),
    ),
    (
        {
            "end": 'take_profit = [{gain = "5%", sell = "5%"}, {gain = "9%", sell = "rest"}]',
            "instrument": "min_notional = 5",
        },
        (
            "bot b: take profit +5 % sells at most 3.9375, below min_notional 5: it waits for the "
            "next rung"
        ),
    ),
]


@pytest.mark.parametrize(("tables", "expected"), MORE, ids=[one[1][:60] for one in MORE])
def test_the_whole_warning_says_what_comes_of_it(tables: dict[str, str], expected: str) -> None:
    """
    One sentence, and no other beside it.
    """
    assert settings_of(**{"end": STOP, **tables}).warnings == (expected,)


def test_what_is_a_choice_is_a_note_and_no_warning() -> None:
    """
    Many a ladder has no stop on purpose; whoever forgot it should still hear so.
    """
    gains = 'take_profit = [{gain = "5%", sell = "rest"}]\n'
    told = settings_of(end=gains)

    assert told.warnings == ()
    assert told.notes == (
        "bot b: no exit sells while the price only falls: it holds what it bought until it rises",
    )
    for rule in (STOP, 'time_stop = "9d"', "signal_exit = {score = -0.5}"):
        assert settings_of(end=gains + rule, signals="rsi = {}").notes == ()
    assert settings_of(end=gains + 'break_even_after = "1%"').notes == told.notes
    assert settings_of(end="").notes == ()


def test_an_order_that_ends_before_a_candle_does_is_warned_of() -> None:
    """
    A candle does not say when inside it a price was reached; one as long as the candle may fill.
    """
    text = text_of(entry=f'{DCA}order = "limit"\nttl = "1h"', end=STOP)
    text = text.replace('name = "b"\n', 'name = "b"\ntimeframe = "1h"\n')

    settings = parse(text.replace('ttl = "1h"', 'ttl = "59m"'), file="c.toml")

    (warning,) = settings.warnings
    assert warning == (
        "bot b: ttl 59m is shorter than timeframe 1h: in candles that long an order fills at the "
        "next open or not at all"
    )
    assert parse(text, file="c.toml").warnings == ()


def test_limits_that_just_fit_are_no_warning() -> None:
    """
    At the very bound everything is bought, so there is nothing to say.
    """
    exits = (
        'take_profit = [{gain = "5%", sell = "50%"}, {gain = "25%", sell = "rest"}]\n'
        'trailing_take_profit = "20%"\nbreak_even_after = "0.3%"\n'
    )
    tables = {"portfolio": "max_exposure = 75", "end": STOP + exits}

    assert settings_of(entry=DCA + 'build_window = "7d1s"', **tables).warnings == ()


def test_what_is_clipped_counts_in_the_worst_case() -> None:
    """
    A rung cut to the largest tranche, and one cut to what is left, both cost money.
    """
    clipping = settings_of(
        entry='plan = "rungs"\non_excess = "clip"\nrungs = ['
        "{when = {flat = true}, size = 70}, {when = {drop = 0.1}, size = 40}, "
        "{when = {drop = 0.2}, size = 40}]"
    )
    (bot,) = clipping.bots

    fits = fit(bot.plan, bot.limits, equity=clipping.portfolio.cash)

    assert [one.uses for one in fits] == [1, 1, 1]
    assert [one.total for one in fits] == [50, 90, 100]
