"""Bad entries: each is refused with one sentence, from its key on the whole of it."""

import pytest

from small_settings import told

GRADUATED = 'plan = "graduated"\nsteps = [{score = 0.5, size = 20}, {score = 0.6, size = 20}]'
LISTENING = "rsi = {}"
EVENTS = 'plan = "signals"\nsteps = [{signal = "rsi_oversold", size = 20}]'
DCA = 'plan = "dca"\nsize = 25\nevery = "7d"\n'
LIMIT = DCA + 'order = "limit"\n'
REARMED = DCA + "rearm = true\n"
OVER_TRANCHES = 'stop_loss = {loss = "5%", over = "tranche"}'


SCORE = "expected a score from -1 to 1"

ENTRIES = [
    # scores and events without anybody who gives them
    (
        {"entry": GRADUATED},
        (
            "steps[1].score: found a score without any signal, expected at least one in "
            "[bot.signals], such as rsi = {}"
        ),
    ),
    (
        {"entry": DCA + "start = {score = 0.5}"},
        (
            "start: found a score without any signal, expected at least one in [bot.signals], "
            "such as rsi = {}"
        ),
    ),
    (
        {"entry": EVENTS, "signals": "macd = {}"},
        (
            "steps[1].signal: found the event rsi_oversold, expected its signal too, such as "
            "rsi = {} in [bot.signals]"
        ),
    ),
    (
        {"entry": EVENTS.replace("oversold", "over_sold"), "signals": LISTENING},
        (
            "steps[1].signal: found the event rsi_over_sold, expected one of rsi_oversold, "
            "rsi_overbought, or a signal in [bot.signals.external]; did you mean rsi_oversold?"
        ),
    ),
    (
        {"entry": 'plan = "rungs"\nrungs = [{when = {signal = "ma_suport"}, size = 20}]'},
        (
            "rungs[1].when: found the event ma_suport, expected one of rsi_oversold, "
            "rsi_overbought, macd_bullish_cross, macd_bearish_cross, ma_bullish_cross, "
            "ma_bearish_cross, ma_support, bollinger_lower, bollinger_upper, "
            "price_drop, or a signal in [bot.signals.external]; "
            "did you mean ma_support?"
        ),
    ),
    (
        {"entry": DCA + 'start = {indicator = {macd = ">0"}}', "signals": LISTENING},
        (
            "start: found the indicator macd, expected it as a signal too, such as macd = {} in "
            "[bot.signals]"
        ),
    ),
    # their values
    (
        {"entry": GRADUATED.replace("0.6", "0.5"), "signals": LISTENING},
        "steps[2].score: found 0.5, expected a score above the 0.5 of the step before it",
    ),
    (
        {"entry": GRADUATED.replace("0.6", "6"), "signals": LISTENING},
        f"steps[2].score: found 6, {SCORE}",
    ),
    (
        {"entry": GRADUATED.replace("0.5", '"0.5"'), "signals": LISTENING},
        f'steps[1].score: found "0.5", {SCORE}; write 0.5 without quotes',
    ),
    (
        {"entry": EVENTS.replace("rsi_oversold", "RSI oversold"), "signals": LISTENING},
        (
            'steps[1].signal: found "RSI oversold", expected the name of an event such as '
            '"rsi_oversold"'
        ),
    ),
    ({"entry": 'plan = "graduated"'}, "steps: found nothing, expected a list of {score, size}"),
    (
        {"entry": 'plan = "signals"\nsteps = []'},
        "steps: found an empty list, expected a list of {signal, size}",
    ),
    (
        {"entry": 'plan = "signals"\nsteps = [{score = 0.5, size = 20}]'},
        "steps[1].score: found an unknown key, expected one of signal, size",
    ),
    (
        {"entry": DCA + "start = {}"},
        "start: found no condition, expected one of score, signal, indicator",
    ),
    (
        {"entry": DCA + 'start = {score = 0.5, signal = "rsi_oversold"}', "signals": LISTENING},
        "start: found several conditions in one table, expected one of score, signal, indicator",
    ),
    (
        {"entry": DCA + 'start = {indicator = {rsi = "<30", macd = ">0"}}'},
        (
            "start.indicator: found several comparisons in one table, expected one of rsi, macd, "
            "ma_cross, ma_support, bollinger, price_drop"
        ),
    ),
    (
        {"entry": DCA + 'start = {indicator = {price_drop = ">1"}}'},
        (
            'start.indicator.price_drop: found ">1", expected a comparison with a number from 0 '
            'to 1 such as ">=0.05"; this never holds'
        ),
    ),
    (
        {"entry": 'plan = "rungs"\nrungs = [{size = 20}]'},
        "rungs[1].when: found nothing, expected a table with one condition",
    ),
    # sizes
    (
        {"entry": DCA + 'of = "cash"'},
        'of: found "cash", expected "max_position_size" or "equity"',
    ),
    (
        {"entry": DCA + 'of = "equity"'},
        'size: found 25, expected a share such as "2%", because of = "equity"',
    ),
    (
        {"entry": GRADUATED + '\nof = "equity"', "signals": LISTENING},
        'steps[1].size: found 20, expected a share such as "2%", because of = "equity"',
    ),
    (
        {"entry": DCA.replace("25", '"25%"'), "limits": 'max_position_size = "off"'},
        'size: found "25%", expected quote, because limits.max_position_size is "off"',
    ),
    (
        {"entry": GRADUATED.replace("20", "60"), "signals": LISTENING},
        (
            "steps[1].size: found score 0.5 of 60, with which the plan can never fill, expected a "
            "size inside max_tranche_size 50"
        ),
    ),
    (
        {"entry": DCA + 'on_excess = "cut"'},
        'on_excess: found "cut", expected "refuse" or "clip"',
    ),
    (
        {"entry": DCA.replace("25", "5") + 'on_excess = "clip"'},
        (
            "size: found first entry of 5, with which the plan can never fill, expected a size "
            "inside min_tranche_size 10"
        ),
    ),
    # the end of the building, and its beginning anew
    (
        {"entry": DCA + 'rebuild = true\nbuild_window = "9d"'},
        (
            'build_window: found "9d", expected no such key beside rebuild = true: it ends the '
            "building for good"
        ),
    ),
    (
        {"entry": REARMED + 'build_window = "9d"', "end": OVER_TRANCHES},
        (
            'build_window: found "9d", expected no such key beside rearm = true: it ends the '
            "building for good"
        ),
    ),
    (
        {"entry": DCA + 'build_window = "0d"'},
        (
            'build_window: found "0d", expected a duration such as "15m", "36h" or "1h30m" '
            "in w, d, h, m, s"
        ),
    ),
    (
        {"entry": REARMED, "end": 'stop_loss = "5%"'},
        (
            'rearm: found true, expected an exit with over = "tranche" in [bot.exit], whose sale '
            "re-arms the rung"
        ),
    ),
    ({"entry": DCA + "rearm = 1"}, "rearm: found 1, expected true or false"),
    (
        {"entry": REARMED + "rebuild = false", "end": OVER_TRANCHES},
        "rebuild: found false, expected true, which rearm = true implies",
    ),
    ({"entry": DCA + "rearm_max = 2"}, "rearm_max: found 2, expected rearm = true beside it"),
    (
        {"entry": DCA + 'rearm_cooldown = "1h"'},
        'rearm_cooldown: found "1h", expected rearm = true beside it',
    ),
    (
        {"entry": REARMED + "rearm_max = -1", "end": OVER_TRANCHES},
        'rearm_max: found -1, expected a whole number of 0 or more, or "off" for no limit',
    ),
    # limit orders
    ({"entry": DCA + 'order = "stop"'}, 'order: found "stop", expected "market" or "limit"'),
    (
        {"entry": DCA + 'offset = "1%"'},
        'offset: found "1%", expected order = "limit" beside it',
    ),
    ({"entry": DCA + 'ttl = "1h"'}, 'ttl: found "1h", expected order = "limit" beside it'),
    (
        {"entry": LIMIT},
        'ttl: found nothing, expected how long a limit order may rest, such as "4h"',
    ),
    (
        {"entry": LIMIT + 'offset = "-1%"\nttl = "4h"'},
        (
            'offset: found "-1%", expected a ratio of at least 0 % and below 100 %, '
            'written "10%" or 0.10'
        ),
    ),
]


@pytest.mark.parametrize(("tables", "expected"), ENTRIES, ids=[one[1][:50] for one in ENTRIES])
def test_a_bad_entry_is_told_in_one_sentence(tables: dict[str, str], expected: str) -> None:
    """
    Keys that contradict each other are told at the one that is too much or missing.
    """
    assert told(**tables) == f"bot.entry.{expected}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("base_order", "base_size"),
        ("base_order_volume", "base_size"),
        ("Safety_Order", "safety_size"),
        ("max_safety_orders", "max_safety"),
        ("price_deviation", "deviation"),
        ("safty_size", "safety_size"),
    ],
)
def test_a_key_of_a_hosted_bot_is_told_as_ours(written: str, meant: str) -> None:
    """
    Who moves a ladder over types the names that are known; a slip of ours is still found.
    """
    said = told(
        entry=f'plan = "ladder"\nbase_size = 10\nlevels = [{{drop = 0.1, size = 20}}]\n'
        f"{written} = 10"
    )

    assert "found an unknown key, expected one of" in said
    assert said.endswith(f"did you mean {meant}?")
