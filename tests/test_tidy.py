"""The source reads itself: sizes, headers, words, and what the core may not touch.

A rule is a function from one module's text to its violations, each with a line number. To add a
rule: write the function, one test that asks it of the tree, one planted violation.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "trancher"
TESTS = ROOT / "tests"
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
# Halves, so that this list does not find itself.
BANNED = ("reali" + "sed", "cancel" + "led", "lot" + " size")
# Names the standard library chose, and a line that says whose spelling it quotes.
FOREIGN = re.compile(r"CancelledError|\.cancelled\(|# foreign: \w+")
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "monotonic"),
    ("time", "time"),
}
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

Rule = Callable[[str], Iterator[str]]


def no_header(source: str) -> Iterator[str]:
    """Yield a violation if the module does not open with a docstring."""
    if not ast.get_docstring(ast.parse(source)):
        yield "1: no docstring"


def module_too_long(source: str) -> Iterator[str]:
    """Yield a violation if the module is longer than a sitting."""
    lines = len(source.splitlines())
    if lines > MAX_MODULE_LINES:
        yield f"{lines}: {lines} lines, at most {MAX_MODULE_LINES}"


def function_too_long(source: str) -> Iterator[str]:
    """Yield each function longer than a screen."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FUNCTION):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{node.lineno}: {node.name}: {lines} lines, at most {MAX_FUNCTION_LINES}"


def reasonless_test(source: str) -> Iterator[str]:
    """Yield each test that does not say why it is believed."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, FUNCTION)
            and node.name.startswith("test_")
            and not ast.get_docstring(node)
        ):
            yield f"{node.lineno}: {node.name}: no docstring"


def banned_word(source: str) -> Iterator[str]:
    """Yield each line with a spelling or a word the glossary refuses."""
    for number, line in enumerate(source.splitlines(), start=1):
        for word in BANNED:
            if word in FOREIGN.sub("", line).lower() and "# foreign:" not in line:
                yield f"{number}: {word!r}"


def float_used(source: str) -> Iterator[str]:
    """Yield each float literal and each call of float."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | complex() as value):
                yield f"{node.lineno}: float literal {value}"
            case ast.Call(func=ast.Name(id="float")):
                yield f"{node.lineno}: call of float"
            case _:
                pass


def clock_read(source: str) -> Iterator[str]:
    """Yield each reading of the machine's clock, however it was imported."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
                if (owner, name) in CLOCKS:
                    yield f"{node.lineno}: {owner}.{name}"
            case ast.ImportFrom(module="time"):
                yield f"{node.lineno}: from time import"
            case _:
                pass


def relative_import(source: str) -> Iterator[str]:
    """Yield each import that counts dots."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level > 0:
            yield f"{node.lineno}: relative import"


def foreign_import(source: str) -> Iterator[str]:
    """Yield each import of what is neither Trancher nor the standard library."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                modules = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module]
            case _:
                continue
        for name in modules:
            top = name.partition(".")[0]
            if top != "trancher" and top not in sys.stdlib_module_names:
                yield f"{node.lineno}: {name}"


def unsorted_all(source: str) -> Iterator[str]:
    """Yield each `__all__` that is not in the order which the linter gives it.

    Constants, then classes, then the rest; a number inside a name counts as a number.
    """
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names = list(ast.literal_eval(value))
                if names != sorted(names, key=_order_of_name):
                    yield f"{node.lineno}: __all__ is not sorted"
            case _:
                pass


def _order_of_name(name: str) -> tuple[int, list[tuple[bool, int, str]]]:
    constant = len(name) > 1 and name.isupper()
    rank = 0 if constant else 1 if name[:1].isupper() else 2
    parts = re.findall(r"\d+|\D+", name)
    return rank, [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts]


def violations(rule: Rule, *places: Path) -> list[str]:
    """Return what `rule` finds in every module under `places`; a missing place holds none."""
    files = [p for place in places for p in ([place] if place.is_file() else place.rglob("*.py"))]
    return [
        f"{path.relative_to(ROOT)}:{violation}"
        for path in sorted(files)
        for violation in rule(path.read_text(encoding="utf-8"))
    ]


CORE = PACKAGE / "core"
INSIDE = (CORE, PACKAGE / "ports.py", PACKAGE / "ports", PACKAGE / "engine.py", PACKAGE / "engine")


def test_every_module_opens_with_what_it_is() -> None:
    """
    A reader learns from the header what a module is for and what always holds in it.
    """
    assert violations(no_header, PACKAGE) == []


def test_no_module_is_longer_than_a_sitting() -> None:
    """
    A module that grows past the limit holds two thoughts, and the second wants a name.
    """
    assert violations(module_too_long, PACKAGE, TESTS) == []


def test_no_function_is_longer_than_a_screen() -> None:
    """
    A function is read whole or misread.
    """
    assert violations(function_too_long, PACKAGE, TESTS) == []


def test_every_test_says_why() -> None:
    """
    The name is the claim, the docstring the reason: without it nobody dares to change the test.
    """
    assert violations(reasonless_test, TESTS) == []


def test_words_have_one_spelling() -> None:
    """
    Two spellings of one word are two names in code, and a search finds half of them.
    """
    assert violations(banned_word, PACKAGE, TESTS) == []


def test_the_core_holds_no_float() -> None:
    """
    One float in a sum of money and the last digit is anybody's guess.
    """
    assert violations(float_used, CORE) == []


def test_the_core_reads_no_clock() -> None:
    """
    Time comes in through a port, so that a replay sees the hours it replays.
    """
    assert violations(clock_read, *INSIDE) == []


def test_the_core_imports_the_standard_library_only() -> None:
    """
    Any package at all, not only those which the import contracts thought of.
    """
    assert violations(foreign_import, *INSIDE) == []


def test_imports_say_the_whole_name() -> None:
    """
    A whole name can be searched for, and survives a move of the module that says it.
    """
    assert violations(relative_import, PACKAGE, TESTS) == []


def test_public_names_are_sorted() -> None:
    """
    A sorted list shows in a diff what became public, and nothing else.
    """
    assert violations(unsorted_all, PACKAGE) == []


LONG_MODULE = '"""M."""\n' + "X = 1\n" * MAX_MODULE_LINES
LONG_FUNCTION = "def f() -> None:\n" + "    pass\n" * MAX_FUNCTION_LINES


@pytest.mark.parametrize(
    ("rule", "planted"),
    [
        (no_header, "import decimal\n"),
        (no_header, ""),
        (module_too_long, LONG_MODULE),
        (function_too_long, LONG_FUNCTION),
        (function_too_long, "async " + LONG_FUNCTION),
        (reasonless_test, "class TestX:\n    def test_x(self) -> None:\n        pass\n"),
        (banned_word, f"# the un{BANNED[0]} profit"),
        (banned_word, f"IS_{BANNED[1].upper()} = True"),
        (banned_word, f"# a {BANNED[2]} of one"),
        (float_used, "x = float('1')"),
        (float_used, "x = 0.1"),
        (float_used, "x = -1e3"),
        (clock_read, "import datetime\nx = datetime.datetime.now(datetime.UTC)"),
        (clock_read, "from datetime import datetime\nx = datetime.utcnow()"),
        (clock_read, "import time\nx = time.time()"),
        (clock_read, "from time import time"),
        (relative_import, "from . import money"),
        (foreign_import, "import polars.selectors"),
        (foreign_import, "def f() -> None:\n    from numpy import array"),
        (unsorted_all, '__all__ = ["b", "a"]'),
        (unsorted_all, '__all__ = ("Decision", "FEE")'),
    ],
)
def test_a_planted_violation_is_found(rule: Rule, planted: str) -> None:
    """
    A rule that finds nothing anywhere would pass every tree.
    """
    assert len(list(rule(planted))) == 1


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (module_too_long, LONG_MODULE.removesuffix("X = 1\n")),
        (function_too_long, LONG_FUNCTION.removesuffix("    pass\n")),
        (banned_word, "except asyncio.CancelledError:"),
        (banned_word, f'"{BANNED[1]}": CANCELED,  # foreign: ccxt'),
        (float_used, "if isinstance(x, float): raise TypeError"),
        (clock_read, "x = self.clock.now()"),
        (relative_import, "from trancher.core import money"),
        (foreign_import, "import decimal\nfrom trancher.core.money import exact"),
        (unsorted_all, '__all__ = ["A2", "A10", "FEE", "Above", "b"]'),
    ],
)
def test_what_is_allowed_is_left_alone(rule: Rule, allowed: str) -> None:
    """
    A rule that cries at good code is soon switched off.
    """
    assert list(rule(allowed)) == []


def test_the_lock_holds_every_requirement_and_no_address() -> None:
    """
    Behind any mirror the lock must install what pyproject.toml asks for, and nothing unpinned.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower() for requirement in asked}

    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert names <= set(re.findall(r"^([a-z0-9._-]+)==", lock, flags=re.MULTILINE))
    assert "://" not in lock
