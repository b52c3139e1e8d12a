"""`trancher signal`: one signal from outside, handed to bots that nobody runs just now."""

from pathlib import Path
from typing import Any, Final

import pytest

from command_line import candles, config, done, trancher
from running.asking import BOOKS, asked
from running.floor import FLAT, copied

TEXT: Final = """
[portfolio]
quote = "USD"
cash = 1000
max_active_positions = "off"
max_daily_trades = "off"
[instrument."BTC/USD"]
price_tick = 0.01
maker_fee = 0
taker_fee = 0
[[bot]]
name = "news"
symbol = "BTC/USD"
[bot.limits]
tranche_cooldown = 0
[bot.signals.external]
desk = {max_age = "2h"}
wire = {weight = 0.5, max_age = "2h"}
[bot.entry]
plan = "signals"
steps = [{signal = "buy", size = 20}, {signal = "more", size = 40}, {signal = "huge", size = 60}]
[bot.exit]
signal_exit = {score = -0.5}
[[bot]]
name = "mixed"
symbol = "BTC/USD"
[bot.limits]
tranche_cooldown = 0
[bot.signals]
rsi = {weight = 0.5, period = 2}
external = {desk = {weight = 0.5}}
[bot.entry]
plan = "graduated"
steps = [{score = 0.4, size = 20}, {score = 0.9, size = 30}]
[[bot]]
name = "both"
symbol = "BTC/USD"
max_positions = 2
[bot.limits]
tranche_cooldown = 0
[bot.signals.external]
desk = {}
[[bot.strategy]]
name = "early"
entry = {plan = "signals", steps = [{signal = "buy", size = 20}]}
[[bot.strategy]]
name = "late"
entry = {plan = "signals", steps = [{signal = "buy", size = 30}, {signal = "more", size = 10}]}
[[bot]]
name = "deaf"
symbol = "BTC/USD"
[bot.entry]
plan = "signals"
steps = [{signal = "rsi_oversold", size = 20}]
[bot.signals]
rsi = {}
"""
RUN: Final = ("run", "c.toml", "--db", BOOKS, "--replay")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose bots have come to the end of six hours at 100."""
    folder = tmp_path_factory.mktemp("kept")
    config(folder / "c.toml", TEXT)
    candles(folder / "c.csv", *[FLAT] * 6)
    candles(folder / "more.csv", *[FLAT] * 6, *["100 120 100 120"] * 4)
    assert trancher(*RUN, "c.csv", folder=folder).code == 0
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return copied(kept, tmp_path)


def held(folder: Path, bot: str = "news") -> list[str]:
    """Return what each position of a bot holds."""
    document = done("status", "--json", "--db", BOOKS, folder=folder).document
    (one,) = (place for place in document["bots"] if place["bot"] == bot)
    return [place["open_quantity"] for place in one.get("positions", [one])]


def told(folder: Path, bot: str = "news") -> list[Any]:
    """Return the decisions of a bot, newest first."""
    words = ("decisions", bot, "--json", "--db", BOOKS)
    found: list[Any] = done(*words, folder=folder).document["decisions"]
    return found


NAMES: Final = "--name desk"
REFUSED: Final = {
    f"signal news {NAMES}": "--score, --event: found neither, expected one of them",
    f"signal news {NAMES} --score 1 --event buy": "--score, --event: found both, expected one",
    f"signal news {NAMES} --score 1.01": "--score: found 1.01, expected -1 (sell) to 1 (buy)",
    f"signal news {NAMES} --score -1.1": "--score: found -1.1, expected -1 (sell) to 1 (buy)",
    f"signal news {NAMES} --score nan": "--score: found 'nan', expected a plain decimal number",
    f"signal news {NAMES} --score 1 --price 0": "--price: found 0, expected a price above 0",
    "signal news --name dsk --score 1": "--name: found 'dsk', to which news does not listen, "
    "expected one of desk, wire; did you mean desk?",
    "signal deaf --name rsi --score 1": "--name: found 'rsi', to which deaf does not listen, "
    "expected one of [bot.signals.external], which has none",
    f"signal new {NAMES} --score 1": "bot: found 'new', expected one of news, mixed, both, deaf",
}


def test_what_cannot_be_meant_is_said_in_one_sentence(folder: Path) -> None:
    """
    With exit code 2, and nothing is written: the books are what they were, to the last byte.
    """
    before = (folder / "books.db").read_bytes()

    said = {words: asked(folder, words) for words in REFUSED}
    blank = trancher("signal", "news", "--name", "desk", "--event", " buy", "--db", BOOKS,
                     folder=folder)  # fmt: skip

    for words, one in said.items():
        assert (one.code, one.out) == (2, ""), words
        assert one.err.startswith(REFUSED[words]), (words, one.err)
        assert one.err.count("\n") == 1, words
    assert (blank.code, blank.err) == (
        2, "--event: found ' buy', expected a plain name, without blanks around it\n"
    )  # fmt: skip
    assert (folder / "books.db").read_bytes() == before


def test_a_signal_is_decided_at_once(folder: Path) -> None:
    """
    The rung that waits for the event buys for 20 at 80; the journal says why, and balances.
    """
    said = asked(folder, f"signal news {NAMES} --event buy --price 80")

    assert (said.code, said.err) == (0, "")
    assert said.out == "news buys for 20.00 at 80.00: signal buy\n"
    assert held(folder) == ["0.25000000"]
    journal = done("journal", "--db", BOOKS, folder=folder)
    assert "news heard the signal desk: event buy" in journal.words
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def test_without_a_price_it_fills_at_the_last_one_seen(folder: Path) -> None:
    """
    Of 20 at 100 there are 0.2.
    """
    said = asked(folder, f"signal news {NAMES} --event buy --json").document

    assert held(folder) == ["0.20000000"]
    assert (said["bot"], said["signal"], said["event"], said["score"], said["id"]) == (
        "news", "desk", "buy", None, None
    )  # fmt: skip
    assert [one["accepted"] for one in said["decisions"]] == [True]
    assert said["decided_before"] is False


def test_what_nothing_waits_for_is_heard_and_said_to_be(folder: Path) -> None:
    """
    That is no failure, and no trade.
    """
    said = asked(folder, f"signal news {NAMES} --event sunshine")

    assert (said.code, said.err) == (0, "")
    assert said.out == "news heard desk, event sunshine: nothing it waits for has come\n"
    assert held(folder) == ["0"]


def test_a_refusal_by_a_limit_is_printed_and_fails(folder: Path) -> None:
    """
    Exit code 1, with the decision, which is on record.
    """
    said = asked(folder, f"signal news {NAMES} --event huge")

    assert said.code == 1
    assert "MAX_TRANCHE_SIZE: 60" in said.out
    assert said.err == "news: refused\n"
    assert told(folder)[0]["reason"] == "signal huge"
    assert held(folder) == ["0"]


def test_a_score_may_sell_and_what_is_sold_may_be_bought_again(folder: Path) -> None:
    """
    -1 of weight 1 beside a silent one of 0.5 is -2/3: all goes. What comes after that is new,
    though the market stands still.
    """
    assert asked(folder, f"signal news {NAMES} --event buy").code == 0

    sold = asked(folder, f"signal news {NAMES} --score -1")
    assert sold.out == "news sells 0.2 at 100.00: signal exit, score <= -0.5\n"
    assert held(folder) == ["0"]

    assert asked(folder, f"signal news {NAMES} --event buy").code == 0
    assert held(folder) == ["0.20000000"]


def test_a_signal_without_candles_counts_the_others_as_stale(folder: Path) -> None:
    """
    rsi says nothing new, so it adds 0 with its weight kept: 1 x 0.5 / 1 reaches 0.4 and not 0.9.
    """
    said = asked(folder, f"signal mixed {NAMES} --score 1 --json").document

    (decision,) = said["decisions"]
    assert (decision["reason"], decision["accepted"]) == ("score 0.4", True)
    tranches = done("position", "mixed", "--json", "--db", BOOKS, folder=folder).document
    (tranche,) = tranches["position_tranches"]
    assert tranche["score"] == "0.500000000"
    assert tranche["contributions"] == {"rsi": "0.000000000", "desk": "0.500000000"}


def test_the_same_key_is_decided_once(folder: Path) -> None:
    """
    Sent twice, as webhooks are: bought once, answered twice, and the second time it says so.
    """
    words = f"signal news {NAMES} --event buy --id one"
    first, again = asked(folder, words), asked(folder, words)
    document = asked(folder, f"{words} --json").document

    assert (first.code, again.code) == (0, 0)
    assert again.out == "news decided before, by the same --id one:\n" + first.out
    assert document["decided_before"] is True
    assert held(folder) == ["0.20000000"]


def test_the_same_key_with_another_body_is_refused(folder: Path) -> None:
    """
    One of the two is a mistake, and nobody knows which; the refusal is on record.
    """
    assert asked(folder, f"signal news {NAMES} --event buy --id one").code == 0

    said = asked(folder, f"signal news {NAMES} --event more --id one")

    assert (said.code, said.err) == (1, "news: refused\n")
    assert "DUPLICATE_SIGNAL: 2 against 1 signal, 1 over" in said.out
    (refused,) = (one for one in told(folder) if not one["accepted"])
    assert [one["code"] for one in refused["refusals"]] == ["DUPLICATE_SIGNAL"]
    assert held(folder) == ["0.20000000"]
    assert asked(folder, f"signal news {NAMES} --event more").code == 0
    assert held(folder) == ["0.60000000"]


def test_every_position_of_a_bot_hears_it(folder: Path) -> None:
    """
    One decision for each place that waits for it, in their order; the other only hears.
    """
    first = asked(folder, f"signal both {NAMES} --event buy")
    second = asked(folder, f"signal both {NAMES} --event more")

    assert (
        first.out == "both buys for 20.00 at 100.00: signal buy\n"
        "both buys for 30.00 at 100.00: signal buy\n"
    )
    assert second.out == "both buys for 10.00 at 100.00: signal more\n"
    assert held(folder, "both") == ["0.20000000", "0.40000000"]


def test_what_was_heard_is_known_to_whoever_goes_on(folder: Path) -> None:
    """
    A pause refused the event; it is still valid when the bot goes on, and is bought at the open
    after the next close. Heard at 06:00, it is looked at at 07:00 and bought at 07:00.
    """
    assert asked(folder, "pause").code == 0
    assert asked(folder, f"signal news {NAMES} --event buy").code == 1
    assert asked(folder, "resume").code == 0

    assert trancher(*RUN, "more.csv", folder=folder).code == 0

    position = done("position", "news", "--json", "--db", BOOKS, folder=folder).document
    (tranche,) = position["position_tranches"]
    assert tranche["entry_timestamp"] == "2024-01-01T07:00:00Z"
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def test_on_a_server_it_is_the_same(kept: Path, tmp_path: Path, server_url: str) -> None:
    """
    Heard, decided once, refused, and known to whoever goes on.
    """
    folder = copied(kept, tmp_path)
    run = ("run", "c.toml", "--db", server_url, "--replay")
    assert trancher(*run, "c.csv", folder=folder).code == 0
    words = ("--event buy --id a", "--event buy --id a", "--event more --id a", "--score -1",
             "--event huge", "--event sunshine", "--score 2")  # fmt: skip

    codes = [
        trancher("signal", "news", "--name", "desk", *one.split(), "--db", server_url,
                 folder=folder).code
        for one in words
    ]  # fmt: skip

    assert codes == [0, 0, 1, 0, 1, 0, 2]
    assert trancher(*run, "more.csv", folder=folder).code == 0
    assert done("verify", "--db", server_url, folder=folder).code == 0
