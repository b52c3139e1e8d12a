"""`trancher init --from-ladder`: the numbers of a hosted bot become a configuration that fits."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import done, trancher
from sparing import one_in
from trancher.app.settings import load, parse
from trancher.app.starter_ladder import ladder_text
from trancher.core.exits import StopLoss, TakeProfit

NUMBERS: Final = "base=10,safety=20,deviation=2%,step_scale=1.5,volume_scale=2,max_safety=4"
LEAN: Final = one_in(10)


def test_its_plan_is_the_ladder_of_the_hosted_bot(tmp_path: Path) -> None:
    """
    Base 10, safety 20, deviation 2 %, steps x 1.5, volumes x 2, four safety orders, from 100.
    """
    trancher("init", "l.toml", "--from-ladder", NUMBERS, folder=tmp_path)

    said = done("plan", "l.toml", "--price", "100", "--json", folder=tmp_path).document

    assert [rung["price"] for rung in said["rungs"]] == ["100", "98", "95", "90.5", "83.75"]
    assert [rung["size"] for rung in said["rungs"]] == ["10", "20", "40", "80", "160"]
    assert said["binds_first"] is None
    assert said["worst_case"]["set_aside_after_first_entry"] == "300.3"


def test_what_it_writes_is_commented_and_says_what_to_do_next(tmp_path: Path) -> None:
    """
    Each number stands beside the word that a person brought it by.
    """
    said = trancher("init", "l.toml", "--from-ladder", NUMBERS, folder=tmp_path)

    text = (tmp_path / "l.toml").read_text(encoding="utf-8")
    assert (said.code, said.out) == (0, "")
    assert said.err == "wrote l.toml; next: trancher check l.toml\n"
    for words in ("base order", "safety order", "price deviation", "max safety orders"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 99


def test_a_target_and_a_stop_are_rules_only_where_they_are_given() -> None:
    """
    Without them the lines stand there as comments, which `check` warns of.
    """
    given_both = parse(ladder_text(f"{NUMBERS},target=3%,stop=0.2"), file="l.toml")
    neither = parse(ladder_text(NUMBERS), file="l.toml")

    assert given_both.bots[0].plan.exits == (
        StopLoss(loss=Decimal("0.2")),
        TakeProfit(gain=Decimal("0.03"), share=None),
    )
    assert given_both.warnings == ()
    assert neither.bots[0].plan.exits == ()
    assert neither.warnings == (
        "bot ladder: it has no exit: what it buys is held until a command sells it",
    )


def test_it_says_where_the_stop_would_come_before_the_last_order(tmp_path: Path) -> None:
    """
    The ladder asked for is written, and what is wrong with it is told by the next command.
    """
    trancher("init", "--from-ladder", f"{NUMBERS},target=3%,stop=10%", folder=tmp_path)

    assert load(tmp_path / "trancher.toml").warnings == (
        "bot ladder: stop_loss 10 % sells before safety order 4 is reached",
    )


@LEAN
@given(
    base=st.integers(1, 10_000),
    safety=st.integers(1, 10_000),
    step_scale=st.sampled_from(["1", "0.9", "1.15"]),
    volume_scale=st.sampled_from(["1", "0.8", "1.37", "2"]),
    max_safety=st.integers(1, 16),
)
def test_whatever_the_numbers_every_rung_fits(
    base: int, safety: int, step_scale: str, volume_scale: str, max_safety: int
) -> None:
    """
    The limits are made from the sizes: a plan that refused its own ladder would help nobody.
    """
    numbers = (
        f"base={Decimal(base).scaleb(-2)},safety={Decimal(safety).scaleb(-2)},deviation=1%,"
        f"step_scale={step_scale},volume_scale={volume_scale},max_safety={max_safety}"
    )
    with TemporaryDirectory() as folder:
        trancher("init", "l.toml", "--from-ladder", numbers, folder=Path(folder))

        said = done("plan", "l.toml", "--price", "100", "--json", folder=Path(folder)).document

    assert said["binds_first"] is None
    assert len(said["rungs"]) == max_safety + 1


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ("", "--from-ladder: found '', expected key=value with one of base, safety"),
        ("base", "--from-ladder: found 'base', expected key=value"),
        (f"{NUMBERS},", "--from-ladder: found '', expected key=value"),
        (f"{NUMBERS},traget=3%", "--from-ladder: found 'traget=3%', expected key=value with one"),
        (f"{NUMBERS},base=1", "--from-ladder: found base twice, expected it once"),
        (
            "base=10,safety=20",
            "--from-ladder: found no deviation and no max_safety, expected each",
        ),
        (NUMBERS.replace("2%", "2"), "--from-ladder deviation: found '2', expected a ratio"),
        (NUMBERS.replace("2%", "200%"), "--from-ladder deviation: found '200%', expected a ratio"),
        (NUMBERS.replace("=10", "=0"), "--from-ladder base: found '0', expected a number above 0"),
        (NUMBERS.replace("=10", "=-1"), "--from-ladder base: found '-1', expected a number above"),
        (NUMBERS.replace("=10", "=1e3"), "--from-ladder base: found '1e3', expected a plain"),
        (NUMBERS.replace("=10", '="1'), "--from-ladder base: found '\"1', expected a plain"),
        (NUMBERS.replace("=10", "=1\n0"), "--from-ladder base: found '1\\n0', expected a plain"),
        (
            NUMBERS.replace("y=4", "y=1.5"),
            "--from-ladder max_safety: found '1.5', expected a whole",
        ),
        (
            NUMBERS.replace("y=4", "y=400"),
            "--from-ladder max_safety: found '400', expected a whole",
        ),
        (NUMBERS.replace("2%", "20%"), "--from-ladder, line 39, bot.entry.max_safety: found 4"),
        (f"{NUMBERS},stop=100%", "--from-ladder stop: found '100%', expected a ratio"),
        (NUMBERS.replace("=10", "=999999999999999"), "--from-ladder"),
    ],
)
def test_no_ladder_is_told_in_one_sentence(tmp_path: Path, numbers: str, sentence: str) -> None:
    """
    Nothing is written, whatever it was.
    """
    said = trancher("init", "l.toml", "--from-ladder", numbers, folder=tmp_path)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(sentence)
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
