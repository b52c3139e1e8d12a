"""check, schema and init, as a person and a program call them."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from small_settings import EVERYTHING
from trancher.app.commands import config
from trancher.app.entries import (
    DcaEntry,
    LadderEntry,
    Level,
    Rung,
    RungsEntry,
    SignalsEntry,
    SignalStep,
    When,
)
from trancher.app.grammar import Backtest, InstrumentSection
from trancher.app.output import BadInput
from trancher.app.section import name_of, sections
from trancher.app.settings import load, parse
from trancher.app.starter import STARTER

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.toml"))


def test_what_init_writes_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The first two commands anybody types, one after the other.
    """
    path = tmp_path / "trancher.toml"

    config.init(path)
    config.check(path)

    assert "is valid" in capsys.readouterr().out
    assert load(path).warnings == ()
    assert [left.name for left in tmp_path.iterdir()] == ["trancher.toml"]


def test_every_line_of_init_that_is_commented_out_may_be_used() -> None:
    """
    Each of them together with all others, and they are all that a person has to look at.
    """
    settings = parse(EVERYTHING, file="c.toml")

    assert settings.warnings == ()
    assert [bot.name for bot in settings.bots] == [
        "btc-dca", "btc-conviction", "btc-swing", "btc-both",
    ]  # fmt: skip
    assert settings.config_hash != parse(STARTER, file="c.toml").config_hash


def test_init_names_every_key_that_a_bot_may_have() -> None:
    """
    Whoever reads it from top to bottom has seen all there is, but for three other ways to buy.
    """
    elsewhere = (DcaEntry, LadderEntry, SignalsEntry, RungsEntry, When, Level, Rung, SignalStep)
    tables = [one for one in sections() if one not in (InstrumentSection, Backtest, *elsewhere)]
    keys = {name_of(one, field) for one in tables for field in one.model_fields}

    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", STARTER)] == []


def test_init_never_overwrites(tmp_path: Path) -> None:
    """
    The file that is there may be the one that trades.
    """
    path = tmp_path / "mine.toml"
    path.write_text("precious", encoding="utf-8")

    with pytest.raises(BadInput, match="--force replaces it"):
        config.init(path)

    assert path.read_text(encoding="utf-8") == "precious"


def test_init_replaces_when_told(tmp_path: Path) -> None:
    """
    Said aloud, it is done.
    """
    path = tmp_path / "mine.toml"
    path.write_text("old", encoding="utf-8")

    config.init(path, force=True)

    assert load(path).bots[0].name == "btc-dca"


@pytest.mark.parametrize(("place", "words"), [(".", "a folder"), ("no/such/a.toml", "no way")])
def test_init_says_where_it_cannot_write(tmp_path: Path, place: str, words: str) -> None:
    """
    A place that cannot be written to is bad input, not a failure of the program.
    """
    with pytest.raises(BadInput, match=words):
        config.init(tmp_path / place)


def test_check_names_rungs_exits_and_the_worst_case(capsys: pytest.CaptureFixture[str]) -> None:
    """
    What a bot would do, before it does it.
    """
    config.check(EXAMPLES[0].with_name("ladder.toml"))

    said = capsys.readouterr().out
    when = r"6\.25 % below the first entry"
    assert re.search(rf"safety order 2\s+{when}\s+-\s+45\.00\s+1 of 1\s+95\.00", said)
    assert "take profit +2 %: sells the rest" in said
    assert "worst case: 95.10 USD, with fees" in said


SAID = [
    "limits over all bots: active positions 2, trades a day 10, exposure 200",
    "BTC/USD exposure 150, loss a day 20, losing streak 3, drawdown 20 %\n",
    "signals: rsi (period 14, oversold 30, overbought 70, weight 0.4), macd (fast 12, slow 26",
    "news from outside (weight 0.5, max_age 1h)",
    "confirmed: a score that a rung asks for has to hold for 2h",
    "score >= 0.2, from HOT on",
    "orders: limit, 0.5 % below the price, canceled after 4h",
    "building: ends 14d after the first entry",
    "a rung larger than the room left: clipped to it",
    "cooldown after a stop 1d",
    "stop loss -12 %: sells all, trailing stop -3 % from the peak, once +5 % was reached: sells",
    "break-even stop after +4 %: sells all, signal exit, score <= -0.5: sells 50 %, take profit",
    "take profit +4 % of the break-even: sells 25 %",
    "take profit +8 %, trailing 2 %: sells the rest",
    "rearm: a rung may be used again 1h after its tranche was sold by name, at most 5 times each",
    "stop loss -20 % of the tranche: sells that tranche, take profit",
    "take profit +3 % of the tranche: sells the rest of it",
]


def test_check_says_all_that_a_bot_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    What it hears, when it buys and how, what limits it, and how it gets out, in order.
    """
    path = tmp_path / "c.toml"
    path.write_text(EVERYTHING, encoding="utf-8")

    config.check(path)

    said = capsys.readouterr().out
    assert [line for line in SAID if line not in said] == []
    assert "temperature: COOL" not in said  # as it always is


def test_check_tells_bands_that_were_changed_and_sizes_that_move(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Both change what the figures beside them mean.
    """
    path = tmp_path / "c.toml"
    other = EVERYTHING.replace("hot = 0.30", "hot = 0.4").replace(
        '"max_position_size"', '"equity"'
    )
    path.write_text(other.replace('"25%"}', '"2%"}'), encoding="utf-8")

    config.check(path)

    said = capsys.readouterr().out
    assert (
        "temperature: COOL from 0.05, WARM from 0.15, HOT from 0.4, down by more than 0.02 below"
        in said
    )
    assert "sizes: shares of equity, shown for the cash of the start" in said
    assert re.search(r"score 0\.2 .* 20\.00", said)


def test_check_gives_programs_every_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Under the names of the keys, lengths of time in seconds.
    """
    path = tmp_path / "c.toml"
    path.write_text(EVERYTHING, encoding="utf-8")

    config.check(path, json=True)

    document = json.loads(capsys.readouterr().out)
    _, conviction, swing, _ = document["bots"]
    assert document["portfolio"]["symbol_caps"] == {"BTC/USD": "150"}
    assert document["portfolio"]["max_drawdown"] == "0.2"
    assert conviction["signals"]["price_drop"] == {
        "window": "24", "drop": "0.05", "weight": "0.4", "max_age_seconds": None,
    }  # fmt: skip
    assert conviction["external"] == {"news": {"weight": "0.5", "max_age_seconds": 3600}}
    assert conviction["temperature"] == {
        "cool": "0.05", "warm": "0.15", "hot": "0.3", "hysteresis": "0.02",
    }  # fmt: skip
    assert conviction["rungs"][0]["min_temperature"] == "hot"
    assert conviction["entry"] == {
        "of": "quote", "on_excess": "clip", "build_window_seconds": 1_209_600,
        "order": "limit", "offset": "0.005", "ttl_seconds": 14_400, "rearm": None,
    }  # fmt: skip
    assert conviction["limits"]["confirm_seconds"] == 7200
    assert conviction["limits"]["reentry_cooldown_seconds"] == 86_400
    assert swing["entry"]["rearm"] == {"times": 5, "cooldown_seconds": 3600}


def test_check_warns_and_succeeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A warning is no error: the configuration is somebody's choice.
    """
    path = tmp_path / "c.toml"
    text = EXAMPLES[0].read_text(encoding="utf-8")
    path.write_text(text.replace("max_position_size = 100", "max_position_size = 60"), "utf-8")

    config.check(path)

    assert (
        "warning: bot btc-dca: further entry can be used 1 of 2 times: max_position_size 60 binds"
        in capsys.readouterr().out
    )


def test_check_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A program reads the same, with every digit, and the same twice.
    """
    config.check(EXAMPLES[0], json=True)
    first = capsys.readouterr().out
    config.check(EXAMPLES[0], json=True)
    document = json.loads(first)

    assert capsys.readouterr().out == first
    (bot,) = document["bots"]
    assert bot["worst_case_capital"] == "75.075"
    assert [rung["uses"] for rung in bot["rungs"]] == [1, 2]
    assert document["warnings"] == []
    assert len(document["config_hash"]) == 64


def test_the_schema_knows_every_key_of_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """
    An editor that reads it must not underline what the program accepts.
    """
    config.schema()
    schema = json.loads(capsys.readouterr().out)

    for text in (EVERYTHING, *(path.read_text(encoding="utf-8") for path in EXAMPLES)):
        assert list(complaints(tomllib.loads(text), schema, schema)) == []


def test_the_defaults_of_the_schema_are_values_it_accepts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    An editor offers them, and would underline them next.
    """
    config.schema()
    schema = json.loads(capsys.readouterr().out)

    properties = [
        one for table in schema["$defs"].values() for one in table["properties"].values()
    ]
    defaults = [(one["default"], one) for one in properties if "default" in one]
    assert len(defaults) > 50
    assert [value for value, one in defaults if list(complaints(value, one, schema))] == []


def test_the_schema_refuses_what_the_program_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A schema that accepts everything would pass the test above.
    """
    config.schema()
    schema = json.loads(capsys.readouterr().out)
    document = tomllib.loads(EXAMPLES[0].read_text(encoding="utf-8"))
    document["bot"][0]["limits"]["max_tranche"] = 3
    document["bot"][0]["entry"]["size"] = -1

    assert list(complaints(document, schema, schema))


def complaints(value: Any, schema: Any, root: Any) -> Iterator[str]:
    """Yield what is wrong with `value` by the words of JSON schema that ours uses."""
    if "$ref" in schema:
        yield from complaints(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
        return
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices is not None and all(list(complaints(value, one, root)) for one in choices):
        yield f"{value!r} is none of the choices"
    yield from _plain_complaints(value, schema)
    if isinstance(value, list) and "items" in schema:
        for item in value:
            yield from complaints(item, schema["items"], root)
    if isinstance(value, dict) and schema.get("type") == "object":
        yield from _object_complaints(value, schema, root)


def _plain_complaints(value: Any, schema: Any) -> Iterator[str]:
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    wanted = kinds.get(
        schema.get("type"), int | float if schema.get("type") == "number" else object
    )
    if not isinstance(value, wanted):
        yield f"{value!r} is no {schema['type']}"
        return
    if value not in schema.get("enum", [schema.get("const", value)]):
        yield f"{value!r} is not among the words"
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        yield f"{value!r} does not match"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"{value!r} is too small"


def _object_complaints(value: dict[str, Any], schema: Any, root: Any) -> Iterator[str]:
    known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key in schema.get("required", []):
        if key not in value:
            yield f"{key} is missing"
    for key, item in value.items():
        if key in known:
            yield from complaints(item, known[key], root)
        elif more is False:
            yield f"{key} is unknown"
        elif isinstance(more, dict):
            yield from complaints(item, more, root)
