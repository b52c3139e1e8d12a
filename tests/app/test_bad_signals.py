"""Bad signals and limits: each is refused with one sentence, from its key on the whole of it."""

import pytest

from small_settings import told

PERIOD = "expected a whole number from 2 to 10000"
SCORE = "expected a score from -1 to 1"

SIGNALS = [
    ("rsi = 14", "rsi: found 14, expected a table"),
    ("rsi = {period = 1}", f"rsi.period: found 1, {PERIOD}"),
    ("rsi = {period = 14.0}", f"rsi.period: found 14.0, {PERIOD}"),
    ("rsi = {oversold = -1}", "rsi.oversold: found -1, expected a number from 0 to 100"),
    (
        "rsi = {oversold = 70}",
        "rsi.oversold: found 70, expected less than overbought, which is 70",
    ),
    (
        "rsi = {overbought = 30}",
        "rsi.overbought: found 30, expected more than oversold, which is 30",
    ),
    ("macd = {fast = 26}", "macd.fast: found 26, expected less than slow, which is 26"),
    ("macd = {signal = 0}", f"macd.signal: found 0, {PERIOD}"),
    ("ma_cross = {slow = 5}", "ma_cross.slow: found 5, expected more than fast, which is 10"),
    ("ma_cross = {atr = 10001}", f"ma_cross.atr: found 10001, {PERIOD}"),
    ("ma_support = {period = true}", f"ma_support.period: found true, {PERIOD}"),
    (
        "bollinger = {width = 0}",
        "bollinger.width: found 0, expected a number above 0, at most 100",
    ),
    (
        "price_drop = {drop = 5}",
        (
            "price_drop.drop: found 5, expected a ratio above 0 % and below 100 %, "
            'written "10%" or 0.10; write "5%" for 5 percent'
        ),
    ),
    ("price_drop = {window = []}", f"price_drop.window: found a list, {PERIOD}"),
    (
        "rsi = {fast = 3}",
        (
            "rsi.fast: found an unknown key, expected one of weight, max_age, period, oversold, "
            "overbought"
        ),
    ),
    (
        "macd = {oversold = 3}",
        "macd.oversold: found a key that stands elsewhere, expected it in [bot.signals.rsi]",
    ),
    (
        "rsi = {weight = 0}",
        (
            "rsi.weight: found 0, expected a ratio above 0 % and of at most 100 %, "
            'written "10%" or 0.10'
        ),
    ),
    (
        "rsi = {weight = 2}",
        (
            "rsi.weight: found 2, expected a ratio above 0 % and of at most 100 %, "
            'written "10%" or 0.10; write "2%" for 2 percent'
        ),
    ),
    (
        'rsi = {max_age = "0s"}',
        (
            'rsi.max_age: found "0s", expected a duration such as "15m", "36h" or "1h30m" '
            "in w, d, h, m, s"
        ),
    ),
    ("external = 3", "external: found 3, expected a table per signal"),
    ("external = {news = 3}", "external.news: found 3, expected a table {weight, max_age}"),
    (
        "external = {rsi = {}}",
        "external.rsi: found the name of a built-in signal, expected another",
    ),
    (
        'external = {"My News" = {}}',
        "external.\"My News\": found the key 'My News', expected a name of a-z, 0-9 and _",
    ),
    (
        "external = {news = {period = 3}}",
        "external.news.period: found an unknown key, expected one of weight, max_age",
    ),
    ("temperature = {warm = 2}", f"temperature.warm: found 2, {SCORE}"),
    (
        "temperature = {warm = 0.3}",
        "temperature: found cool 0.05, warm 0.3, hot 0.30, expected cool below warm below hot",
    ),
    (
        "temperature = {cold = 0}",
        (
            "temperature.cold: found an unknown key, expected one of cool, warm, hot; "
            "did you mean cool?"
        ),
    ),
    ("hysteresis = -0.1", "hysteresis: found -0.1, expected a score from 0 to 1"),
    ('hysteresis = "2%"', 'hysteresis: found "2%", expected a score from 0 to 1'),
    (
        "confirm = 5",
        (
            'confirm: found 5, expected a duration such as "15m", "36h" or "1h30m" in w, d, h, m, '
            "s, or 0 for none"
        ),
    ),
    (
        "rsl = {}",
        (
            "rsl: found an unknown key, expected one of rsi, macd, ma_cross, ma_support, "
            "bollinger, price_drop, external, temperature, hysteresis, confirm; did you mean rsi?"
        ),
    ),
]

LIMITS = [
    (
        {"limits": 'min_temperature = "warmer"'},
        (
            'bot.limits.min_temperature: found "warmer", expected "frozen" or "cool" or "warm" or '
            '"hot" or "off"; did you mean "warm"?'
        ),
    ),
    (
        {"limits": "min_temperature = 0.15"},
        (
            'bot.limits.min_temperature: found 0.15, expected "frozen" or "cool" or "warm" or '
            '"hot" or "off"'
        ),
    ),
    (
        {"portfolio": "max_exposure = -1"},
        'portfolio.max_exposure: found -1, expected a number of 0 or more, or "off" for no limit',
    ),
    (
        {"portfolio": 'max_daily_loss = "5%"'},
        (
            'portfolio.max_daily_loss: found "5%", expected a number of 0 or more, or "off" for '
            "no limit"
        ),
    ),
    (
        {"portfolio": "max_losing_streak = 2.5"},
        (
            "portfolio.max_losing_streak: found 2.5, expected a whole number of 1 or more, or "
            '"off" for no limit'
        ),
    ),
    (
        {"portfolio": "max_losing_streak = 0"},
        (
            "portfolio.max_losing_streak: found 0, expected a whole number of 1 or more, or "
            '"off" for no limit'
        ),
    ),
    (
        {"portfolio": "max_drawdown = 20"},
        (
            "portfolio.max_drawdown: found 20, expected a ratio of at least 0 % and below 100 %, "
            'written "10%" or 0.10, or "off"; write "20%" for 20 percent'
        ),
    ),
    (
        {"portfolio": "symbol_caps = 50"},
        'portfolio.symbol_caps: found 50, expected a table of symbols such as "BTC/USD"',
    ),
    (
        {"portfolio": "symbol_caps = {BTC = 50}"},
        "portfolio.symbol_caps.BTC: found the key 'BTC', expected a symbol such as \"BTC/USD\"",
    ),
    (
        {"portfolio": 'symbol_caps = {"BTC/EUR" = 50}'},
        (
            'portfolio.symbol_caps."BTC/EUR": found "BTC/EUR", expected a symbol in the '
            "portfolio's quote, such as BTC/USD"
        ),
    ),
    (
        {"portfolio": 'symbol_caps = {"BTC/USD" = -1}'},
        'portfolio.symbol_caps."BTC/USD": found -1, expected a number of 0 or more',
    ),
]


@pytest.mark.parametrize(("signals", "expected"), SIGNALS, ids=[one[0] for one in SIGNALS])
def test_a_bad_signal_is_told_in_one_sentence(signals: str, expected: str) -> None:
    """
    Where it stands, what was found, what is expected, and what may have been meant.
    """
    assert told(signals=signals) == f"bot.signals.{expected}"


@pytest.mark.parametrize(("tables", "expected"), LIMITS, ids=[one[1][:50] for one in LIMITS])
def test_a_bad_limit_is_told_in_one_sentence(tables: dict[str, str], expected: str) -> None:
    """
    A limit that is read wrongly is worse than none.
    """
    assert told(**tables) == expected
