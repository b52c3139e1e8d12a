"""`trancher bots load`, `undo`, `set`: what comes into force is shown and asked about before."""

import io
from pathlib import Path

import pytest

from app.test_bots_command import CHANGED, CONFIG, OTHERS, bots, in_force, load, refused
from command_line import config, done, trancher
from running.asking import asked, keep_a_day
from running.floor import QUIET


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRANCHER_DB", raising=False)


class Terminal(io.StringIO):
    """Somebody at a terminal, who types what is in it."""

    def isatty(self) -> bool:
        return True


def test_who_sits_at_a_terminal_sees_what_changes_and_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Only a yes does it; a first load replaces nothing, and nobody is asked.
    """
    monkeypatch.setattr("sys.stdin", Terminal(""))
    config(tmp_path / "c.toml", CONFIG)
    first = trancher("bots", "load", "c.toml", folder=tmp_path)
    config(tmp_path / "c.toml", CHANGED)

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    no = trancher("bots", "load", "c.toml", folder=tmp_path)
    after_no = in_force(tmp_path)
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    yes = trancher("bots", "load", "c.toml", folder=tmp_path)

    assert (first.code, first.err) == (0, "")
    assert (no.code, after_no) == (1, {("steps", 1, 1), ("late", 1, 1)})
    assert "steps entry.rungs[2].size 30 35" in no.words
    assert no.err.startswith("Bring it into force?")
    assert yes.code == 0
    assert yes.out.endswith(
        "Version 2 of portfolio main is in force now, in place of version 1.\n"
    )
    assert in_force(tmp_path) == {("steps", 2, 2), ("late", 2, 2)}


@pytest.mark.parametrize("words", ["load c.toml", "load c.toml --json", "undo", "revert 1"])
def test_where_nobody_can_be_asked_a_yes_is_wanted(tmp_path: Path, words: str) -> None:
    """
    A script that replaces what trades has to say so.
    """
    load(tmp_path, CONFIG)
    load(tmp_path, CHANGED)
    config(tmp_path / "c.toml", OTHERS)

    said = refused(*words.split(), folder=tmp_path)

    assert said.err.startswith("bots: found version 2 in force, which version ")
    assert said.err.endswith(" would replace, expected --yes beside it, or --dry-run to look\n")
    assert in_force(tmp_path) == {("steps", 2, 2), ("late", 2, 2)}


def test_undo_brings_back_what_was_before(tmp_path: Path) -> None:
    """
    As a load of its own, and a second time what was undone.
    """
    load(tmp_path, CONFIG)
    load(tmp_path, CHANGED)

    once = bots(tmp_path, "undo", "--yes")
    again = bots(tmp_path, "undo", "--yes")

    assert (once["version"], once["load"], once["version_before"]) == (1, 3, 2)
    assert (again["version"], again["load"], again["version_before"]) == (2, 4, 1)


def test_a_first_load_is_not_undone(tmp_path: Path) -> None:
    """
    There is nothing that would be in force then.
    """
    load(tmp_path, CONFIG)

    said = refused("undo", "--yes", folder=tmp_path)

    assert said.err == ("bots undo: found one load of portfolio main, expected one before it\n")


def test_the_text_in_force_is_printed_as_it_was_written(tmp_path: Path) -> None:
    """
    Byte for byte, with its comments; any version of it.
    """
    load(tmp_path, f"# Mine.\n{CONFIG}")
    load(tmp_path, CHANGED)

    assert done("bots", "config", folder=tmp_path).out == CHANGED
    assert done("bots", "config", "--version", "1", folder=tmp_path).out == f"# Mine.\n{CONFIG}"


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (
            ("steps", "entry.rungs[2].size=35"),
            [{"bot": "steps", "key": "entry.rungs[2].size", "new": "35"}],
        ),
        (
            ("late", "entry.every=3d", "exit.time_stop=4h"),
            [
                {"bot": "late", "key": "entry.every", "new": "3d"},
                {"bot": "late", "key": "exit.time_stop", "new": "4h"},
            ],
        ),
        (
            ("all", "limits.max_tranches=2"),
            [
                {"bot": "steps", "key": "limits.max_tranches", "new": "2"},
                {"bot": "late", "key": "limits.max_tranches", "new": "2"},
            ],
        ),
        (
            ("steps, late", "exit.stop_loss=20%"),
            [
                {"bot": "steps", "key": "exit.stop_loss.loss", "new": "0.2"},
                {"bot": "late", "key": "exit.stop_loss.loss", "new": "0.2"},
                {"bot": "late", "key": "exit.stop_loss.over", "new": "anchor"},
            ],
        ),
    ],
    ids=["one key", "several keys", "all bots", "several bots"],
)
def test_keys_of_several_bots_are_changed_at_once(
    tmp_path: Path, words: tuple[str, ...], changes: list[dict[str, str]]
) -> None:
    """
    What changes is shown before, key by key, and all else is the text that was there.
    """
    load(tmp_path, f"# Mine.\n{CONFIG}")

    dry = bots(tmp_path, "set", *words, "--dry-run")
    said = bots(tmp_path, "set", *words, "--yes")

    assert [{key: one[key] for key in ("bot", "key", "new")} for one in said["changes"]] == changes
    assert {**dry, "written": True} == said
    text = done("bots", "config", folder=tmp_path).out
    kept = [line for line in CONFIG.splitlines() if line in text.splitlines()]
    assert text.startswith("# Mine.\n")
    assert len(kept) >= len(CONFIG.splitlines()) - len(changes)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            "step entry.size=3",
            "bots set step: found 'step', expected all, or names of steps, late; did you mean",
        ),
        ("steps entry.size", "bots set entry.size: found no key and value, expected KEY=VALUE"),
        ("steps =3", "bots set =3: found no key and value, expected KEY=VALUE"),
        (
            "steps entry.rungs[9].size=3",
            "bots set entry.rungs[9].size=3: found no number 9 of it in bot steps, expected a key",
        ),
        (
            "steps name.size=3",
            "bots set name.size=3: found no size in bot steps, expected a key",
        ),
        (
            "late entry.sise=3",
            "configuration 1 of portfolio main, changed, line 24, bot[2].entry.sise: found an",
        ),
        (
            "late entry.size=many",
            "configuration 1 of portfolio main, changed, line 22, bot[2].entry.size: found",
        ),
    ],
)
def test_what_cannot_be_set_is_said_in_one_sentence(
    tmp_path: Path, words: str, problem: str
) -> None:
    """
    And nothing is written.
    """
    load(tmp_path, CONFIG)

    said = refused("set", *words.split(), "--yes", folder=tmp_path)

    assert said.err.startswith(problem), said.err
    assert in_force(tmp_path) == {("steps", 1, 1), ("late", 1, 1)}


def test_what_it_means_for_bots_that_run_is_said_before(tmp_path: Path) -> None:
    """
    By the limits themselves: whose next entry would be refused then, and whose no longer.
    """
    keep_a_day(tmp_path)
    config(tmp_path / "c.toml", QUIET.replace("active_positions = 3", "active_positions = 1"))

    said = asked(tmp_path, "bots load c.toml --dry-run")
    assert asked(tmp_path, "bots load c.toml --yes").code == 0
    config(tmp_path / "c.toml", QUIET)
    back = asked(tmp_path, "bots load c.toml --dry-run --json").document

    assert said.out.startswith(
        "Version 2 of portfolio floor would be in force, in place of version 1, by which its bots "
        "run; nothing was written.\n"
    )
    assert "all portfolio.max_active_positions 3 1" in said.words
    assert "What is open stays with version 1, by which it began: often-1 (BUILDING)" in said.words
    assert (
        "idle: its next entry would be refused because it would be active position 3 of at most 1"
    ) in said.words
    assert back["effects"] == [
        "idle: its next entry would no longer be refused for MAX_ACTIVE_POSITIONS."
    ]
    assert {one["version"] for one in back["open_positions"]} == {1}


def test_what_bots_that_run_need_is_not_taken_away(tmp_path: Path) -> None:
    """
    One sentence, before anybody is asked.
    """
    keep_a_day(tmp_path)
    config(tmp_path / "c.toml", QUIET.replace('"often"', '"seldom"'))

    said = asked(tmp_path, "bots load c.toml --dry-run")

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "portfolio floor: found no bot often, which holds something, expected it until it is "
        "sold\n"
    )
