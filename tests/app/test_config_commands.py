"""check, schema and init, as a person and a program call them."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trancher.app.commands import config
from trancher.app.output import BadInput
from trancher.app.settings import load

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
    config.check(EXAMPLES[1])

    said = capsys.readouterr().out
    when = r"6\.25 % below the first entry"
    assert re.search(rf"safety order 2\s+{when}\s+-\s+45\.00\s+1 of 1\s+95\.00", said)
    assert "take profit +2 %: sells the rest" in said
    assert "worst case: 95.10 USD, with fees" in said


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

    for path in EXAMPLES:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        assert list(complaints(document, schema, schema)) == []


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
