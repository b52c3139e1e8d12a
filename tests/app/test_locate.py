"""Where a key stands: the line that a person is sent to must be the line they wrote."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparing import one_in
from trancher.app.locate import Path, in_words, line_of, locate

DOCUMENT = '''\
# a comment with [brackets] = and "quotes"
top = 1
a.b."c.d" = 2

[portfolio] # the money
name = "x [not.a.table] # no comment"
'quoted key' = """
several
lines"""
after = 3

[[bot]]
name = "one"
  [bot.limits]
  size = -1.50
[[bot]]
rungs = [
  {when = {all = [{flat = true},
                  {x = "]}"}]}, size = 25},  # a comment ]
  {size = 26},
]
last = 1979-05-27 07:32:00
[[bot.deep]]
k = [[1, 2], [3]]
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("a", "b", "c.d"), 3),
        (("portfolio",), 5),
        (("portfolio", "name"), 6),
        (("portfolio", "quoted key"), 7),
        (("portfolio", "after"), 10),
        (("bot", 0), 12),
        (("bot", 0, "limits"), 14),
        (("bot", 0, "limits", "size"), 15),
        (("bot", 1), 16),
        (("bot", 1, "rungs"), 17),
        (("bot", 1, "rungs", 0, "when", "all", 0, "flat"), 18),
        (("bot", 1, "rungs", 0, "when", "all", 1, "x"), 19),
        (("bot", 1, "rungs", 0, "size"), 19),
        (("bot", 1, "rungs", 1, "size"), 20),
        (("bot", 1, "last"), 22),
        (("bot", 1, "deep", 0, "k", 1, 0), 24),
    ],
)
def test_a_key_stands_on_its_own_line(path: Path, line: int) -> None:
    """
    Tables, arrays of tables, dotted and quoted keys, lists over several lines: each its own line.
    """
    assert locate(DOCUMENT)[path].line == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("portfolio", "missing"), 5),
        (("bot", 1, "rungs", 1, "repeat"), 20),
        (("nowhere",), 1),
        ((), 1),
    ],
)
def test_what_is_missing_stands_on_its_parents_line(path: Path, line: int) -> None:
    """
    A missing key has no line; the table that lacks it has.
    """
    assert line_of(locate(DOCUMENT), path) == line


def test_a_bare_value_keeps_its_text() -> None:
    """
    A number is quoted as it was written, so 1.50 is not told as 1.5.
    """
    spots = locate(DOCUMENT)

    assert spots["bot", 0, "limits", "size"].text == "-1.50"
    assert spots["bot", 1, "last"].text == "1979-05-27 07:32:00"


def test_windows_line_ends_count_once() -> None:
    """
    A file from another system has the same lines.
    """
    assert locate("a = 1\r\nb = '''x\r\ny'''\r\nc = 2\r\n")["c",].line == 4


def test_a_path_is_told_as_people_count() -> None:
    """
    People count from 1, and a symbol needs its quotes.
    """
    assert in_words(("bot", "entry", "rungs", 1, "size")) == "bot.entry.rungs[2].size"
    assert in_words(("instrument", "BTC/USD", "fee_in")) == 'instrument."BTC/USD".fee_in'


keys = st.sampled_from(["a", "b-c", '"d.e"', "'f g'", '"h\\u0041"', "i.j"])
scalars = st.sampled_from(
    ["1", "-2.5", "true", '"t"', "'l'", '"""m\n\\"""x"""', "'''n\n'''''", "[]", "{}", '""']
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[ " + ", # c\n ".join(items) + " ]")
        | st.lists(inner, min_size=1, max_size=3).map(
            lambda items: "{" + ", ".join(f"k{i} = {item}" for i, item in enumerate(items)) + "}"
        )
    ),
    max_leaves=6,
)
lines = st.one_of(
    st.tuples(keys, values).map(lambda pair: f"{pair[0]} = {pair[1]} # end"),
    keys.map(lambda key: f"[{key}]"),
    keys.map(lambda key: f"[[ {key} ]]"),
    st.just(""),
)


@one_in(4)
@given(text=st.lists(lines, max_size=8).map("\n".join))
def test_every_path_of_a_document_has_a_spot(text: str) -> None:
    """
    Whatever tomllib accepts, the scanner walks the same tree: no path more, none less.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    assert set(locate(text)) == set(paths_of(document))


def paths_of(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_of(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths_of(item, (*path, index))
