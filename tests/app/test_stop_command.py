"""`trancher stop`, `pause`, `resume`: what is stopped, what is done to it, and what goes on."""

from pathlib import Path
from typing import Any, Final

import pytest

from command_line import done, trancher
from running.asking import BOOKS, asked, held, keep_a_day, run_on
from running.floor import copied, lay_out_quiet, quiet
from trancher.app.halting import Stopping, stop
from trancher.app.running_bots import now, running
from trancher.store.commands import Answer, Command, Deed
from trancher.store.halts import Action, Scope


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose bots have come to the end of a day."""
    folder = tmp_path_factory.mktemp("kept")
    keep_a_day(folder)
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return copied(kept, tmp_path)


STOPS: Final = {
    "freeze": ("", ("0.80000000", "building"), ("0", "building")),
    "cancel": ("", ("0.80000000", "building"), ("0", "closed")),
    "reduce": ("--share 25%", ("0.20000000", "open"), ("0", "building")),
    "flatten": ("", ("0", "closed"), ("0", "closed")),
}


@pytest.mark.parametrize("action", STOPS)
def test_a_stop_does_what_its_action_says(folder: Path, action: str) -> None:
    """
    To what is held and to what rests; and a later process makes no entry, until it is lifted.
    """
    more, often, resting = STOPS[action]

    said = asked(folder, f"stop --action {action} --json {more}")

    assert said.code == 0
    assert (held(folder), held(folder, "resting")) == (often, resting)
    assert said.document["halt"]["action"] == action
    assert [one["bot"] for one in said.document["results"]] == ["often", "resting", "idle"]
    assert [one["problem"] for one in said.document["results"]] == [None] * 3
    run_on(folder)
    assert entries_after_the_day(folder) == []
    assert asked(folder, "resume").code == 0
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def entries_after_the_day(folder: Path) -> list[Any]:
    """Return what was bought, or accepted to be, after the first day."""
    return [
        one
        for bot in ("often", "resting", "idle")
        for one in done(
            "decisions", bot, "--limit", "99", "--json", "--db", BOOKS, folder=folder
        ).document["decisions"]
        if one["kind"] == "entry" and one["accepted"] and one["order"]
        and one["last_at"] > "2024-01-02T01:00:00Z"
    ]  # fmt: skip


def test_a_stop_lists_what_was_done(folder: Path) -> None:
    """
    What was sold, what was canceled, and who had nothing.
    """
    said = asked(folder, "stop --action flatten")

    assert said.code == 0
    assert "halt 1: flatten of all bots, because of an emergency stop" in said.out
    assert "often often sells 0.8 at 100.00: an emergency stop (halt 1)" in said.words
    assert "resting canceled resting-1-1" in said.words
    assert "idle nothing held" in said.words


def test_a_cancel_says_who_was_not_buying(folder: Path) -> None:
    """
    Only one of the bots has an order that rests; the others are not said to have had one.
    """
    said = asked(folder, "stop --action cancel")

    assert said.code == 0
    assert "often no entry order working" in said.words
    assert "resting canceled resting-1-1" in said.words


def test_one_bot_is_stopped_and_the_others_are_not(folder: Path) -> None:
    """
    And it is lifted by the same words only.
    """
    assert asked(folder, "stop --action flatten --bot resting").code == 0

    assert held(folder) == ("0.80000000", "building")
    assert held(folder, "resting") == ("0", "closed")
    run_on(folder)
    assert {one["position_id"].split("-")[0] for one in entries_after_the_day(folder)} == {"often"}
    assert asked(folder, "resume").code == 2
    lifted = asked(folder, "resume --bot resting")
    assert (lifted.code, lifted.out[:32]) == (0, "Lifted: halt 1: flatten of resti")


def test_a_position_that_was_flattened_is_resumed_by_its_name(folder: Path) -> None:
    """
    It is gone then, and its stop holds the bot until somebody lifts it.
    """
    assert asked(folder, "stop --action flatten --position often-1").code == 0
    assert held(folder) == ("0", "closed")

    said = asked(folder, "resume --position often-1")

    assert (said.code, said.err) == (0, "")
    run_on(folder)
    assert entries_after_the_day(folder) != []


def test_a_tranche_is_flattened_alone(folder: Path) -> None:
    """
    The bot keeps the others, makes no entry, and goes on once it is lifted.
    """
    assert asked(folder, "stop --action flatten --bot often --tranche tranche_2").code == 0

    assert held(folder) == ("0.60000000", "open")
    assert asked(folder, "resume --bot often").code == 2
    assert asked(folder, "resume --bot often --tranche tranche_2").code == 0


@pytest.mark.parametrize(
    ("words", "code"), [("pause", "PAUSED"), ("stop --action freeze", "EMERGENCY_STOP")]
)
def test_exits_go_on_while_entries_are_stopped(folder: Path, words: str, code: str) -> None:
    """
    The gain of 10 % is taken in a later process, and nothing is bought after it.
    """
    assert asked(folder, words).code == 0

    run_on(folder)

    assert held(folder) == ("0", "closed")
    assert entries_after_the_day(folder) == []
    why = done("decisions", "often", "--limit", "1", "--json", "--db", BOOKS, folder=folder)
    assert {one["code"] for one in why.document["decisions"][0]["refusals"]} >= {code}
    assert asked(folder, "add often --size 20").code == 1
    assert asked(folder, "resume").code == 0
    assert asked(folder, "add often --size 20").code == 0


def test_what_is_stopped_is_said(folder: Path) -> None:
    """
    By `status` and by `why`, with the words that lift it.
    """
    assert asked(folder, "stop --action freeze --bot often --reason rain").code == 0

    status = done("status", "--db", BOOKS, folder=folder)

    assert (
        "halt 1: freeze of often, because of rain: no entries until `trancher resume --bot often`."
    ) in status.out
    assert "trancher resume --bot often" in done("why", "often", "--db", BOOKS, folder=folder).out


@pytest.mark.parametrize("scope", ["", "--bot often", "--position often-1"])
def test_the_words_that_lift_a_stop_are_said_with_it(folder: Path, scope: str) -> None:
    """
    Any other `resume` lifts nothing, and says what would.
    """
    words = f"trancher resume {scope}".strip()

    stopped = asked(folder, f"stop --action freeze {scope}")
    other = asked(folder, "resume --bot idle")

    assert f"an emergency stop: no entries until `{words}`.\n" in stopped.out
    assert (other.code, other.out) == (2, "")
    assert other.err.endswith(f"because of an emergency stop: `{words}`\n")
    assert asked(folder, words.removeprefix("trancher ")).code == 0


@pytest.mark.parametrize("reason", ["", "  ", "rain\nhalt 9: all is sold", "\x1b[2J"])
def test_a_reason_is_words_on_one_line(folder: Path, reason: str) -> None:
    """
    It is kept, and shown to whoever looks; it must not be taken for what the program says.
    """
    said = trancher("pause", "--reason", reason, "--db", BOOKS, folder=folder)

    assert (said.code, said.out) == (2, "")
    assert said.err == f"--reason: found {reason!r}, expected words on one line\n"
    assert "halt" not in done("status", "--db", BOOKS, folder=folder).out


def test_what_a_stop_could_not_do_is_listed_and_fails(folder: Path) -> None:
    """
    Too little to be sold is left, so not all is flat: exit code 1, and the stop holds.
    """
    config = folder / "c.toml"
    config.write_text(
        config.read_text().replace('"floor"', '"dear"').replace(
            "taker_fee = 0", "taker_fee = 0\nmin_notional = 15"
        )
    )  # fmt: skip
    assert trancher(*quiet(), folder=folder).code == 0

    said = asked(folder, "stop --action reduce --share 90% --portfolio dear")

    assert said.code == 1
    assert said.err == "halt 1: no entries, but not all was done of often\n"
    assert "often refused: MIN_NOTIONAL" in said.words
    assert asked(folder, "add often --size 20 --portfolio dear").code == 1


def test_a_bot_that_began_meanwhile_is_flattened_too(tmp_path: Path) -> None:
    """
    Who is stopped is known where the stop is written, alone with the portfolio's sums.
    """
    lay_out_quiet(tmp_path)
    assert trancher(*quiet("--bot", "resting", "--alone"), folder=tmp_path).code == 0
    flatten = Command(deed=Deed.FLATTEN, reason="a test")
    with running(f"sqlite:///{tmp_path}/books.db") as found:
        assert trancher(*quiet("--bot", "often", "--alone"), folder=tmp_path).code == 0
        assert held(tmp_path) == ("0.80000000", "building")
        stopping = Stopping(
            scope=Scope.PORTFOLIO,
            bot=None,
            target=None,
            action=Action.FLATTEN,
            share=None,
            reason="a test",
        )

        _, results = stop(found, stopping, found.bots, command=lambda _: flatten, clock=now)

    assert list(results) == ["often", "resting"]
    assert all(isinstance(one, Answer) for one in results.values())
    assert held(tmp_path) == ("0", "closed")
