"""Every number of a report, one by one: it stands in `--json`, or follows from what stands there.

The page of a run in which everything happens is taken apart to its last number. Its document is
that of `backtest --json`; the section `report` of that is counted here once more from the
documents of its positions. Nothing is compared but for equality. The charts have their own module.
"""

import json
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from command_line import done
from report_folded import HOUR_MS, Walked, equities, instant, total, walked
from report_pages import without_what_differs
from trancher.core.money import quotient


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("walk")


@pytest.fixture(scope="module")
def ran(folder: Path) -> Walked:
    return walked(folder)


@pytest.fixture(scope="module")
def said(ran: Walked) -> Any:
    return ran.said


@pytest.fixture(autouse=True)
def exactly() -> Iterator[None]:
    """Compute with as many digits as the figures have."""
    with localcontext(prec=80):
        yield


def test_the_page_holds_the_document_and_what_its_charts_draw(ran: Walked, said: Any) -> None:
    """
    Nothing else is in it; so these parts, each held to account below, are all that is shown.
    """
    assert ran.page.keys() == {
        *("title", "document", "configuration", "meanings"),
        *("curve", "charts", "positions", "lines"),
    }
    assert ran.page["document"] == without_what_differs(said)
    assert ran.page["meanings"].keys() == said["refusals"].keys()
    assert "</script" not in json.dumps(ran.page["meanings"])


def test_the_run_has_everything_in_it(said: Any) -> None:
    """
    Several bots, partial exits, several tranches, refusals of three kinds, an open position.
    """
    assert len(said["bots"]) == 3
    assert len(said["refusals"]) == 3
    assert any(len(one["exits"]) > 1 for one in said["positions"])
    assert any(len(one["position_tranches"]) > 2 for one in said["positions"])
    assert [one["bot"] for one in said["positions"] if one["closed_at"] is None] == ["two"]
    assert len(said["report"]["months"]) == 2
    assert said["report"].keys() == {
        *("portfolio", "quote", "timezone", "cash_at_start", "equity_at_end", "bots", "groups"),
        *("exits_by_rung", "months", "disposal_rules", "tranches_by_rule", "refused"),
        *("performance", "plans", "instruments"),
    }


def test_totals_are_the_sums_of_bots_and_positions(said: Any) -> None:
    """
    The figures of the head: of every bot they are those of its positions, and together of all.
    """
    for key in ("realized_pnl", "realized_gross", "unrealized_net", "unrealized_pnl", "fees_paid"):
        assert total(said["bots"], key) == Decimal(said[key]) == total(said["positions"], key)
        for bot in said["bots"]:
            own = [one for one in said["positions"] if one["bot"] == bot["bot"]]
            assert total(own, key) == Decimal(bot[key])
    assert total(said["positions"], "total_position_size") == Decimal(said["open_cost"])
    counts = Counter[str]()
    for bot in said["bots"]:
        counts.update(bot["refusals"])
        own = [one for one in said["positions"] if one["bot"] == bot["bot"]]
        assert bot["entries"] == sum(len(one["position_tranches"]) for one in own)
        assert bot["exits"] == sum(len(one["exits"]) for one in own)
    assert counts == said["refusals"]
    assert said["entries"] == sum(bot["entries"] for bot in said["bots"])
    assert Decimal(said["net_pnl"]) == Decimal(said["realized_pnl"]) + Decimal(
        said["unrealized_net"]
    )


def test_what_each_bot_came_to_follows_from_its_positions_and_candles(
    ran: Walked, said: Any
) -> None:
    """
    Of its closed positions those that won; and what its symbol did from first open to last close.
    """
    assert [one["bot"] for one in said["report"]["bots"]] == [one["bot"] for one in said["bots"]]
    for row, bot in zip(said["report"]["bots"], said["bots"], strict=True):
        own = [one for one in said["positions"] if one["bot"] == bot["bot"] and one["closed_at"]]
        won = [one for one in own if Decimal(one["realized_pnl"]) > 0]
        candles = ran.candles[bot["symbol"]]
        assert (row["closed"], row["won"]) == (len(own), len(won))
        rate = quotient(Decimal(len(won)), Decimal(len(own))) if own else None
        assert row["win_rate"] == (None if rate is None else f"{rate:f}")
        held = quotient(candles[-1]["close"], candles[0]["open"]) - 1
        assert Decimal(row["buy_and_hold"]) == held
    assert any(one["won"] for one in said["report"]["bots"])


def signal_of(tranche: Any) -> str:
    added = {name: Decimal(part) for name, part in tranche["contributions"].items()}
    best = max(added, key=lambda name: added[name])
    return best if added[best] > 0 else "none"


KEYS: Final[Mapping[str, Callable[[Any], str]]] = {
    "number": lambda one: one["id"].removeprefix("tranche_"),
    "signal": signal_of,
    "temperature": lambda one: one["temperature"],
    "reason": lambda one: one["reason"],
    "hour": lambda one: one["entry_timestamp"][11:13],
}


@pytest.mark.parametrize("kind", KEYS)
def test_groups_are_the_sums_of_their_tranches(kind: str, said: Any) -> None:
    """
    Each group has the count, the cost and the P&L of the tranches that belong to it.
    """
    groups = defaultdict[str, list[Any]](list)
    for position in said["positions"]:
        for tranche in position["position_tranches"]:
            groups[KEYS[kind](tranche)].append(tranche)

    rows = said["report"]["groups"][kind]
    assert {row["key"] for row in rows} == groups.keys()
    for row in rows:
        own = groups[row["key"]]
        assert row["tranches"] == len(own)
        assert Decimal(row["cost"]) == total(own, "size_quote")
        for key in ("realized_gross", "realized_pnl", "unrealized_net"):
            assert Decimal(row[key]) == total(own, key), (kind, row["key"], key)


def test_exits_by_rung_are_the_sums_of_their_exits(said: Any) -> None:
    """
    Every exit of a bot is counted under its reason.
    """
    sold = defaultdict[tuple[str, str], list[Any]](list)
    for position in said["positions"]:
        for one in position["exits"]:
            sold[position["bot"], one["reason"]].append(one)

    rows = said["report"]["exits_by_rung"]
    assert {(row["bot"], row["reason"]) for row in rows} == sold.keys()
    for row in rows:
        own = sold[row["bot"], row["reason"]]
        assert row["exits"] == len(own)
        for key in ("cost_consumed", "realized_gross", "realized_pnl"):
            assert Decimal(row[key]) == total(own, key)


@pytest.mark.parametrize("rule", ["fifo", "lifo", "hifo", "average"])
def test_disposal_rules_are_those_of_the_ledger(rule: str, said: Any, tmp_path: Path) -> None:
    """
    The fills of each bot, handed to `trancher ledger` as a CSV, give the same figures.
    """
    sums = defaultdict[str, Decimal](Decimal)
    keys = ("realized_pnl", "realized_gross", "unrealized_net", "open_cost")
    for bot in said["bots"]:
        own = [one for one in said["positions"] if one["bot"] == bot["bot"]]
        if not own:
            continue
        file = tmp_path / f"{bot['bot']}.csv"
        file.write_text("\n".join(ledger_of(own)) + "\n", encoding="utf-8")
        words = ("--mark", bot["mark_price"], "--method", rule, "--json")
        told = done("ledger", file, *words, folder=tmp_path).document
        for key in keys:
            sums[key] += Decimal(told[key])

    rows = {one["bot"]: one for one in said["report"]["disposal_rules"] if one["disposal"] == rule}
    assert rows.keys() == {None, *(bot["bot"] for bot in said["bots"])}
    assert {key: Decimal(rows[None][key]) for key in keys} == sums
    for key in (*keys, "dust_cost"):
        assert total([rows[bot["bot"]] for bot in said["bots"]], key) == Decimal(rows[None][key])


@pytest.mark.parametrize("rule", ["fifo", "lifo", "hifo", "average"])
def test_tranches_by_rule_are_those_of_the_ledger(rule: str, said: Any, tmp_path: Path) -> None:
    """
    Position by position, what each tranche realized under a rule is what the ledger says.
    """
    rows = {
        (row["position_id"], row["tranche"]): Decimal(row[rule])
        for row in said["report"]["tranches_by_rule"]
    }
    told = dict[tuple[str, str], Decimal]()
    for position in said["positions"]:
        file = tmp_path / "fills.csv"
        file.write_text("\n".join(ledger_of([position])) + "\n", encoding="utf-8")
        words = ("ledger", file, "--method", rule, "--json")
        for one in done(*words, folder=tmp_path).document["tranches"]:
            told[position["position_id"], one["id"]] = Decimal(one["realized_pnl"])
    assert rows == told


def test_plans_and_instruments_are_those_that_check_tells(said: Any, folder: Path) -> None:
    """
    When a rung buys and how much, and the fees and steps, stand in `trancher check --json`; the
    lines are those that it prints.
    """
    checked = done("check", "c.toml", "--json", folder=folder).document
    words = done("check", "c.toml", folder=folder).words

    for plan, bot in zip(said["report"]["plans"], checked["bots"], strict=True):
        assert plan["bot"] == bot["name"]
        keys = ("label", "size", "bound")
        assert [(one["reason"], one["size"], one["bound"]) for one in plan["rungs"]] == [
            tuple(rung[key] for key in keys) for rung in bot["rungs"]
        ]
        assert all(" ".join(line.split()) in words for line in plan["lines"])
    for one in said["report"]["instruments"]:
        assert (one["maker_fee"], one["taker_fee"]) == ("0.001", "0.002")
        assert (one["price_tick"], one["quantity_step"]) == ("0.01", "0.0001")
        assert (one["min_quantity"], one["min_notional"]) == ("0", "0")


def test_what_was_refused_is_what_was_decided(said: Any, folder: Path) -> None:
    """
    `trancher decisions` has the same refusals: each rung from its first time to its last, with
    the figures of its first; and they add up to the counts of the document.
    """
    rows = dict[tuple[str, ...], Any]()
    for bot in ("one", "two", "three"):
        words = ("decisions", bot, "--limit", "10000", "--json", "--db", "sqlite:///w.db")
        for one in reversed(done(*words, folder=folder).document["decisions"]):
            codes = [reason["code"] for reason in one["refusals"]]
            if codes:
                row = rows.setdefault((one["position_id"], one["reason"], *codes), {**one, "n": 0})
                row["n"] += one["count"]
                row["last_at"] = one["last_at"]

    counts = Counter[str]()
    assert len(said["report"]["refused"]) == len(rows) > 10
    for one in said["report"]["refused"]:
        codes = [reason["code"] for reason in one["refusals"]]
        row = rows[one["position_id"], one["reason"], *codes]
        assert (one["first_at"], one["last_at"]) == (row["first_at"], row["last_at"])
        assert one["count"] == row["n"]
        for code in codes:
            counts[code] += one["count"]
    assert counts == said["refusals"]


def ledger_of(positions: Any) -> Iterator[str]:
    """Yield the lines of a ledger's CSV: every buy and every sale, in order of time."""
    yield "time,side,price,quantity,fee"
    lines = list[str]()
    for position in positions:
        for one in position["position_tranches"]:
            price = Decimal(one["entry_price"])
            lines.append(
                f"{one['entry_timestamp']},buy,{price},{one['quantity']},{one['entry_fee']}"
            )
        for one in position["exits"]:
            lines.append(f"{one['timestamp']},sell,{one['price']},{one['quantity']},{one['fee']}")
    yield from sorted(lines, key=lambda line: instant(line.split(",")[0]))


def test_every_month_follows_from_positions_and_candles(ran: Walked, said: Any) -> None:
    """
    Orders and P&L by their time, equity at the last close of each month and its change.
    """
    worth, start = equities(said, ran.candles), Decimal(said["report"]["cash_at_start"])
    closes = [int(row["at"]) // HOUR_MS for row in ran.candles["BTC/USD"]]
    for month in said["report"]["months"]:
        buys, sales = list[Any](), list[Any]()
        for position in said["positions"]:
            tranches, exits = position["position_tranches"], position["exits"]
            buys += [one for one in tranches if one["entry_timestamp"][:7] == month["month"]]
            sales += [one for one in exits if one["timestamp"][:7] == month["month"]]
        ended = [
            value
            for hour, value in zip(closes, worth, strict=True)
            if f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m}" <= month["month"]
        ][-1]
        assert (month["entries"], month["exits"]) == (len(buys), len(sales))
        assert Decimal(month["realized_pnl"]) == total(sales, "realized_pnl")
        assert Decimal(month["realized_gross"]) == total(sales, "realized_gross")
        assert Decimal(month["equity"]) == ended
        assert Decimal(month["change"]) == ended - start
        assert Decimal(month["change_return"]) == quotient(ended - start, start)
        start = ended


def test_performance_follows_from_the_equity_of_the_days(ran: Walked, said: Any) -> None:
    """
    Each ratio by the formula that stands beside it, and the deepest fall of all closes.
    """
    told, worth = said["report"]["performance"], equities(said, ran.candles)
    start = Decimal(said["report"]["cash_at_start"])
    daily = [float(one) for one in (start, *worth[23::24], worth[-1])]
    returns = [after / before - 1 for before, after in pairwise(daily)]
    mean, year = statistics.fmean(returns), math.sqrt(365)
    low = math.sqrt(statistics.fmean(min(one, 0) ** 2 for one in returns))
    falls, peak, peaks = list[Decimal](), start, list[int]()
    for place, value in enumerate(worth):
        peaks.append(place if value >= peak else peaks[-1])
        peak = max(peak, value)
        falls.append(1 - quotient(value, peak))
    lowest = falls.index(max(falls))
    at = [int(row["at"]) + HOUR_MS for row in ran.candles["BTC/USD"]]
    yearly = (daily[-1] / daily[0]) ** (365 / 6) - 1

    assert told == {
        "longest_under_water_seconds": longest_under_water(at, falls),
        "days": 6,
        "sharpe": mean / statistics.stdev(returns) * year,
        "sortino": mean / low * year,
        "yearly_return": yearly,
        "calmar": yearly / float(max(falls)),
        "recovered": falls[-1] == 0,
        "max_drawdown": f"{max(falls):f}",
        "peak_at": instant_text(at[peaks[lowest]]),
        "lowest_at": instant_text(at[lowest]),
    }


def longest_under_water(at: list[int], falls: list[Decimal]) -> int:
    """Return the longest time, in seconds, from a peak to the close that reached it again."""
    longest, peak = 0, at[0] - HOUR_MS
    for time, fall in zip(at, falls, strict=True):
        if fall > 0:
            longest = max(longest, time - peak)
        else:
            longest, peak = max(longest, time - peak if time - peak > HOUR_MS else 0), time
    return longest // 1000


def instant_text(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
