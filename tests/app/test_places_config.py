"""Configurations of bots with several positions: what they mean, and what is refused of them."""

import pytest

from command_line import config, done, trancher
from small_settings import problem_of, settings_of, text_of
from trancher.app.settings import parse

HEAD = '[portfolio]\nquote = "USD"\ncash = 1000\n[[bot]]\nname = "b"\nsymbol = "BTC/USD"\n'
WEEKLY = """
[[bot.strategy]]
name = "weekly"
[bot.strategy.entry]
plan = "dca"
size = 20
every = "7d"
[bot.strategy.exit]
stop_loss = "10%"
reentry_cooldown = "1d"
disposal = "lifo"
"""
DIP = """
[[bot.strategy]]
name = "dip"
entry = {plan = "ladder", base_size = 15, levels = [{drop = "5%", size = 25}]}
exit = {take_profit = [{gain = "3%", sell = "rest"}]}
"""
BOTH = f"{HEAD}max_positions = 2\n{WEEKLY}{DIP}"


def test_each_strategy_has_its_own_way_in_and_out() -> None:
    """
    Limits and signals are the bot's; the cooldown after a stop belongs to the exit that stops.
    """
    (bot,) = parse(BOTH, file="c.toml").bots

    weekly, dip = bot.strategies
    assert (weekly.strategy, dip.strategy, bot.strategy_names) == ("weekly", "dip", "weekly + dip")
    assert [len(one.plan.entries) for one in (weekly, dip)] == [2, 2]
    assert [one.disposal for one in (weekly, dip)] == ["lifo", "fifo"]
    assert weekly.limits.reentry_cooldown.days == 1
    assert dip.limits.reentry_cooldown.days == 0
    assert weekly.limits.max_positions == dip.limits.max_positions == 2
    assert bot.places == (weekly, dip)


def test_one_strategy_may_have_several_positions() -> None:
    """
    With a place for each, and one for the position that there is no room for.
    """
    text = text_of().replace("[bot.limits]", "max_positions = 3\n[bot.limits]")

    (bot,) = parse(text, file="c.toml").bots

    assert bot.limits.max_positions == 3
    assert [one.strategy for one in bot.places] == ["dca"] * 4


def test_a_single_strategy_in_the_list_is_one_with_a_name() -> None:
    """
    What there is but one of need not be told apart.
    """
    (bot,) = parse(f"{HEAD}{DIP}", file="c.toml").bots

    assert (bot.strategy, bot.places, bot.has_several) == ("dip", (), False)


def test_a_bot_has_one_position_unless_it_says_otherwise() -> None:
    """
    An absent key and its default mean the same, and have the same hash.
    """
    text = text_of().replace("[bot.limits]", "max_positions = 1\n[bot.limits]")

    said = parse(text, file="c.toml")

    assert said.config_hash == settings_of().config_hash
    assert said.bots[0].limits.max_positions == 1


BAD = [
    (
        BOTH.replace("max_positions = 2", "max_positions = 3"),
        (
            "line 7, bot.max_positions: found 3, expected at most 2, for each strategy has one "
            "position at a time"
        ),
    ),
    (
        BOTH.replace("max_positions = 2", "max_positions = 0"),
        "line 7, bot.max_positions: found 0, expected a whole number from 1 to 100",
    ),
    (
        BOTH.replace("max_positions = 2", 'max_positions = "off"'),
        'line 7, bot.max_positions: found "off", expected a whole number from 1 to 100',
    ),
    (
        BOTH.replace('"dip"', '"weekly"'),
        (
            'line 21, bot.strategy[2].name: found "weekly", expected a name that no other '
            "strategy of the bot has"
        ),
    ),
    (
        BOTH + '[bot.entry]\nplan = "dca"\n',
        (
            "line 24, bot.entry: found it beside [[bot.strategy]], expected entry in each "
            "strategy, or no strategy"
        ),
    ),
    (
        BOTH + '[bot.exit]\nstop_loss = "5%"\n',
        (
            "line 24, bot.exit: found it beside [[bot.strategy]], expected exit in each "
            "strategy, or no strategy"
        ),
    ),
    (
        HEAD + "max_positions = 2\n",
        "line 4, bot.entry: found nothing, expected a table [bot.entry] with a plan",
    ),
    (
        HEAD + 'strategy = "dip"\n',
        'line 7, bot.strategy: found "dip", expected a list of [[bot.strategy]]',
    ),
    (
        HEAD + '[[bot.strategy]]\nname = "dip"\n',
        "line 7, bot.strategy[1].entry: found nothing, expected a table with a plan",
    ),
    (
        BOTH.replace("size = 20\n", "sise = 20\n"),
        "line 13, bot.strategy[1].entry.sise: found an unknown key, expected one of ",
    ),
    (
        BOTH.replace("size = 20\n", "size = -1\n"),
        "line 13, bot.strategy[1].entry.size: found -1, expected ",
    ),
    (
        BOTH.replace('drop = "5%"', 'drop = "500%"'),
        'line 22, bot.strategy[2].entry.levels[1].drop: found "500%", expected ',
    ),
    (
        BOTH.replace('stop_loss = "10%"', "signal_exit = {score = -0.5}"),
        "line 16, bot.strategy[1].exit.signal_exit",
    ),
    (
        BOTH.replace("size = 20\n", "size = 20\nentry = 3\n"),
        (
            "line 14, bot.strategy[1].entry.entry: found a key that stands elsewhere, expected "
            "it in [[bot]]"
        ),
    ),
    (
        BOTH + "[bot.limits]\nmax_tranche_size = 5\n",
        "bot.limits.max_tranche_size: found 5, expected at least min_tranche_size",
    ),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_what_cannot_be_is_told_in_one_sentence(text: str, words: str) -> None:
    """
    Line, key, what stands there and what should: in a strategy as in a bot.
    """
    assert words in problem_of(text)


def test_a_warning_is_given_of_each_strategy() -> None:
    """
    A rung that never fits is found in the second as in the first.
    """
    text = BOTH.replace("size = 25", "size = 55")

    warnings = parse(text, file="c.toml").warnings

    assert [one for one in warnings if "safety order 1 of 55 never fits" in one] != []
    assert all(", dip: " in one for one in warnings)


def test_a_signal_is_unread_where_no_strategy_asks_for_it() -> None:
    """
    What the second reads is no warning of the first; what nobody reads is told once.
    """
    text = BOTH.replace(
        "[[bot.strategy]]", "[bot.signals]\nrsi = {}\nprice_drop = {}\n\n[[bot.strategy]]", 1
    )
    read = text.replace('"ladder", ', '"ladder", start = {signal = "price_drop"}, ')
    assert read != text

    warnings = parse(read, file="c.toml").warnings

    assert [one for one in warnings if "no rung reads" in one] == [
        "bot b: no rung reads the signal rsi"
    ]


def test_check_shows_every_strategy(tmp_path_factory: pytest.TempPathFactory) -> None:
    """
    A table for each, and what all positions can tie up at most: 20 x 3, and 15 + 25, with fees.
    """
    folder = tmp_path_factory.mktemp("check")
    config(folder / "c.toml", BOTH)

    said = done("check", "c.toml", folder=folder).words
    (told,) = done("check", "c.toml", "--json", folder=folder).document["bots"]

    assert "b: weekly on BTC/USD" in said
    assert "b: dip on BTC/USD" in said
    assert "positions: 2 at once, one of each strategy" in said
    assert [one["strategy"] for one in told["strategies"]] == ["weekly", "dip"]
    assert [one["worst_case_capital"] for one in told["strategies"]] == ["60.06", "40.04"]
    assert (told["max_positions"], told["worst_case_capital_of_all"]) == (2, "100.1")


def test_a_plan_is_shown_of_one_strategy(tmp_path_factory: pytest.TempPathFactory) -> None:
    """
    Which one has to be said, where there are several.
    """
    folder = tmp_path_factory.mktemp("plan")
    config(folder / "c.toml", BOTH)
    asked = ("plan", "c.toml", "--price", "100")

    dip = done(*asked, "--strategy", "dip", "--json", folder=folder).document
    none = trancher(*asked, folder=folder)
    other = trancher(*asked, "--strategy", "swing", folder=folder)

    assert (dip["strategy"], len(dip["rungs"])) == ("dip", 2)
    assert (none.code, other.code) == (2, 2)
    assert "--strategy: found none, expected one of b: weekly, dip" in none.err
    assert "--strategy: found 'swing', expected one of b: weekly, dip" in other.err
