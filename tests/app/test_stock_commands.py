"""`trancher adopt` and `correct`: what is really there, told to bots that nobody runs just now."""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from command_line import done, trancher
from running.asking import BOOKS, asked, bots, held, keep_a_day, run_on
from running.floor import copied, quiet

VERIFIED: Final = "everything that is stored follows from the journal"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose bots have come to the end of a day."""
    folder = tmp_path_factory.mktemp("kept")
    keep_a_day(folder)
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return copied(kept, tmp_path)


def position(folder: Path, bot: str) -> dict[str, Any]:
    """Return the document of a bot's position."""
    document = done("position", bot, "--json", "--db", BOOKS, folder=folder).document
    assert isinstance(document, dict)
    return document


def verified(folder: Path) -> bool:
    """Say whether the books follow from the journal."""
    return VERIFIED in done("verify", "--db", BOOKS, folder=folder).out


REFUSED: Final = {
    "adopt idle --quantity 0 --price 1": "--quantity: found 0, expected an amount of base above 0",
    "adopt idle --quantity 1": "--price, --cost: found neither, expected one of them",
    "adopt idle --quantity 1 --price 1 --cost 1": "--price, --cost: found both, expected one of",
    "adopt idle --quantity 1 --price 0": "--price: found 0, expected a price above 0",
    "adopt idle --quantity 1 --cost -1": "--cost: found -1, expected an amount of quote above 0",
    "adopt idle --quantity nan --cost 1": "--quantity: found 'nan', expected a plain decimal",
    "adopt idel --quantity 1 --cost 1": "bot: found 'idel', expected one of often, resting, idle",
    "adopt idle --quantity 1 --cost 1 --position idle-7": "bot idle: found no position idle-7, "
    "expected one of idle-1",
    "adopt idle --quantity 0.000000001 --cost 1": "bot idle: found a holding of 0.000000001, "
    "expected 0.00000001 or more, which is the step of BTC/USD",
    "adopt idle --quantity 999999999999999 --price 9": "bot idle: found a cost of "
    "8999999999999991 with it, expected less than 1e15",
    "adopt idle --quantity 99999999999999 --cost 9": "bot idle: found a worth of 9999999999999900 "
    "with it, expected less than 1e15",
    "adopt idle --quantity 1 --cost 1 --reason=": "--reason: found nothing, expected why",
    "correct often --yes": "correct: found no --quantity, expected what is there, or --undo",
    "correct often --quantity 0.5 --yes": "correct: found no --reason, expected why less is there",
    "correct often --quantity -1 --reason x --yes": "--quantity: found -1, expected an amount of "
    "base of 0 or more",
    "correct often --undo --quantity 1": "--undo: found --quantity or --tranche beside it",
    "correct often --undo --yes": "bot often: position often-1 has nothing to undo, "
    "expected an adoption or a correction with nothing bought or sold since",
    "correct often --quantity 0.8 --reason x --yes": "bot often: found 0.80000000 held by often-1 "
    "and --quantity 0.8, expected less; what is there beside it `trancher adopt` takes in",
    "correct often --quantity 0.5 --tranche tranche_9 --reason x --yes": "bot often: no open "
    "tranche is called 'tranche_9': open are tranche_1,",
    "correct often --quantity 0.5 --tranche tranche_1 --reason x --yes": "bot often: tranche_1 "
    "holds 0.20000000 and 0.30000000 is missing, expected no more than it holds",
    "correct idle --quantity 0 --reason x --yes": "bot idle: found no open position, expected one",
    "correct often --quantity 0.5 --reason x": "correct: found often-1: 0.8 for 80.00 (100.00 "
    "each) -> 0.5 for 50.00 (100.00 each), expected --yes beside it",
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


def test_a_holding_is_adopted_and_sold_for_what_it_earned(folder: Path) -> None:
    """
    No cash goes, no trade is counted, and the position buys no more; P&L is proceeds less cost.
    """
    before = done("status", "--json", "--db", BOOKS, folder=folder).document

    said = asked(folder, "adopt idle --quantity 0.5 --price 90 --reason mine")

    assert (said.code, said.err) == (0, "")
    assert said.out == "idle-1: nothing -> 0.5 for 45.00 (90.00 each)\n"
    after = done("status", "--json", "--db", BOOKS, folder=folder).document
    assert (after["cash"], after["trades_today"]) == (before["cash"], before["trades_today"])
    assert after["active_positions"] == before["active_positions"] + 1
    shown = position(folder, "idle")
    assert (shown["position_status"], shown["money_put_in"]) == ("open", "45.0")
    assert shown["adopted"] == {"quantity": "0.5", "cost": "45.0"}
    assert [one["reason"] for one in shown["position_tranches"]] == ["mine"]
    why = done("why", "idle", "--db", BOOKS, folder=folder).out
    assert "it buys no more until this position is closed" in why
    assert "it began with a holding that was adopted" in why.replace("\n", " ")
    assert asked(folder, "sell idle --price 120").code == 0
    assert position(folder, "idle")["realized_pnl"] == "15.0000000000"
    assert verified(folder)


def test_what_is_over_a_limit_is_adopted_and_told(folder: Path) -> None:
    """
    It is there, whatever a limit says; the limit refuses the next entry.
    """
    said = asked(folder, "adopt often --quantity 5 --cost 450 --json")

    assert said.code == 0
    assert said.document["over"] == ["max_position_size: it has 530.00 of at most 500.00"]
    assert said.document["changed"] == {
        "position_id": "often-1",
        "position_status": "building",
        "quantity_before": "0.80000000",
        "quantity": "5.80000000",
        "cost_basis_before": "80.0000000000",
        "cost_basis": "530.0000000000",
    }
    refused = asked(folder, "add often --size 20")
    assert refused.code == 1
    assert "MAX_POSITION_SIZE" in refused.out
    warned = asked(folder, "adopt often --quantity 1 --price 1")
    assert "No entries while it is over max_position_size: it has 531.00 of at most" in warned.out


def test_a_correction_is_no_sale_and_is_undone(folder: Path) -> None:
    """
    Told with its reason in the journal, beside the P&L and apart from it; then taken back.
    """
    words = ("correct", "often", "--quantity", "0.5", "--reason", "sent away", "--yes")

    said = trancher(*words, "--db", BOOKS, folder=folder)

    assert (said.code, said.err) == (0, "")
    assert said.out == "often-1: 0.8 for 80.00 (100.00 each) -> 0.5 for 50.00 (100.00 each)\n"
    shown = position(folder, "often")
    assert shown["realized_pnl"] == "0"
    assert shown["corrected"] == {"quantity": "0.30000000", "cost_basis": "30.0000000000"}
    assert (shown["position_status"], shown["exits"]) == ("building", [])
    told = done("position", "often", "--db", BOOKS, folder=folder).out.replace("\n", " ")
    assert "Corrected: 0.3 BTC that had cost 30.00 USD are not there; they earned and" in told
    assert asked(folder, "correct often --undo --yes").code == 0
    assert held(folder) == ("0.80000000", "building")
    journal = done("journal", "--db", BOOKS, folder=folder).out
    assert "corrected from 0.8 to 0.5: sent away" in journal
    assert "undone, from 0.5 to 0.8: a mistake" in journal
    again = asked(folder, "correct often --undo --yes")
    assert again.code == 2
    assert verified(folder)


class Terminal(io.StringIO):
    """Somebody at a terminal, who types what is in it."""

    def isatty(self) -> bool:
        return True


def test_who_sits_at_a_terminal_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With what would become of the position; only a yes does it, and --yes says it before.
    """
    words = "correct often --quantity 0.5 --reason x"
    told = "often-1: 0.8 for 80.00 (100.00 each) -> 0.5 for 50.00 (100.00 each)\n"

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    no = asked(folder, words)
    after_no = held(folder)[0]
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    yes = asked(folder, words)
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    adopted = asked(folder, "adopt idle --quantity 1 --price 10")

    assert (no.code, no.out.strip(), after_no) == (1, "", "0.80000000")
    assert no.err.startswith(f"{told}Is that so?")
    assert (yes.code, yes.out.lstrip(" "), held(folder)[0]) == (0, told, "0.50000000")
    assert (adopted.code, adopted.out.strip(), held(folder, "idle")) == (1, "", ("0", "closed"))


def test_a_report_counts_what_holdings_earned_and_not_that_they_came(folder: Path) -> None:
    """
    What came for 280 and went for 80 is no gain of a month: its equity changes by the P&L alone.
    """
    words = (
        "adopt often --quantity 1 --cost 90",
        "correct often --quantity 1 --reason x --yes",
        "adopt idle --quantity 2 --cost 190",
    )
    assert [asked(folder, one).code for one in words] == [0, 0, 0]

    report = done("report", "--data", "day.csv", "--json", "--db", BOOKS, folder=folder).document

    told = done("report", "--data", "day.csv", "--db", BOOKS, folder=folder).out
    assert "Adopted without a trade: what had cost 280.00 USD.\n" in told
    assert "Corrected away without a trade: what had cost 80.00 USD; it makes no P&L." in told
    (month,) = report["report"]["months"]
    assert Decimal(report["net_pnl"]) == 20
    assert [Decimal(month[name]) for name in ("change", "equity")] == [20, 1020]
    assert month["entries"] == 4


def test_where_nothing_is_left_the_position_is_closed(folder: Path) -> None:
    """
    It lost nothing by trading; what comes next is another position.
    """
    said = asked(folder, "correct often --quantity 0 --reason stolen --yes")

    assert said.out == "often-1: 0.8 for 80.00 (100.00 each) -> nothing; it is closed\n"
    assert position(folder, "often")["closing_reason"] == "stolen"
    assert asked(folder, "adopt often --quantity 0.1 --price 100").out.startswith("often-2: ")
    assert verified(folder)


def test_the_same_key_is_done_once(folder: Path) -> None:
    """
    Sent again it is answered as before, though it could not be done a second time.
    """
    words = "correct often --quantity 0.5 --reason x --id one"
    first = asked(folder, f"{words} --yes --json")

    again = asked(folder, f"{words} --json")

    assert first.code == again.code == 0
    assert again.document == first.document
    assert held(folder)[0] == "0.50000000"


def test_a_bot_that_runs_on_goes_by_what_it_was_told(folder: Path) -> None:
    """
    Its exits sell the holding like any other tranche, and its peak is what it is.
    """
    assert asked(folder, "adopt idle --quantity 1 --price 300").code == 0
    assert asked(folder, "correct often --quantity 0.3 --reason x --yes").code == 0

    run_on(folder)

    # idle stops at half of 300; often takes its profit at 110, of what was left.
    told = {name: one["position_status"] for name, one in bots(folder).items()}
    assert told["idle"] == "closed"
    shown = position(folder, "idle")
    assert [one["reason"] for one in shown["exits"]] == ["stop loss -50 %"]
    assert verified(folder)


def test_an_order_at_work_is_in_the_way(folder: Path) -> None:
    """
    One rests at 80: what is there is adopted beside it, and nothing is taken away.
    """
    assert asked(folder, "adopt resting --quantity 1 --price 100").code == 0

    said = asked(folder, "correct resting --quantity 0.5 --reason x --yes")

    assert said.code == 2
    assert said.err == (
        "bot resting: position resting-1 has an order at work (resting-1-1), expected none\n"
    )
    assert asked(folder, "stop --action cancel --bot resting").code == 0
    assert asked(folder, "correct resting --quantity 0.5 --reason x --yes").code == 0


def test_on_a_server_it_is_the_same(kept: Path, tmp_path: Path, server_url: str) -> None:
    """
    Everything once, and the rows follow from the journal.
    """
    folder = copied(kept, tmp_path)
    assert trancher(*quiet(db=server_url), folder=folder).code == 0
    adopt = "adopt idle --quantity 0.5 --price 90 --id a"
    correct = "correct often --reason x --yes --quantity"
    words = (
        *(adopt, adopt, "correct idle --undo --yes"),
        *(f"{correct} 0.5", "correct often --undo --yes", f"{correct} 0"),
    )

    codes = [trancher(*one.split(), "--db", server_url, folder=folder).code for one in words]

    assert codes == [0] * 6
    assert VERIFIED in done("verify", "--db", server_url, folder=folder).out
