"""Run the reference work on every tool in turn and compare: the command behind `make bench`.

Each round runs every tool once, each in a process and an environment of its own: A B C, A B C.
A machine that slows down or speeds up in between meets all of them alike, and ratios are taken
inside a round. A tool that did other work than the rest gets no ratio.

    python bench/run.py [--rounds N] [--repeats N] [--peers A,B | --slow] [--tranches 3,10]
                        [--markdown | --json] [--cache FOLDER]

Exit code 0 if every tool asked for was measured and did the same work, otherwise 1.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from environments import EnvironmentNotMade, python_of
from measure import Report
from reference import write_candles
from tables import as_lines, machine, machine_in_words
from work import BENCH, CACHE, EXPECTED, candles_file

# A new peer is a line here, a script and a list of packages: see README.md.
PEERS = {
    "vectorbt": BENCH / "peers" / "vectorbt_reference.py",
    "backtesting": BENCH / "peers" / "backtesting_reference.py",
    "freqtrade": BENCH / "peers" / "freqtrade_reference.py",
}
# Minutes for one run: measured only when named or with --slow, in the first round, once.
SLOW = frozenset({"freqtrade"})
OWN = "trancher"
OWN_SCRIPT = BENCH / "trancher_reference.py"
BASELINE = "vectorbt"
HEAD = (
    "tool",
    "version",
    "Python",
    "run, CPU s",
    "min .. max",
    f"against {BASELINE}",
    f"against {OWN}",
    "load, CPU s",
    "warm-up, CPU s",
    "peak MB",
)


class NotMeasured(Exception):
    """A tool gave no report; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line asks for."""

    tools: tuple[str, ...]
    tranches: tuple[int, ...]
    rounds: int
    repeats: int
    cache: Path


@dataclass(slots=True, kw_only=True)
class Measured:
    """What was measured of one tool, one report a round, or why it was not."""

    tool: str
    reports: list[Report] = field(default_factory=list)
    failure: str | None = None

    @property
    def runs(self) -> list[float]:
        """User CPU seconds of the run phase, by round."""
        return [report.run_cpu for report in self.reports]

    def verdict(self, tranches: int) -> str | None:
        """Return what is wrong with this tool's work; None means nothing is."""
        if self.failure is not None or not self.reports:
            return self.failure or "not run"
        expected = EXPECTED[tranches]
        if all(report.outcome.same_as(expected) for report in self.reports):
            return None
        return f"did other work than {expected.entries} / {expected.exits} / {expected.profit:.2f}"


def compare(settings: Settings, *, tranches: int) -> list[Measured]:
    """Run every tool once a round; a tool that fails is not tried again."""
    measured = [Measured(tool=tool) for tool in settings.tools]
    for number in range(1, settings.rounds + 1):
        for each in measured:
            if each.failure is not None or (each.tool in SLOW and number > 1):
                continue
            _say(f"{tranches} tranches, round {number} of {settings.rounds}: {each.tool} ...")
            try:
                each.reports.append(_report_of(each.tool, settings, tranches=tranches))
            except (EnvironmentNotMade, NotMeasured) as failure:
                each.failure = str(failure)
    return measured


def _report_of(tool: str, settings: Settings, *, tranches: int) -> Report:
    script = OWN_SCRIPT if tool == OWN else PEERS[tool]
    python = Path(sys.executable) if tool == OWN else python_of(tool, settings.cache)
    command = [
        *(str(python), str(script)),
        *("--tranches", str(tranches)),
        *("--repeats", str(1 if tool in SLOW else settings.repeats)),
        *("--cache", str(settings.cache)),
    ]
    done = subprocess.run(  # noqa: S603 - our own scripts
        command,
        env={**os.environ, "PYTHONPATH": str(BENCH)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise NotMeasured(said[-1])
    return Report(**json.loads(done.stdout.splitlines()[-1]))


def ratios(measured: Iterable[Measured], *, tranches: int, to: str = BASELINE) -> dict[str, float]:
    """Return, by tool, its run time over that of the tool `to`: the median of the rounds' ratios.

    Only tools that did the same work are in it, and none if `to` did not.
    """
    sound = {each.tool: each.runs for each in measured if each.verdict(tranches) is None}
    if to not in sound:
        return {}
    return {
        tool: statistics.median(
            # A slow tool has the first round only.
            own / base
            for own, base in zip(runs, sound[to], strict=False)
        )
        for tool, runs in sound.items()
        if min(runs) > 0 and min(sound[to]) > 0
    }


def work_done(measured: Iterable[Measured], *, tranches: int) -> Iterator[str]:
    """Yield a line per tool: what it did, and whether that is the reference work."""
    expected = EXPECTED[tranches]
    yield (
        f"Reference work, {tranches} tranches: {expected.entries:,} entries, "
        f"{expected.exits:,} exits, profit {expected.profit:.2f}"
    )
    for each in measured:
        verdict = each.verdict(tranches)
        if each.reports:
            did = each.reports[0]
            done = f"{did.entries:,} entries, {did.exits:,} exits, profit {did.profit:.2f}"
            yield f"- {each.tool}: {done}: {verdict or 'the same'}"
        else:
            yield f"- {each.tool}: not measured: {verdict}"


def rows(measured: Iterable[Measured], *, tranches: int) -> Iterator[tuple[str, ...]]:
    """Yield the table's cells, one row for each tool that was measured."""
    against = ratios(measured, tranches=tranches)
    against_own = ratios(measured, tranches=tranches, to=OWN)
    for each in measured:
        if not each.reports:
            continue
        some = each.reports[0]
        yield (
            each.tool,
            some.version,
            some.python,
            f"{statistics.median(each.runs):.3f}",
            f"{min(each.runs):.3f} .. {max(each.runs):.3f}",
            _in_words(against.get(each.tool)),
            _in_words(against_own.get(each.tool)),
            f"{statistics.median(report.load_cpu for report in each.reports):.3f}",
            f"{statistics.median(report.warm_up_cpu for report in each.reports):.2f}",
            f"{statistics.median(report.peak_mb for report in each.reports):.0f}",
        )


def _in_words(ratio: float | None) -> str:
    if ratio is None:
        return "-"
    if ratio == 1:
        return "1"
    return f"{ratio:.2f} x slower" if ratio > 1 else f"{1 / ratio:.2f} x faster"


def main() -> int:
    """Measure what the command line asks for, print it, and return the exit code."""
    given = _arguments()
    settings = Settings(
        tools=given.peers,
        tranches=given.tranches,
        rounds=max(1, given.rounds),
        repeats=max(1, given.repeats),
        cache=given.cache.resolve(),
    )
    if not candles_file(settings.cache).exists():
        _say("writing the reference candles ...")
        write_candles(settings.cache)
    compared = {count: compare(settings, tranches=count) for count in settings.tranches}
    _say("")
    if given.json:
        print(json.dumps(_document(settings, compared), indent=2))
    else:
        print("\n".join(_page(settings, compared, markdown=given.markdown)))
    return int(
        any(each.verdict(count) is not None for count, tools in compared.items() for each in tools)
    )


def _page(
    settings: Settings, compared: dict[int, list[Measured]], *, markdown: bool
) -> Iterator[str]:
    yield (
        f"{machine_in_words()}; rounds: {settings.rounds}, repeats: {settings.repeats}. "
        "Run: user CPU, median and range of the rounds; ratios are medians within rounds."
    )
    for count, measured in compared.items():
        table = [HEAD, *rows(measured, tranches=count)]
        yield ""
        yield from work_done(measured, tranches=count)
        yield ""
        yield from as_lines(table, words=3, markdown=markdown)


def _document(settings: Settings, compared: dict[int, list[Measured]]) -> dict[str, object]:
    return {
        "machine": machine(),
        "rounds": settings.rounds,
        "repeats": settings.repeats,
        "baseline": BASELINE,
        "work": [
            {
                "tranches": count,
                "expected": asdict(EXPECTED[count]),
                "ratios": ratios(measured, tranches=count),
                "tools": [
                    {
                        "tool": each.tool,
                        "problem": each.verdict(count),
                        "reports": [asdict(report) for report in each.reports],
                    }
                    for each in measured
                ],
            }
            for count, measured in compared.items()
        ],
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The reference work on every tool, in turn.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3, help="runs per process (default 3)")
    everything = (*PEERS, OWN)
    tools = parser.add_mutually_exclusive_group()
    tools.add_argument(
        "--peers",
        type=_names,
        default=tuple(tool for tool in everything if tool not in SLOW),
        help=f"which tools, comma-separated, of {','.join(everything)} (default: the quick ones)",
    )
    tools.add_argument(
        "--slow", dest="peers", action="store_const", const=everything, help="all of them"
    )
    parser.add_argument(
        "--tranches", type=_counts, default=(3,), help="3, 10 or both: 3,10 (default 3)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print Markdown")
    form.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for all that is made")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in (*PEERS, OWN):
            message = f"no tool {name!r}; there are {', '.join((*PEERS, OWN))}"
            raise argparse.ArgumentTypeError(message)
    return names


def _counts(text: str) -> tuple[int, ...]:
    known = {str(count): count for count in EXPECTED}
    counts = tuple(known[part] for part in text.split(",") if part in known)
    if len(counts) != len(text.split(",")):
        message = f"outcomes are known for {', '.join(known)} tranches, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return counts


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
