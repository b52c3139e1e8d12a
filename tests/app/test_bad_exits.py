"""Bad exits: each is refused with one sentence, from its key on the whole of it."""

import pytest

from small_settings import told

RATIO = 'expected a ratio above 0 % and below 100 %, written "10%" or 0.10'
GAIN = 'expected a ratio above 0 %, written "10%" or 0.10'
SCORE = "expected a score from -1 to 1"
SHARE = 'expected a share above 0 % and of at most 100 % such as "25%", "rest" or "tranche"'
LADDER = 'take_profit = [{gain = "5%", sell = "50%"}, {gain = "9%", sell = "rest"}]\n'
LISTENING = "rsi = {}"

BAD = [
    # stops
    ('stop_loss = "0%"', f'stop_loss: found "0%", {RATIO}'),
    ("stop_loss = 5", f'stop_loss: found 5, {RATIO}; write "5%" for 5 percent'),
    ('stop_loss = ["5%"]', f"stop_loss: found a list, {RATIO}"),
    ("stop_loss = {}", f"stop_loss.loss: found nothing, {RATIO}"),
    ('stop_loss = {loss = "100%"}', f'stop_loss.loss: found "100%", {RATIO}'),
    (
        'stop_loss = {loss = "5%", over = "break_even"}',
        'stop_loss.over: found "break_even", expected "anchor" or "tranche"',
    ),
    (
        'stop_loss = {los = "5%"}',
        "stop_loss.los: found an unknown key, expected one of loss, over; did you mean loss?",
    ),
    (
        'trailing_stop = "5%"',
        'trailing_stop: found "5%", expected a table {activate, trail}',
    ),
    ('trailing_stop = {trail = "2%"}', f"trailing_stop.activate: found nothing, {GAIN}"),
    ('trailing_stop = {activate = "2%"}', f"trailing_stop.trail: found nothing, {RATIO}"),
    (
        'trailing_stop = {activate = "0%", trail = "2%"}',
        f'trailing_stop.activate: found "0%", {GAIN}',
    ),
    (
        'trailing_stop = {activate = "2%", trail = 1}',
        f"trailing_stop.trail: found 1, {RATIO}",
    ),
    ("break_even_after = 0", f"break_even_after: found 0, {GAIN}"),
    ("break_even_after = true", f"break_even_after: found true, {GAIN}"),
    (
        "time_stop = 30",
        (
            'time_stop: found 30, expected a duration such as "15m", "36h" or "1h30m" in w, d, '
            "h, m, s"
        ),
    ),
    (
        'reentry_cooldown = "1 day"',
        (
            'reentry_cooldown: found "1 day", expected a duration such as "15m", "36h" or "1h30m" '
            "in w, d, h, m, s, or 0 for none"
        ),
    ),
    # exits by the score
    (
        "signal_exit = -0.5",
        "signal_exit: found -0.5, expected a table {score, sell}",
    ),
    ('signal_exit = {sell = "50%"}', f"signal_exit.score: found nothing, {SCORE}"),
    ("signal_exit = {score = -2}", f"signal_exit.score: found -2, {SCORE}"),
    ("signal_exit = {score = -0.5, sell = 0}", f"signal_exit.sell: found 0, {SHARE}"),
    (
        'signal_exit = {score = -0.5, sell = "tranche"}',
        'signal_exit.sell: found "tranche", expected a share, or "rest"',
    ),
    # the ladder out
    (
        'take_profit = {gain = "5%", sell = "rest"}',
        "take_profit: found a table, expected a list of {gain, sell}",
    ),
    ('take_profit = [{gain = "5%"}]', f"take_profit[1].sell: found nothing, {SHARE}"),
    (
        'take_profit = [{gain = "5%", sell = "all"}]',
        f'take_profit[1].sell: found "all", {SHARE}',
    ),
    (
        'take_profit = [{gain = "5%", sell = "rest", over = "average"}]',
        'take_profit[1].over: found "average", expected "anchor" or "break_even" or "tranche"',
    ),
    (
        LADDER.replace("9%", "5%"),
        'take_profit[2].gain: found "5%", expected a gain above the 5 % of the rung before it',
    ),
    (
        LADDER.replace('"rest"', '"51%"'),
        (
            'take_profit[2].sell: found "51%", expected shares of at most 100 % in sum, which are '
            "101 % here"
        ),
    ),
    (
        LADDER.replace('"50%"', '"rest"'),
        'take_profit[1].sell: found "rest", expected a share: "rest" is for the last rung',
    ),
    (
        LADDER.replace('sell = "50%"', 'sell = "50%", over = "tranche"'),
        (
            'take_profit[2].over: found nothing, expected over = "tranche" in every rung of the '
            "ladder, or in none"
        ),
    ),
    (
        LADDER.replace('sell = "rest"', 'sell = "rest", over = "tranche"'),
        (
            'take_profit[2].over: found "tranche", expected over = "tranche" in every rung of the '
            "ladder, or in none"
        ),
    ),
    (
        'take_profit = [{gain = "5%", sell = "tranche", over = "tranche"}]',
        (
            'take_profit[1].sell: found "tranche", expected a share of the tranche, or "rest", '
            'because over = "tranche"'
        ),
    ),
    # its last rung, trailing
    (
        'trailing_take_profit = "2%"',
        (
            'trailing_take_profit: found "2%", expected take_profit beside it, whose last rung it '
            "trails"
        ),
    ),
    (LADDER + "trailing_take_profit = 1", f"trailing_take_profit: found 1, {RATIO}"),
    (
        LADDER.replace('sell = "rest"', 'sell = "rest", over = "break_even"')
        + 'trailing_take_profit = "2%"',
        'trailing_take_profit: found "2%", expected a last rung of take_profit over the anchor',
    ),
    (
        LADDER.replace('"rest"', '"tranche"') + 'trailing_take_profit = "2%"',
        (
            'trailing_take_profit: found "2%", expected a last rung of take_profit that sells a '
            'share or "rest"'
        ),
    ),
    # what is not there
    (
        'disposal = "specific"',
        (
            'disposal: found "specific", expected "fifo" or "lifo" or "hifo" or "average"; '
            '"specific" is not available in this version'
        ),
    ),
    (
        'take_profits = [{gain = "5%", sell = "rest"}]',
        (
            "take_profits: found an unknown key, expected one of take_profit, "
            "trailing_take_profit, stop_loss, trailing_stop, break_even_after, time_stop, "
            "signal_exit, reentry_cooldown, disposal; did you mean take_profit?"
        ),
    ),
]


@pytest.mark.parametrize(("end", "expected"), BAD, ids=[one[0][:40] for one in BAD])
def test_a_bad_exit_is_told_in_one_sentence(end: str, expected: str) -> None:
    """
    An exit that was meant and is not there is found out on the worst of days.
    """
    assert told(end=end, signals=LISTENING) == f"bot.exit.{expected}"


def test_an_exit_by_the_score_needs_somebody_who_gives_one() -> None:
    """
    Without a signal the score is 0 for ever, and it would never sell.
    """
    assert told(end="signal_exit = {score = -0.5}") == (
        "bot.exit.signal_exit.score: found a score without any signal, expected at least one in "
        "[bot.signals], such as rsi = {}"
    )
