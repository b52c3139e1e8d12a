"""`trancher plan`: the ladder before any money, in figures worked by hand."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command_line import config, done, trancher

# Base 10, safety 20, deviation 2 %, steps x 1.5, volumes x 2, four safety orders.
LADDER = """
[portfolio]
quote = "USD"
cash = 1000
{more}
[[bot]]
name = "ladder"
symbol = "BTC/USD"
[bot.limits]
{limits}
[bot.entry]
plan = "ladder"
base_size = 10
safety_size = 20
deviation = "2%"
step_scale = 1.5
volume_scale = 2
max_safety = 4
[bot.exit]
take_profit = [{{gain = "3%", sell = "rest"}}]
"""
UNLIMITED = 'max_position_size = "off"\nmax_tranches = "off"\nmax_tranche_size = "off"'
FREE = '[instrument."BTC/USD"]\nmaker_fee = 0\ntaker_fee = 0\n'


def plan(folder: Path, *, limits: str = "", more: str = "", price: str = "100") -> Any:
    """Return the document of the ladder with these limits."""
    config(folder / "c.toml", LADDER.format(limits=limits, more=more))
    return done("plan", "c.toml", "--price", price, "--json", folder=folder).document


def bound(said: Any) -> tuple[str, list[str]]:
    """Return the rung that does not fit, and the codes of what refuses it."""
    return said["binds_first"]["rung"], said["binds_first"]["codes"]


def test_the_ladder_is_that_of_the_hosted_bots(tmp_path: Path) -> None:
    """
    Steps of 2, 3, 4.5 and 6.75 % add up to 2, 5, 9.5 and 16.25 %; each order doubles.
    """
    rungs = plan(tmp_path)["rungs"]

    assert [rung["price"] for rung in rungs] == ["100", "98", "95", "90.5", "83.75"]
    assert [rung["size"] for rung in rungs] == ["10", "20", "40", "80", "160"]
    assert [rung["deviation"] for rung in rungs] == ["0", "0.02", "0.05", "0.095", "0.1625"]
    assert [rung["label"] for rung in rungs] == ["base order"] + [
        f"safety order {number}" for number in (1, 2, 3, 4)
    ]


def test_default_limits_let_the_first_three_through(tmp_path: Path) -> None:
    """
    80 is above the largest tranche of 50; 70 + 80 above 100; and three tranches are all there is.
    """
    said = plan(tmp_path)

    assert [rung["fits"] for rung in said["rungs"]] == [True, True, True, False, False]
    assert bound(said) == (
        "safety order 3",
        ["MAX_POSITION_SIZE", "MAX_TRANCHES", "MAX_TRANCHE_SIZE"],
    )
    assert said["binds_first"]["refusals"][2] == {
        "code": "MAX_TRANCHE_SIZE",
        "measured": "80",
        "limit": "50",
        "missing": "30",
        "unit": "quote",
        "unblocks_at": None,
        "unblocks_when": "the rung is made smaller or the limit larger",
        "key": None,
    }
    assert said["rungs"][2]["refused_by"] == []
    assert said["rungs"][3]["refused_by"] == said["binds_first"]["codes"]


@pytest.mark.parametrize(
    ("limits", "rung", "code"),
    [
        ("max_tranches = 2", "safety order 2", "MAX_TRANCHES"),
        ("max_tranche_size = 30", "safety order 2", "MAX_TRANCHE_SIZE"),
        ("max_position_size = 60", "safety order 2", "MAX_POSITION_SIZE"),
        ("min_tranche_size = 9\nmax_tranche_size = 15", "safety order 1", "MAX_TRANCHE_SIZE"),
    ],
)
def test_the_limit_that_binds_first_is_named(
    tmp_path: Path, limits: str, rung: str, code: str
) -> None:
    """
    The one to change, if the ladder is to go deeper.
    """
    assert bound(plan(tmp_path, limits=limits)) == (rung, [code])


@pytest.mark.parametrize(
    ("reserve", "rung"), [("ladder", "base order"), ("none", "safety order 4")]
)
def test_cash_binds_as_the_other_limits_do(tmp_path: Path, reserve: str, rung: str) -> None:
    """
    310 with 0.1 % of fees need 310.31. With 310 of cash the last order does not fit; where the
    money of the whole ladder is set aside at once, not even the first.
    """
    limits = f'{UNLIMITED}\nreserve_funds = "{reserve}"'
    text = LADDER.format(limits=limits, more="").replace("cash = 1000", "cash = 310")
    config(tmp_path / "c.toml", text)

    said = done("plan", "c.toml", "--price", "100", "--json", folder=tmp_path).document

    assert bound(said) == (rung, ["INSUFFICIENT_FUNDS"])


def test_without_limits_all_of_it_fits(tmp_path: Path) -> None:
    """
    Ten, twenty, forty, eighty and a hundred and sixty: 310, less what the steps floor away.
    """
    said = plan(tmp_path, limits=UNLIMITED, more=FREE)

    assert said["binds_first"] is None
    assert all(rung["fits"] for rung in said["rungs"])
    assert said["worst_case"]["covered_drop"] == "0.1625"
    assert said["worst_case"]["cash"] == said["worst_case"]["cash_of_all_rungs"]
    assert Decimal(310) - Decimal(said["worst_case"]["cash"]) < Decimal("0.00001")
    assert said["worst_case"]["set_aside_after_first_entry"] == "300"


def test_the_worst_case_counts_fees_and_only_what_fits(tmp_path: Path) -> None:
    """
    0.1 + 20 / 98 + 40 / 95 units, floored to 1e-8, cost 69.99999959; their fees, each rounded up
    to 1e-10, are 0.0699999997. Behind the base order 20 + 40 and their fees are set aside.
    """
    worst = plan(tmp_path)["worst_case"]

    assert worst["cash"] == "70.0699995897"
    assert worst["set_aside_after_first_entry"] == "60.06"
    assert worst["covered_drop"] == "0.05"
    assert Decimal(worst["cash_of_all_rungs"]) == Decimal("310.3099994396")


def test_averages_and_break_evens_are_of_all_bought_so_far(tmp_path: Path) -> None:
    """
    After two orders 29.99999974 was paid for 0.30408163; the way back is 0.67 % from 98.
    """
    second = plan(tmp_path, more=FREE)["rungs"][1]

    assert second["quantity"] == "0.20408163"
    assert Decimal(second["cumulated_cost"]) == Decimal("29.99999974")
    average = Decimal("29.99999974") / Decimal("0.30408163")
    assert abs(Decimal(second["average_entry_price"]) - average) < Decimal("1e-15")
    assert second["break_even_price"] == second["average_entry_price"]
    assert Decimal(second["needed_rise"]).quantize(Decimal("0.0001")) == Decimal("0.0067")


def test_a_break_even_pays_the_fee_of_the_sale_too(tmp_path: Path) -> None:
    """
    100 x 1.001 / 0.999: what has to come back after 0.1 % on the way in and out.
    """
    first = plan(tmp_path)["rungs"][0]

    assert Decimal(first["break_even_price"]).quantize(Decimal("1e-10")) == Decimal(
        "100.2002002002"
    )


def test_every_figure_is_text(tmp_path: Path) -> None:
    """
    No float may come between the ladder and the program that reads it.
    """
    rungs = plan(tmp_path)["rungs"]
    kinds = {type(value) for rung in rungs for value in rung.values()}

    assert kinds == {str, bool, list, type(None)}


def test_a_rung_that_waits_for_time_is_bought_at_the_price_before(tmp_path: Path) -> None:
    """
    Nobody knows the price of next week.
    """
    weekly = '[bot.entry]\nplan = "dca"\nsize = 25\nevery = "7d"\nmax_tranches = 3\n'
    config(
        tmp_path / "c.toml", LADDER.format(limits="", more="").partition("[bot.entry]")[0], weekly
    )

    rungs = done("plan", "c.toml", "--price", "50", "--json", folder=tmp_path).document["rungs"]

    assert [rung["label"] for rung in rungs] == [
        "first entry",
        "further entry 1",
        "further entry 2",
    ]
    assert [(rung["price"], rung["size"], rung["fits"]) for rung in rungs] == [
        ("50", "25", True)
    ] * 3


def test_the_table_is_the_ladder(tmp_path: Path) -> None:
    """
    One line a rung, with what it costs so far and how far the way back is.
    """
    config(tmp_path / "c.toml", LADDER.format(limits="", more=""))

    said = done("plan", "c.toml", "--price", "100", folder=tmp_path).words

    assert "base order yes 0.00 % 100.00 10.00 10.00 100.00 100.20 0.20 %" in said
    assert "safety order 2 yes 5.00 % 95.00 40.00 70.00 96.53 96.73 1.82 %" in said
    assert "safety order 4 no 16.25 % 83.75 160.00 310.00 88.08 88.26 5.38 %" in said
    assert "safety order 1 101.62 +3.69 % - - -" in said
    assert "At most 70.07 USD is spent, 0.07 of it fees, by 3 of 5 rungs, down to 5.00 %" in said
    assert "After the first entry 60.06 USD is set aside for the rungs to come, fees" in said
    assert (
        "The first rung that does not fit is safety order 3, 80.00 USD. MAX_POSITION_SIZE: 150.00 "
        "against 100.00 USD, 50.00 over; MAX_TRANCHES"
    ) in said
    assert "No rung is below the exchange's least order of 0.00000001 BTC." in said
    assert "BTC/USD: assumed, because the configuration does not say: price tick" in said


def test_the_rung_at_which_the_minimum_breaks_is_named(tmp_path: Path) -> None:
    """
    A ladder that grows begins small: 10 is below 15, and the next is the first above.
    """
    least = FREE + "min_notional = 15\n"

    said = plan(tmp_path, limits=UNLIMITED, more=least)

    assert said["minimum"] == {
        "min_notional": "15",
        "min_quantity": "0.00000001",
        "breaks_at": "base order",
    }
    assert said["rungs"][0]["refused_by"] == ["MIN_NOTIONAL"]
    words = done("plan", "c.toml", "--price", "100", folder=tmp_path).words
    assert (
        "The first rung below the exchange's least order of 15.00 USD and 0.00000001 BTC is base "
        "order, 10.00 USD."
    ) in words


def test_where_it_would_sell_after_each_rung(tmp_path: Path) -> None:
    """
    No fees. 0.1 @ 100: the target is 103, the stop 94 and the loss there 0.60. With 0.20408163
    @ 98 the average of 98.65771812 puts the stop at 92.74 on the tick, where 1.80 is lost.
    """
    text = LADDER.format(limits=UNLIMITED, more=FREE + "price_tick = 0.01\n")
    config(tmp_path / "c.toml", text, 'stop_loss = "6%"\n')

    said = done("plan", "c.toml", "--price", "100", "--json", folder=tmp_path).document
    words = done("plan", "c.toml", "--price", "100", folder=tmp_path).words

    rungs = said["rungs"]
    assert [rungs[0][key] for key in ("target_price", "stop_price")] == ["103", "94"]
    assert Decimal(rungs[0]["stopped_pnl"]) == Decimal("-0.6")
    assert [rungs[1][key] for key in ("target_price", "stop_price")] == ["101.62", "92.73"]
    assert Decimal(rungs[1]["stopped_pnl"]) == (
        Decimal("0.30408163") * Decimal("92.73") - Decimal("29.99999974")
    )
    assert "base order 103.00 +3.00 % 94.00 -6.00 % -0.60" in words
    assert [rung["sold_at"] for rung in rungs] == [None, None, None, "90.74", "90.74"]
    assert (
        "Never reached: safety order 3 at 90.50, because an exit sells at 90.74 before." in words
    )


@pytest.mark.parametrize(
    ("reserve", "sentence"),
    [
        ("next", "After the first entry 20.02 USD is set aside for the next rung, fees included"),
        ("none", 'Nothing is set aside for the rungs to come (reserve_funds = "none").'),
    ],
)
def test_what_reserve_funds_sets_aside_is_told(
    tmp_path: Path, reserve: str, sentence: str
) -> None:
    """
    Money that is set aside is not there for another bot.
    """
    config(tmp_path / "c.toml", LADDER.format(limits=f'reserve_funds = "{reserve}"', more=""))

    assert sentence in done("plan", "c.toml", "--price", "100", folder=tmp_path).words


def test_the_trades_of_a_day_are_counted_for_that_day(tmp_path: Path) -> None:
    """
    Five entries, one a day, are one trade a day: a limit of 2 with one exit kept back lets all in.
    """
    daily = '[bot.entry]\nplan = "dca"\nsize = 10\nevery = "1d"\nmax_tranches = 5\n'
    text = LADDER.format(limits=UNLIMITED, more="max_daily_trades = 2")
    config(tmp_path / "c.toml", text.partition("[bot.entry]")[0], daily)

    said = done("plan", "c.toml", "--price", "50", "--json", folder=tmp_path).document

    assert said["binds_first"] is None


@pytest.mark.parametrize("price", ["65000", "0.06", "123456.78"])
@pytest.mark.parametrize("columns", ["80", None])
def test_no_figure_is_cut_however_narrow_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, price: str, columns: str | None
) -> None:
    """
    65,000 shown as `65,000...` may be anything; labels give way first.
    """
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    config(tmp_path / "c.toml", LADDER.format(limits="", more=""))

    said = done("plan", "c.toml", "--price", price, folder=tmp_path).out

    assert "\N{HORIZONTAL ELLIPSIS}" not in said
    assert all(len(line) <= 80 for line in said.splitlines()) or columns is None


def test_the_bot_is_named_where_there_are_several(tmp_path: Path) -> None:
    """
    A guess would show the ladder of somebody else.
    """
    text = LADDER.format(limits="", more="")
    second = text[text.index("[[bot]]") :].replace('"ladder"\nsymbol', '"second"\nsymbol')
    config(tmp_path / "c.toml", text, second.replace("base_size = 10", "base_size = 12"))

    chosen = done(
        "plan", "c.toml", "--bot", "second", "--price", "100", "--json", folder=tmp_path
    ).document
    unnamed = trancher("plan", "c.toml", "--price", "100", folder=tmp_path)

    assert (chosen["bot"], chosen["rungs"][0]["size"]) == ("second", "12")
    assert unnamed.code == 2
    assert unnamed.err == "--bot: found none, expected one of ladder, second\n"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--price", "0"], "--price: found 0, expected a price above 0"),
        (["--price", "-1"], "--price: found -1, expected a price above 0"),
        (["--price", "nan"], "--price: found 'nan', expected a plain decimal number"),
        (["--price", "1e5"], "--price: found '1e5', expected a plain decimal number"),
        (["--price", "50,000"], "--price: found '50,000', expected a plain decimal number"),
        (["--price", "1000000000000000"], "--price: found '1000000000000000', expected a number"),
        (["--price", "1", "--bot", "x"], "--bot: found 'x', expected one of ladder\n"),
    ],
)
def test_a_bad_option_is_told(tmp_path: Path, options: list[str], sentence: str) -> None:
    """
    A price that was misread would make a ladder that looks right.
    """
    config(tmp_path / "c.toml", LADDER.format(limits="", more=""))

    said = trancher("plan", "c.toml", *options, folder=tmp_path)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(sentence)
