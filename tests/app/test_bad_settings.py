"""Bad configurations: each is refused with one sentence that sends a person to the right line."""

import re

import pytest

from small_settings import EVERYTHING, problem_of
from trancher.app.output import BadInput
from trancher.app.settings import parse

GOOD = """\
[portfolio]
name = "main"
quote = "USD"
cash = 1000
timezone = "UTC"
max_active_positions = 2
[exchange]
name = "paper"
[instrument."BTC/USD"]
taker_fee = "0.1%"
[backtest]
slippage = "0%"
[[bot]]
name = "b"
symbol = "BTC/USD"
timeframe = "1h"
[bot.limits]
max_position_size = 100
max_tranches = 3
tranche_cooldown = "15m"
[bot.signals]
rsi = {weight = 0.5, period = 14}
[bot.entry]
plan = "rungs"
rungs = [
  {when = {all = [{flat = true}, {indicator = {rsi = "<30"}}]}, size = 25},
  {when = {drop = "1%", from = "anchor"}, size = 25, repeat = 2},
]
[bot.exit]
take_profit = [
  {gain = "10%", sell = "25%"},
  {gain = "20%", sell = "rest"},
]
stop_loss = "5%"
"""
RUNGS = GOOD[GOOD.index('plan = "rungs"') : GOOD.index("[bot.exit]")]

BAD = [
    # numbers
    ("cash = 1000", "cash = 0", 4, "portfolio.cash", "found 0, expected a number above 0"),
    ("cash = 1000", "cash = -1", 4, "portfolio.cash", "found -1"),
    ("cash = 1000", "cash = 1e3", 4, "portfolio.cash", "found 1e3, expected a number in plain"),
    ("cash = 1000", "cash = nan", 4, "portfolio.cash", "found nan"),
    ("cash = 1000", "cash = inf", 4, "portfolio.cash", "found inf"),
    ("cash = 1000", "cash = 1_000", 4, "portfolio.cash", "found 1_000"),
    ("cash = 1000", "cash = 0x10", 4, "portfolio.cash", "found 0x10"),
    ("cash = 1000", "cash = 1000000000000000", 4, "portfolio.cash", "below 1e15"),
    ("cash = 1000", "cash = true", 4, "portfolio.cash", "found true"),
    ("cash = 1000", 'cash = "1000"', 4, "portfolio.cash", "write 1000 without quotes"),
    ("cash = 1000", "cash = 2020-01-01", 4, "portfolio.cash", "found 2020-01-01"),
    ("cash = 1000", "cash = [1]", 4, "portfolio.cash", "found a list"),
    ("cash = 1000\n", "", 1, "portfolio.cash", "found nothing, expected a number above 0"),
    ("positions = 2", "positions = 2.5", 6, "max_active_positions", "whole number of 0 or more"),
    ("positions = 2", "positions = -1", 6, "max_active_positions", '"off" for no limit'),
    # portfolio and exchange
    ('"UTC"', '"Europe/Berln"', 5, "portfolio.timezone", 'did you mean "Europe/Berlin"?'),
    ('"UTC"', '"America"', 5, "portfolio.timezone", "IANA name"),
    ('"main"', '"a b"', 2, "portfolio.name", "a name such as main"),
    ('"paper"', '"binance"', 8, "exchange.name", "live trading is not available"),
    ('"main"', f'"{"n" * 65}"', 2, "portfolio.name", "of at most 64 letters"),
    ('quote = "USD"', 'quote = "EUR"', 9, 'instrument."BTC/USD"', "such as BTC/EUR"),
    ('quote = "USD"', 'qoute = "USD"', 3, "portfolio.qoute", "did you mean quote?"),
    ('quote = "USD"', 'quote = "US D"', 3, "portfolio.quote", 'an asset such as "USD"'),
    ('"UTC"', '"+02:00"', 5, "portfolio.timezone", "the IANA name of a time zone"),
    ("max_active_positions = 2", 'exit_reserve = "all"', 6, "exit_reserve", '"one" or "ladder"'),
    ("max_active_positions = 2", 'max_daily_trades = "many"', 6, "max_daily_trades", '"off" for'),
    ('name = "paper"', 'api_key = "x"', 8, "exchange.api_key", "an unknown key, expected name"),
    # instrument
    ('fee = "0.1%"', 'fee = "0,1%"', 10, "taker_fee", 'written "10%" or 0.10'),
    ('fee = "0.1%"', f'fee = "{"9" * 19}%"', 10, "taker_fee", "below 100 %"),
    ('taker_fee = "0.1%"', 'maker_fee = "-10%"', 10, "maker_fee", "above -10 %"),
    ('taker_fee = "0.1%"', 'fee_in = "BNB"', 10, "fee_in", '"quote" or "base"'),
    ('taker_fee = "0.1%"', "price_tick = 0", 10, "price_tick", "a number above 0"),
    ('taker_fee = "0.1%"', "price_tick = 1e-8", 10, "price_tick", "a number in plain digits"),
    ('taker_fee = "0.1%"', 'min_notional = "5"', 10, "min_notional", "write 5 without quotes"),
    ('taker_fee = "0.1%"', "tick_size = 0.01", 10, "tick_size", "one of price_tick"),
    ('."BTC/USD"]', '."btc/usd"]', 9, 'instrument."btc/usd"', "such as BTC/USD"),
    ('."BTC/USD"]', ".BTC/USD]", 9, "", 'write a symbol in quotes: [instrument."BTC/USD"]'),
    ('fee = "0.1%"', "fee = 5", 10, 'instrument."BTC/USD".taker_fee', 'write "5%" for 5 percent'),
    ('fee = "0.1%"', 'fee = "0.1 %"', 10, "taker_fee", 'write "0.1%"'),
    ('fee = "0.1%"', 'fee = "0.1"', 10, "taker_fee", 'write "0.1%" for percent'),
    ('fee = "0.1%"', 'fee = "-1%"', 10, "taker_fee", "of at least 0 %"),
    ('."BTC/USD"]', '."BTC/EUR"]', 9, 'instrument."BTC/EUR"', "such as BTC/USD"),
    ('."BTC/USD"]', ".BTC]", 9, "instrument.BTC", "expected a symbol"),
    # backtest
    ('"0%"', '"100%"', 12, "backtest.slippage", "below 100 %"),
    ("slippage", "price_collar", 12, "backtest.price_collar", "not available in this version"),
    ('slippage = "0%"', 'same_candle = "bad"', 12, "same_candle", '"worst" or "best" or "path"'),
    ('slippage = "0%"', 'evaluate = "closes"', 12, "evaluate", 'did you mean "close"?'),
    ("slippage", "participation", 12, "backtest.participation", "above 0 %"),
    ('"0%"', "-0.01", 12, "backtest.slippage", "of at least 0 %"),
    # unknown keys
    ("[portfolio]", "[[portfolio]]", 1, "portfolio", "[[ ]] makes a list, [ ] a table"),
    ("[[bot]]", "[[bots]]", 13, "bots", "did you mean bot?"),
    ("[bot.entry]", "[entry]", 23, "entry", "expected it in [[bot]]"),
    ("rsi = {w", "RSI = {w", 22, "bot.signals.RSI", "did you mean rsi?"),
    ('stop_loss = "5%"', 'stoploss = "5%"', 34, "bot.exit.stoploss", "did you mean stop_loss?"),
    ('gain = "10%"', 'profit = "10%"', 31, "take_profit[1].profit", "one of gain, sell, over"),
    ('drop = "1%", from = "anchor"', "not = {flat = true}", 27, "when.not", "one of score"),
    ("max_tranches = 3", "max_tranche = 3", 19, "bot.limits.max_tranche", "mean max_tranches?"),
    ("max_tranches = 3", "max_exposure = 3", 19, "max_exposure", "expected it in [portfolio]"),
    ("max_tranches = 3", "stop_loss = 0.1", 19, "stop_loss", "expected it in [bot.exit]"),
    ("[backtest]", "[backtests]", 11, "backtests", "did you mean backtest?"),
    ("[bot.exit]", "[bot.exits]", 29, "bot.exits", "did you mean exit?"),
    ("period = 14", "perod = 14", 22, "bot.signals.rsi.perod", "did you mean period?"),
    ('stop_loss = "5%"', 'protect = "exchange"', 34, "bot.exit.protect", "not available"),
    ("repeat = 2", "repeats = 2", 27, "bot.entry.rungs[2].repeats", "did you mean repeat?"),
    # bot
    ('name = "b"', 'name = "-b"', 14, "bot.name", "a name of letters"),
    ('name = "b"\n', "", 13, "bot.name", "found nothing"),
    ('= "BTC/USD"', '= "BTCUSD"', 15, "bot.symbol", 'such as "BTC/USD"'),
    ('= "BTC/USD"', '= "BTC/EUR"', 15, "bot.symbol", "such as BTC/USD"),
    ('"1h"', '"30s"', 16, "bot.timeframe", 'at least "1m"'),
    ('"1h"', '"7h"', 16, "bot.timeframe", "divides a day"),
    ('"1h"', "3600", 16, "bot.timeframe", "found 3600"),
    ("[[bot]]", "[bot]", 13, "bot", "expected at least one [[bot]]"),
    ('= "BTC/USD"', '= "BTC/USD:USD"', 15, "bot.symbol", 'such as "BTC/USD"'),
    ('= "BTC/USD"', '= ["BTC/USD"]', 15, "bot.symbol", "found a list"),
    ('"1h"', '"2d"', 16, "bot.timeframe", "divides a day"),
    ('"1h"', '"60"', 16, "bot.timeframe", 'at least "1m"'),
    # limits
    ("size = 100", 'size = "100 USD"', 18, "max_position_size", "a number of 0 or more"),
    ("size = 100", "size = 1,000", 18, "", "write a decimal point, not a comma"),
    ('"15m"', '"1.5h"', 20, "bot.limits.tranche_cooldown", '"1h30m"'),
    ('"15m"', '"30s15m"', 20, "bot.limits.tranche_cooldown", "in w, d, h, m, s"),
    ('"15m"', "00:15:00", 20, "bot.limits.tranche_cooldown", "found 00:15:00"),
    ("size = 100", "size = 9", 18, "max_position_size", "min_tranche_size, which is 10"),
    ("max_tranches = 3", "min_tranche_size = 51", 19, "min_tranche_size", "at most max_tranche"),
    ('"15m"', '"15 m"', 20, "bot.limits.tranche_cooldown", 'a duration such as "15m"'),
    ('"15m"', "15", 20, "bot.limits.tranche_cooldown", "found 15"),
    ('"15m"', '"99999w"', 20, "bot.limits.tranche_cooldown", "a duration"),
    ("max_tranches = 3", 'reserve_funds = "all"', 19, "reserve_funds", '"ladder" or "next"'),
    # signals
    ("period = 14", "period = 1", 22, "bot.signals.rsi.period", "from 2 to 10000"),
    ("weight = 0.5", "weight = 0", 22, "bot.signals.rsi.weight", "above 0 %"),
    (
        "rsi = {weight = 0.5, period = 14}\n",
        "",
        25,
        "bot.entry.rungs[1].when",
        "it as a signal too",
    ),
    ("{weight = 0.5, period = 14}", "14", 22, "bot.signals.rsi", "expected a table"),
    ("period = 14", 'period = "14"', 22, "rsi.period", "write 14 without quotes"),
    # entry
    (
        "when = {drop",
        "size = 25}, {when = {drop",
        27,
        "rungs[2].when",
        "a table with one condition",
    ),
    ('{drop = "1%", from = "anchor"}', '"drop 1%"', 27, "rungs[2].when", "expected a table"),
    (
        'drop = "1%", from = "anchor"',
        "any = {flat = true}",
        27,
        "when.any",
        "a list of conditions",
    ),
    ('{rsi = "<30"}', '"rsi<30"', 26, "all[2].indicator", "expected a table"),
    ('{rsi = "<30"}', "{}", 26, "all[2].indicator", "found no comparison"),
    ('"<30"', f'">{"9" * 20}"', 26, "indicator.rsi", "a number from 0 to 100"),
    ('drop = "1%"', 'rise = "0%"', 27, "rungs[2].when.rise", "above 0 %"),
    ('drop = "1%", from = "anchor"', "elapsed = 60", 27, "when.elapsed", 'such as "15m"'),
    ("size = 25, repeat = 2", "repeat = 2", 27, "bot.entry.rungs[2].size", "found nothing"),
    (
        RUNGS,
        'plan = "dca"\nsize = 20\ndrop = "5%"\nlevels = []\n',
        27,
        "bot.entry.levels",
        "found a key of another plan",
    ),
    (
        RUNGS,
        'plan = "dca"\nsize = 20\nevery = "1d"\nstart = "now"\n',
        27,
        "bot.entry.start",
        "expected a table",
    ),
    (
        RUNGS,
        'plan = "ladder"\nbase_size = 20\nlevels = [{size = 20}]\n',
        26,
        "levels[1].drop",
        "found nothing",
    ),
    ('plan = "rungs"', 'plan = "ladders"', 24, "bot.entry.plan", 'did you mean "ladder"?'),
    ('plan = "rungs"', 'plan = "graduate"', 24, "bot.entry.plan", 'did you mean "graduated"?'),
    ('plan = "rungs"\n', "", 23, "bot.entry.plan", "found nothing"),
    ("[bot.entry]\n" + RUNGS, "", 13, "bot.entry", "found nothing, expected a table [bot.entry]"),
    ("repeat = 2", "repeat = 0", 27, "bot.entry.rungs[2].repeat", "from 1 to 10000"),
    ("size = 25, repeat", "size = 0, repeat", 27, "rungs[2].size", "quote above 0"),
    ("size = 25, repeat", 'size = "200%", repeat', 27, "rungs[2].size", 'a share such as "25%"'),
    ('drop = "1%"', 'drop = "100%"', 27, "rungs[2].when.drop", "below 100 %"),
    ('drop = "1%"', "drop = 5", 27, "rungs[2].when.drop", 'write "5%" for 5 percent'),
    ('drop = "1%"', 'elapsed = "1d"', 27, "rungs[2].when.from", "beside drop or rise"),
    ('drop = "1%"', 'drop = "1%", flat = false', 27, "rungs[2].when", "write all = ["),
    ('drop = "1%", from = "anchor"', "", 27, "rungs[2].when", "found no condition"),
    ('from = "anchor"', 'from = "last"', 27, "rungs[2].when.from", '"last_entry" or'),
    ("{flat = true}", "{flat = 1}", 26, "rungs[1].when.all[1].flat", "true or false"),
    ('"<30"', '"30"', 26, "indicator.rsi", 'such as "<30"'),
    ('"<30"', '"<0"', 26, "indicator.rsi", "never holds"),
    ('"<30"', '">101"', 26, "indicator.rsi", "from 0 to 100"),
    ("flat = true", "flat = false", 25, "bot.entry.rungs", "wait for an earlier entry"),
    ("size = 25}", "size = 60}", 26, "bot.entry.rungs[1].size", "inside max_tranche_size 50"),
    ("size = 25}", "size = 5}", 26, "bot.entry.rungs[1].size", "can never fill"),
    (RUNGS, 'plan = "rungs"\nrungs = []\n', 25, "bot.entry.rungs", "found an empty list"),
    (RUNGS, 'plan = "dca"\nsize = 20\n', 23, "bot.entry", "neither every nor drop"),
    (RUNGS, 'plan = "dca"\nevery = "1d"\n', 23, "bot.entry.size", "found nothing"),
    (
        RUNGS,
        'plan = "ladder"\nbase_size = 20\nsafety_size = 20\n',
        23,
        "bot.entry.deviation",
        "safety_size, deviation and max_safety, or levels",
    ),
    (
        RUNGS,
        (
            'plan = "ladder"\nbase_size = 20\nlevels = [{drop = 0.1, size = 20},\n'
            "{drop = 0.1, size = 20}]\n"
        ),
        27,
        "bot.entry.levels[2].drop",
        "farther out than the 10 %",
    ),
    (
        RUNGS,
        'plan = "ladder"\nbase_size = 20\nlevels = [{drop = 0.1, size = 20}]\nmax_safety = 1\n',
        27,
        "bot.entry.max_safety",
        "no such key beside levels",
    ),
    (
        RUNGS,
        'plan = "ladder"\nbase_size = 20\nsafety_size = 20\ndeviation = "30%"\nmax_safety = 4\n',
        28,
        "bot.entry.max_safety",
        "never falls by 100 %",
    ),
    (
        RUNGS,
        'plan = "ladder"\nbase_size = 60\nlevels = [{drop = 0.1, size = 20}]\n',
        25,
        "bot.entry.base_size",
        "the plan can never fill",
    ),
    # exit
    ('gain = "20%"', 'gain = "10%"', 32, "bot.exit.take_profit[2].gain", "above the 10 %"),
    ('gain = "10%"', "gain = 0", 31, "bot.exit.take_profit[1].gain", "above 0 %"),
    ('gain = "10%"', "gain = 10", 31, "bot.exit.take_profit[1].gain", 'write "10%"'),
    ('sell = "25%"', 'sell = "rest"', 31, "take_profit[1].sell", "for the last rung"),
    ('sell = "rest"', 'sell = "76%"', 32, "take_profit[2].sell", "which are 101 % here"),
    ('stop_loss = "5%"', 'stop_loss = "100%"', 34, "bot.exit.stop_loss", "below 100 %"),
    ('stop_loss = "5%"', 'time_stop = "0s"', 34, "bot.exit.time_stop", "a duration"),
    ('stop_loss = "5%"', 'disposal = "specific"', 34, "bot.exit.disposal", '"fifo" or "lifo"'),
    ('sell = "25%"', 'sell = "all"', 31, "take_profit[1].sell", '"rest" or'),
    ('gain = "10%", sell', "sell", 31, "take_profit[1].gain", "found nothing"),
    ('stop_loss = "5%"', "stop_loss = -0.05", 34, "bot.exit.stop_loss", "above 0 %"),
    ('stop_loss = "5%"', "time_stop = 7", 34, "bot.exit.time_stop", "a duration"),
    ('stop_loss = "5%"', 'disposal = "FIFO"', 34, "bot.exit.disposal", 'did you mean "fifo"?'),
    # the text itself
    ('quote = "USD"', "quote = USD", 3, "", 'write a text in quotes, such as "USD"'),
    ("cash = 1000", "cash = 1000 USD", 4, "", "without its currency"),
    ("cash = 1000", "cash = 1.000.000", 4, "", "without marks between thousands"),
    ("cash = 1000", "cash = .5", 4, "", "a digit before the point"),
    ("cash = 1000", "cash = 1000;", 4, "", "end a line without ;"),
    ("cash = 1000", "cash = null", 4, "", "leave a key out"),
    ("cash = 1000", "// cash = 1000", 4, "", "begin a comment with #"),
    ("flat = true", "flat = True", 26, "", "write true or false"),
    ("cash = 1000", "cash = +1000", 4, "portfolio.cash", "a number in plain digits"),
    ("cash = 1000", "cash = ", 4, "", "found no TOML"),
    ("cash = 1000", "cash 1000", 4, "", "found no TOML"),
    ("cash = 1000", "cash = 1000\ncash = 2", 5, "cash", "a second time, expected each key once"),
    ("[exchange]", "[portfolio]", 7, "[portfolio]", "a second time"),
    ("cash = 1000", "cash = " + "[" * 30 + "]" * 30, 4, "portfolio.cash", "levels of lists"),
]


@pytest.mark.parametrize(("good", "bad", "line", "key", "words"), BAD)
def test_a_bad_configuration_is_told_in_one_sentence(
    good: str, bad: str, line: int, key: str, words: str
) -> None:
    """
    The sentence names the file, the line, the key, what stands there and what should.
    """
    assert good in GOOD

    said = problem_of(GOOD.replace(good, bad, 1))

    assert said.startswith(f"c.toml, line {line}{', ' if key else ': '}")
    assert key in said.partition(": ")[0]
    assert words in said
    assert "\n" not in said
    assert "input should" not in said.lower()


@pytest.mark.parametrize(
    "odd",
    [
        *("0", "-1", "999999999999999", "0.0000000000000000000000000001", "1e3", "true"),
        *('"off"', '"100%"', '"rest"', '""', "[]", "[{}]", "{a = 1}", "2020-01-01", '"\\u0000"'),
    ],
)
def test_no_value_of_any_key_is_more_than_bad_input(odd: str) -> None:
    """
    Whatever stands behind a key of init's file, it is read, or refused with one sentence.
    """
    values = re.finditer(r'\b[a-z_]+ = ("[^"\n]*"|[0-9.]+|true)', EVERYTHING)
    told: list[str] = []

    for start, end in (value.span(1) for value in values):
        try:
            parse(EVERYTHING[:start] + odd + EVERYTHING[end:], file="c.toml")
        except BadInput as problem:
            told.append(str(problem))

    assert len(told) > 50
    assert [one for one in told if "\n" in one or "another kind" in one] == []


def test_the_configuration_they_are_made_of_is_good() -> None:
    """
    Otherwise each of them would be refused for the same reason.
    """
    assert parse(GOOD, file="c.toml").warnings == ()


def test_the_first_of_several_problems_is_told() -> None:
    """
    One at a time, from the top: a misspelt key before the values further down.
    """
    text = GOOD.replace("cash = 1000", "csh = 1000").replace('"5%"', '"500%"')

    assert problem_of(text) == (
        "c.toml, line 4, portfolio.csh: found an unknown key, expected one of name, quote, cash, "
        "timezone, max_active_positions, max_daily_trades, exit_reserve, max_exposure, "
        "symbol_caps, max_daily_loss, max_losing_streak, max_drawdown; did you mean cash?"
    )


def test_of_several_bots_the_one_is_counted() -> None:
    """
    With one bot its number would only be noise.
    """
    second = GOOD[GOOD.index("[[bot]]") :]

    assert 'bot[2].name: found "b", expected a name that no other bot has' in problem_of(
        GOOD + second
    )
    assert "bot[2].timeframe" in problem_of(GOOD + second.replace('"1h"', '"7h"'))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: found an empty file, expected [portfolio] and at least one [[bot]]"),
        ("# nothing\n", "found an empty file"),
        ("[portfolio]\nquote = 'USD'\ncash = 1\n", "bot: found nothing, expected at least one"),
        (GOOD[GOOD.index("[[bot]]") :], "portfolio: found nothing, expected a table [portfolio]"),
        ("portfolio = 3\n[[bot]]\n", "line 1, portfolio: found 3, expected a table"),
        ("bot = []\n[portfolio]\nquote = 'USD'\ncash = 1\n", "bot: found an empty list"),
        ("a = " + "[" * 5000, "nested too deep"),
        ("a = " + "9" * 5000, "c.toml"),
    ],
)
def test_a_text_without_its_tables_is_told(text: str, words: str) -> None:
    """
    What is not there has no line, and is named all the same.
    """
    assert words in problem_of(text)
