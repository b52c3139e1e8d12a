"""Warnings about signals, scores and temperatures: each follows from the configuration alone."""

import pytest

from small_settings import settings_of

DCA = 'plan = "dca"\nsize = 25\nevery = "7d"\n'
STEPS = 'plan = "graduated"\nsteps = [{score = 0.2, size = 20}, {score = 0.4, size = 20}]'
EVENT = 'plan = "signals"\nsteps = [{{signal = "{}", size = 20}}]'
STOP = 'stop_loss = "9%"\n'
MIXED = "price_drop = {weight = 0.25}\nrsi = {weight = 0.75}"

WARNED = [
    # a minimum that somebody wrote
    (
        {"limits": 'min_temperature = "warm"'},
        "min_temperature warm always refuses: without a signal the bot stays FROZEN",
    ),
    (
        {"limits": 'min_temperature = "frozen"', "signals": "rsi = {}"},
        "min_temperature frozen never refuses: it is the lowest there is",
    ),
    (
        {"limits": 'min_temperature = "warm"', "signals": "rsi = {}", "entry": STEPS},
        "min_temperature warm never refuses: every rung asks for a score of 0.15 or more",
    ),
    (
        {
            "limits": 'min_temperature = "cool"',
            "signals": "price_drop = {}\ntemperature = {cool = 0}",
        },
        "min_temperature cool never refuses: the score is never below 0",
    ),
    # scores that cannot be, and scores that always are
    (
        {"signals": "price_drop = {}", "end": "signal_exit = {score = -0.1}"},
        "signal exit, score <= -0.1 never sells: the score is never below 0",
    ),
    (
        {"signals": MIXED, "end": "signal_exit = {score = -0.76}"},
        "signal exit, score <= -0.76 never sells: the score is never below -0.75",
    ),
    (
        {"signals": "rsi = {}", "end": "signal_exit = {score = 0}"},
        "signal exit, score <= 0 sells while no signal says anything: the score is 0 then",
    ),
    (
        {"signals": "rsi = {}", "entry": STEPS.replace("0.2", "-0.2")},
        (
            "the score of -0.2 that score -0.2 asks for is reached while no signal says anything: "
            "the score is 0 then"
        ),
    ),
    # what nothing reads, and what nobody says
    ({"signals": 'confirm = "1h"'}, "signals.confirm has no effect: no rung asks for a score"),
    ({"signals": "macd = {}"}, "no rung reads the signal macd"),
    (
        {"signals": "external = {news = {}}", "entry": EVENT.format("rsi_overslod")},
        "the event rsi_overslod can only come from outside; did you mean rsi_oversold?",
    ),
    (
        {"signals": "external = {news = {}}", "entry": EVENT.format("rsi_oversold")},
        "the event rsi_oversold can only come from outside",
    ),
]

SILENT = [
    # one step below the bound, and it may refuse
    {
        "limits": 'min_temperature = "warm"',
        "signals": "rsi = {}",
        "entry": STEPS.replace("0.2", "0.1"),
    },
    {"limits": 'min_temperature = "warm"', "signals": "rsi = {}"},
    {"limits": 'min_temperature = "off"', "signals": "rsi = {}", "entry": STEPS},
    {"signals": 'rsi = {}\nconfirm = "1h"', "entry": STEPS},
    {"signals": MIXED, "end": "signal_exit = {score = -0.75}"},
    {"signals": "external = {news = {}}", "entry": EVENT.format("breaking_news")},
    {"signals": "rsi = {}", "entry": EVENT.format("rsi_overbought")},
]


@pytest.mark.parametrize(("tables", "expected"), WARNED, ids=[one[1][:60] for one in WARNED])
def test_what_follows_from_the_configuration_alone_is_warned_of(
    tables: dict[str, str], expected: str
) -> None:
    """
    Nobody has to wait for a market in which nothing happens.
    """
    settings = settings_of(**{**tables, "end": STOP + tables.get("end", "")})

    assert settings.warnings == (f"bot b: {expected}",)


@pytest.mark.parametrize("tables", SILENT, ids=[str(number) for number in range(len(SILENT))])
def test_what_depends_on_the_market_is_no_warning(tables: dict[str, str]) -> None:
    """
    A warning that is not true of every market teaches people to overlook warnings.
    """
    settings = settings_of(**{**tables, "end": STOP + tables.get("end", "")})

    assert settings.warnings == ()
