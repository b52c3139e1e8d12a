"""`trancher add`, `sell`, `stop`, `pause`, `resume`: of bots that nobody runs just now."""

from pathlib import Path
from typing import Final

import pytest

from command_line import done, trancher
from running.asking import BOOKS, asked, held, keep_a_day
from running.floor import backtested, copied, lay_out_moving, quiet


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose bots have come to the end of a day."""
    folder = tmp_path_factory.mktemp("kept")
    keep_a_day(folder)
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return copied(kept, tmp_path)


REFUSED: Final = {
    "add often --size 0": "--size: found 0, expected an amount of quote above 0",
    "add often --size -5": "--size: found -5, expected an amount of quote above 0",
    "add often --size nan": "--size: found 'nan', expected a plain decimal number",
    "add often --size 1e400": "--size: found '1e400', expected a plain decimal number",
    "add often --size 20 --price 0": "--price: found 0, expected a price above 0",
    "add often --size 20 --price inf": "--price: found 'inf', expected a plain decimal number",
    "add oftn --size 20": "bot: found 'oftn', expected one of often, resting, idle; did you mean",
    "sell often --share 0": "--share: found '0', expected a share of what is held, above 0 %",
    "sell often --share 1.01": "--share: found '1.01', expected a share of what is held",
    "sell often --share 101%": "--share: found '101%', expected a share of what is held",
    "sell often --share nan": "--share: found 'nan', expected a plain decimal number",
    "sell often --share 0.5 --tranche tranche_1": "--share, --tranche: found both, expected one",
    "sell nobody": "bot: found 'nobody', expected one of often, resting, idle",
    "stop --action close": "--action close: found no such action, expected freeze, cancel,",
    "stop --action pause": "--action pause: found no such action, expected freeze, cancel,",
    "stop --action reduce": "--action reduce: found no --share beside it, expected what is left",
    "stop --action reduce --share 1": "--share 1: found all of it, expected less",
    "stop --action reduce --share 2": "--share: found '2', expected a share of what is held",
    "stop --action flatten --share 0.5": "--share: found it with --action flatten, expected it",
    "stop --action flatten --bot oftn": "bot: found 'oftn', expected one of often",
    "stop --action flatten --position idle-1": "--position idle-1: found no such position, "
    "expected one that is open: often-1, resting-1",
    "stop --action flatten --bot often --position often-1": "--bot, --position: found both",
    "stop --action flatten --tranche tranche_1": "--tranche tranche_1: found no bot beside it",
    "stop --action flatten --bot often --tranche tranche_9": "--tranche tranche_9: found no such "
    "tranche of often, expected one that is open: tranche_1, tranche_2, tranche_3, tranche_4",
    "stop --action reduce --share 0.5 --bot often --tranche tranche_1": "--tranche: found it with "
    "--action reduce, expected flatten, for a tranche is sold whole, or freeze",
    "stop --action cancel --bot often --tranche tranche_1": "--tranche: found it with --action",
    "pause --bot oftn": "bot: found 'oftn', expected one of often, resting, idle",
    "resume": "resume: found nothing stopped with these words, expected some: nothing is stopped",
    "resume --bot often": "resume: found nothing stopped with these words, expected some:",
    "resume --bot oftn": "bot: found 'oftn', expected one of often, resting, idle",
    "resume --position often-1": "resume: found nothing stopped with these words, expected some",
    "resume --tranche tranche_1": "--tranche tranche_1: found no bot beside it, expected --bot",
}


def test_what_cannot_be_meant_is_said_in_one_sentence(folder: Path) -> None:
    """
    With exit code 2, and nothing is written: the books are what they were, to the last byte.
    """
    before = (folder / "books.db").read_bytes()

    said = {words: asked(folder, words) for words in REFUSED}

    for words, one in said.items():
        assert (one.code, one.out) == (2, ""), words
        assert one.err.startswith(REFUSED[words]), (words, one.err)
        assert one.err.count("\n") == 1, words
    assert (folder / "books.db").read_bytes() == before


def test_an_action_is_always_said(folder: Path) -> None:
    """
    There is no default for what an emergency stop does.
    """
    said = asked(folder, "stop")

    assert said.code == 2
    assert "--action" in said.err


EVERY: Final = ("add often --size 20", "sell often", "stop --action flatten", "pause", "resume")


@pytest.mark.parametrize("words", EVERY)
def test_where_nothing_runs_nothing_is_asked(tmp_path: Path, words: str) -> None:
    """
    Neither where there are no books, which are not made, nor where there are backtests only.
    """
    missing = asked(tmp_path, words)
    lay_out_moving(tmp_path, hours=5)
    assert backtested(tmp_path).code == 0
    before = (tmp_path / "tested.db").read_bytes()

    tested = trancher(*words.split(), "--db", "sqlite:///tested.db", folder=tmp_path)

    assert (missing.code, missing.out) == (2, "")
    assert missing.err == (
        "books.db: found no such file, expected a database; `trancher run CONFIG --replay FILE "
        "--db sqlite:///books.db` makes one\n"
    )
    assert not (tmp_path / "books.db").exists()
    assert (tested.code, tested.out) == (2, "")
    assert tested.err.startswith("tested.db: found no bots that run, expected some; ")
    assert (tmp_path / "tested.db").read_bytes() == before


def test_a_backtest_that_is_kept_beside_them_hides_no_bot(folder: Path) -> None:
    """
    It is the latest run of the database then, and no emergency may wait for that.
    """
    words = ("backtest", "c.toml", "--data", "day.csv", "--db", BOOKS)
    assert trancher(*words, folder=folder).code == 0

    said = asked(folder, "stop --action flatten --json").document

    assert [one["bot"] for one in said["results"]] == ["often", "resting", "idle"]
    assert len(said["results"][0]["decisions"]) == 1


def test_an_add_is_bought_at_the_price_that_is_said(folder: Path) -> None:
    """
    Of 20 at 80 there are 0.25, beside the 0.8 that it has.
    """
    said = asked(folder, "add often --size 20 --price 80")

    assert (said.code, said.err) == (0, "")
    assert said.out == "often buys for 20.00 at 80.00: by hand\n"
    assert held(folder) == ("1.05000000", "building")
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def test_an_add_that_a_limit_refuses_is_printed_and_fails(folder: Path) -> None:
    """
    Exit code 1, with every reason, and the decision is on record.
    """
    said = asked(folder, "add often --size 60")

    assert said.code == 1
    assert "MAX_TRANCHE_SIZE: 60" in said.out
    assert said.err == "often: refused\n"
    record = done("decisions", "often", "--limit", "1", "--json", "--db", BOOKS, folder=folder)
    (latest,) = record.document["decisions"]
    assert (latest["accepted"], latest["reason"]) == (False, "by hand")
    assert held(folder) == ("0.80000000", "building")


def test_the_same_key_is_one_trade(folder: Path) -> None:
    """
    Sent twice, as after a network that failed, it is done once and answered twice.
    """
    first = asked(folder, "sell often --share 25% --id one --json")

    again = asked(folder, "sell often --share 25% --id one --json")

    assert first.code == again.code == 0
    assert again.document == first.document
    assert held(folder) == ("0.60000000", "open")


def test_the_same_key_with_other_words_is_refused(folder: Path) -> None:
    """
    One of the two is a mistake, and nobody knows which.
    """
    assert asked(folder, "sell often --share 25% --id one").code == 0

    said = asked(folder, "sell often --share 50% --id one")

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "bot often, command one: found another command of that name, expected a name of its own\n"
    )
    assert held(folder) == ("0.60000000", "open")


def test_a_key_is_of_one_bot(folder: Path) -> None:
    """
    And no name that a person gives is in the way of an emergency.
    """
    assert asked(folder, "sell often --share 25% --id halt_1").code == 0
    assert trancher("add", "idle", "--size", "20", "--id", "halt 1", "--db", BOOKS,
                    folder=folder).code == 0  # fmt: skip

    assert asked(folder, "stop --action flatten").code == 0

    assert held(folder, "idle") == ("0", "closed")


def test_a_tranche_is_sold_by_its_name(folder: Path) -> None:
    """
    The others are left as they are.
    """
    assert asked(folder, "sell often --tranche tranche_3").code == 0

    tranches = done("position", "often", "--json", "--db", BOOKS, folder=folder).document
    left = {one["id"]: one["open_quantity"] for one in tranches["position_tranches"]}
    assert left["tranche_3"] == "0.00000000"
    assert left["tranche_2"] == "0.20000000"


def test_a_tranche_that_it_never_had_is_refused(folder: Path) -> None:
    """
    In words that name those it has.
    """
    said = asked(folder, "sell often --tranche tranche_9")

    assert said.code == 2
    assert "open are tranche_1, tranche_2, tranche_3, tranche_4" in said.err


def test_who_holds_nothing_has_nothing_to_sell(folder: Path) -> None:
    """
    Whoever thinks that it was sold is told otherwise, by the exit code too.
    """
    said = asked(folder, "sell idle")
    document = asked(folder, "sell idle --json")

    assert (said.code, said.out) == (1, "")
    assert said.err == "idle: found nothing held, expected something to sell\n"
    assert (document.code, document.document["decisions"], document.err) == (1, [], said.err)


def test_a_tranche_that_is_sold_already_is_not_sold_again(folder: Path) -> None:
    """
    It had that tranche once, so it is told which ones are left.
    """
    assert asked(folder, "sell often --tranche tranche_3").code == 0

    said = asked(folder, "sell often --tranche tranche_3")

    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "often: found nothing left of tranche_3, with tranche_1, tranche_2, tranche_4 open, "
        "expected something to sell\n"
    )


def test_on_a_server_people_ask_the_same(kept: Path, tmp_path: Path, server_url: str) -> None:
    """
    Everything once: what is asked, refused, stopped and resumed.
    """
    folder = copied(kept, tmp_path)
    assert trancher(*quiet(db=server_url), folder=folder).code == 0
    words = ("add often --size 20 --id a", "add often --size 20 --id a", "sell often --share 0",
             "pause --bot idle", "stop --action flatten", "add often --size 20", "resume",
             "resume --bot idle", "add idle --size 20")  # fmt: skip

    codes = [trancher(*one.split(), "--db", server_url, folder=folder).code for one in words]

    assert codes == [0, 0, 2, 0, 0, 1, 0, 0, 0]
    assert done("verify", "--db", server_url, folder=folder).code == 0
