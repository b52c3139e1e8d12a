"""What `trancher ledger` refuses: one sentence with file, line, column, found and expected."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from trancher.app.commands.ledger import ledger
from trancher.app.output import BadInput

HEADER = "time,side,price,quantity,fee,fee_asset,trade_id,tranche"
app = typer.Typer()
app.command()(ledger)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fills.csv"


def refusal(file: Path, *options: str) -> str:
    """Return the one sentence the command refuses with; nothing else is printed."""
    result = CliRunner().invoke(app, [str(file), *options])
    assert isinstance(result.exception, BadInput)
    assert result.stdout == ""
    sentence = str(result.exception)
    assert "\n" not in sentence
    return sentence


BAD_ROWS = [
    # line 3 of: header, a good buy, the row
    ("x,buy,1,1,,,,", "time", "'x'", "a time such as"),
    ("2025-13-01,buy,1,1,,,,", "time", "'2025-13-01'", "a time such as"),
    ("20250903,buy,1,1,,,,", "time", "'20250903'", "a time such as"),
    ("202509031530,buy,1,1,,,,", "time", "'202509031530'", "a time such as"),
    ("0001-01-01,buy,1,1,,,,", "time", "'0001-01-01'", "a time such as"),
    ("9999-12-31T23:59:59-05:00,buy,1,1,,,,", "time", "'9999-", "a time such as"),
    (",hold,1,1,,,,", "side", "'hold'", "buy or sell"),
    (",,1,1,,,,", "side", "nothing", "buy or sell"),
    (",buy,NaN,1,,,,", "price", "'NaN'", "a plain decimal number"),
    (",buy,1e3,1,,,,", "price", "'1e3'", "a plain decimal number"),
    (",buy,1_0,1,,,,", "price", "'1_0'", "a plain decimal number"),
    (",buy, 1,1,,,,", "price", "' 1'", "a plain decimal number"),
    (",buy,٣,1,,,,", "price", "'٣'", "a plain decimal number"),
    (",buy,0,1,,,,", "price", "'0'", "a number above 0"),
    (",buy,-1,1,,,,", "price", "'-1'", "a number above 0"),
    (",buy,,1,,,,", "price", "nothing", "a plain decimal number"),
    (",buy,1,1000000000000000,,,,", "quantity", "'1000000000000000'", "a number below 1e15"),
    (",buy,1,0.0000000000000000001,,,,", "quantity", "'0.000", "at most 18 decimals"),
    (",buy,1,inf,,,,", "quantity", "'inf'", "a plain decimal number"),
    (",buy,1,1,0.1%,,,", "fee", "'0.1%'", "a plain decimal number"),
    (",buy,1,1,1,base,,", "fee", "a fee of 1 base leaves nothing of 1", "a fee in base below"),
    (",buy,1,1,1, BNB,,", "fee_asset", "' BNB'", "a plain name"),
    (',buy,1,1,,,"t\n1",', "trade_id", "'t\\n1'", "a plain name"),
    (",buy,2,1,,,t1,", "trade_id", "'t1' again with other values", "the values it had before"),
    (",buy,1,1,,,,a+b", "tranche", "'a+b'", "one label on a buy"),
    (",buy,1,1,,,,a", "tranche", "'a' again", "a label that this position has not used"),
    (",sell,1,1.5,,,,", "quantity", "a sale of 1.5", "at most 1, which is open"),
    (",sell,1,1,,,,b", "tranche", "'b'", "an open tranche: a"),
    (",buy,1,1,,,", "tranche", "7 values", "8 as in the header"),
    (",buy,1,1,,,,,x", "9", "9 values", "8 as in the header"),
]


@pytest.mark.parametrize("form", [["--json"], []])
@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_bad_row_is_refused_with_its_place(
    file: Path, bad: tuple[str, str, str, str], form: list[str]
) -> None:
    """
    One sentence a person can act on, and not one figure of a file that is half understood.
    """
    line, column, found, expected = bad
    file.write_text(f"{HEADER}\n2025-01-01,buy,1,1,,,t1,a\n{line}\n,buy,1,1,,,,\n")

    sentence = refusal(file, "--method", "specific", *form)

    assert sentence.startswith(f"{file}, line 3, column {column}: found {found}")
    assert f", expected {expected}" in sentence


def test_a_sale_that_names_nothing_is_refused_where_several_are_open(file: Path) -> None:
    """
    `specific` guesses nothing; it says what there is to choose from, and not all of a thousand.
    """
    buys = "".join(",buy,1,1,,,,\n" for _ in range(7))
    file.write_text(f"{HEADER}\n{buys},sell,1,1,,,,\n")

    assert refusal(file, "--method", "specific") == (
        f"{file}, line 9, column tranche: found nothing, expected what to sell, for several are "
        "open: tranche_1, tranche_2, tranche_3, tranche_4, tranche_5 and 2 more"
    )


def test_a_line_is_counted_as_an_editor_counts_it(file: Path) -> None:
    """
    Empty lines are no rows, but they are lines.
    """
    file.write_text("time,side,price,quantity\n\n,buy,1,1\n\n\n,sell,1,2\n")

    assert refusal(file).startswith(f"{file}, line 6, column quantity: found a sale of 2")


BAD_FILES = [
    (b"", 1, "time", "no such column", "a header with time, side, price, quantity"),
    (b"time,side,price\n", 1, "quantity", "no such column", "a header with"),
    (
        b"time,side,prize,quantity\n",
        1,
        "prize",
        "the unknown name 'prize'",
        "the nearest is price",
    ),
    (b"Time,side,price,quantity\n", 1, "Time", "the unknown name 'Time'", "the nearest is time"),
    (b"time,side,price,quantity,zz\n", 1, "zz", "the unknown name 'zz'", "one of time, side"),
    (b"time,side,price,quantity,\n", 1, "5", "the unknown name nothing", "one of time, side"),
    (b"time,side,price,quantity,price\n", 1, "price", "'price' twice", "each column once"),
    (b"time;side;price;quantity\n", 1, "1", "the unknown name 'time;side", "a column"),
    (b"time,side,price,quantity\n,buy,1,\xff\n", 2, "", "bytes that are not UTF-8", "UTF-8 text"),
    (b'time,side,price,quantity\n,buy,1,"1\n', 2, "", "broken CSV", "values separated by commas"),
    (b'time,side,price,quantity\n,buy,1,"1"1\n', 2, "", "broken CSV", "values separated"),
]


@pytest.mark.parametrize("bad", BAD_FILES)
def test_a_bad_file_is_refused_with_its_place(
    file: Path, bad: tuple[bytes, int, str, str, str]
) -> None:
    """
    A column that is misspelt must not pass for one that is missing.
    """
    content, line, column, found, expected = bad
    file.write_bytes(content)

    sentence = refusal(file)

    place = f"{file}, line {line}" + (f", column {column}" if column else "")
    assert sentence.startswith(f"{place}: found {found}")
    assert expected in sentence.partition(", expected ")[2]


def test_a_missing_file_is_refused(file: Path) -> None:
    """
    The name as it was given shows the slip.
    """
    assert refusal(file) == (
        f"{file}: found no such file or directory, expected a CSV file of fills"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--mark", "0"], "--mark: found '0', expected a number above 0"),
        (["--mark", "x"], "--mark: found 'x', expected a plain decimal number such as 0.25"),
        (["--taker-fee", "1"], "--taker-fee: found '1', expected a ratio from 0 to below 1"),
        (["--taker-fee", "-1%"], "--taker-fee: found '-1%', expected a ratio from 0 to below 1"),
        (["--taker-fee", "%"], "--taker-fee: found nothing, expected a plain decimal number"),
        (["--method", "fiffo"], "--method: found 'fiffo', expected one of fifo, lifo, hifo"),
        (["--method", "x"], "--method: found 'x', expected one of fifo, lifo, hifo"),
        (["--base", "quote"], "--base: found 'quote', expected the name of an asset"),
        (["--quote", ""], "--quote: found '', expected the name of an asset"),
        (["--base", "X", "--quote", "x"], "--quote: found 'x', expected another asset than"),
    ],
)
def test_a_bad_option_is_refused_by_its_name(
    file: Path, options: list[str], sentence: str
) -> None:
    """
    Options are input like any other, and looked at before the file, which is not even there.
    """
    assert refusal(file, *options).startswith(sentence)
