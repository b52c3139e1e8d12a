"""One tool's reference work, measured from inside its own process, as one line of JSON.

Phases, each in user CPU seconds of the whole process, threads included:

- load: the candles from their file into the form the tool wants.
- warm-up: whatever the tool compiles or fills on first use; reported, and part of no comparison.
- run: from candles in memory to finished books, signals included; repeated, the median counts.

Only the standard library is imported, because every peer's environment reads this file.
"""

import argparse
import json
import platform
import resource
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

from work import CACHE, Outcome

Data = TypeVar("Data")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to do: `tranches` allowed, `repeats` of the run, `cache` with the candles."""

    tranches: int
    repeats: int
    cache: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Generic[Data, Result]):
    """How a tool does the reference work.

    Attributes:
        load: reads the candles; measured once.
        warm_up: makes everything ready that is made once per process; not compared.
        run: the work itself; called several times on the same data.
        outcome: counts and profit out of the last result, as the tool's own books have them;
            not measured.
    """

    name: str
    version: str
    load: Callable[[Task], Data]
    warm_up: Callable[[Data, Task], object]
    run: Callable[[Data, Task], Result]
    outcome: Callable[[Result], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one process measured. Times in user CPU seconds, `peak_mb` in 10^6 bytes."""

    peer: str
    version: str
    python: str
    tranches: int
    entries: int
    exits: int
    profit: float
    load_cpu: float
    warm_up_cpu: float
    run_cpu: float
    run_cpu_each: list[float]
    peak_mb: float

    @property
    def outcome(self) -> Outcome:
        """What was done, apart from how fast."""
        return Outcome(entries=self.entries, exits=self.exits, profit=self.profit)


def report(tool: Tool[Data, Result], arguments: list[str] | None = None) -> None:
    """Do the reference work as `arguments` say (default: the command line), print the report."""
    task = _task(arguments)
    data, load_cpu = timed(lambda: tool.load(task))
    _, warm_up_cpu = timed(lambda: tool.warm_up(data, task))
    result, first = timed(lambda: tool.run(data, task))
    each = [first]
    for _ in range(task.repeats - 1):
        del result  # two results at once would be counted as memory the tool needs
        result, again = timed(lambda: tool.run(data, task))
        each.append(again)
    # Before the outcome is asked for: taking books apart afterwards is not the work.
    peak = peak_mb()
    outcome = tool.outcome(result)
    measured = Report(
        peer=tool.name,
        version=tool.version,
        python=platform.python_version(),
        tranches=task.tranches,
        entries=outcome.entries,
        exits=outcome.exits,
        profit=round(outcome.profit, 6),
        load_cpu=round(load_cpu, 4),
        warm_up_cpu=round(warm_up_cpu, 4),
        run_cpu=round(statistics.median(each), 4),
        run_cpu_each=[round(seconds, 4) for seconds in each],
        peak_mb=round(peak, 1),
    )
    print(json.dumps(asdict(measured)), flush=True)


def _task(arguments: list[str] | None) -> Task:
    parser = argparse.ArgumentParser(description="The reference work on one tool.")
    parser.add_argument("--tranches", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the candles")
    given = parser.parse_args(arguments)
    return Task(tranches=given.tranches, repeats=max(1, given.repeats), cache=given.cache)


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Do `work`; return what came of it, and the user CPU seconds of the process meanwhile."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    result = work()
    return result, resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


def peak_mb() -> float:
    """Return the most memory this process held at once.

    On Linux from VmHWM: `ru_maxrss` of a started process begins at the size of its starter.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
