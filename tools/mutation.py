"""Runs mutmut on the modules named in pyproject.toml; says how many mutants the tests killed.

    python tools/mutation.py            all of it; fails where a module scores below 85 %
    python tools/mutation.py --show     the diff of every mutant that was not killed

mutmut 3 leaves decorated functions alone, and much of the core is decorated with exact or
property. So it runs on a copy in mutants/, in which each such decorator is taken off its function
and applied in the line after it: the same program, in which every function can be mutated.
"""

import argparse
import ast
import shutil
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "mutants"
MUTMUT = Path(sys.executable).with_name("mutmut")
DEMANDED = 85
KILLED = {"killed", "timeout"}  # a mutant that never ends is seen as surely as one that is wrong
MOVED = {"exact", "property"}


def undecorated(source: str) -> str:
    """Return `source` with the decorators in MOVED applied below their functions."""
    lines = source.splitlines()
    # From the last line up, so that those above stay where they were read.
    for function in sorted(_decorated(ast.parse(source)), key=lambda f: -f.lineno):
        names = [ast.unparse(decorator) for decorator in function.decorator_list]
        applied = f"{'('.join([*names, function.name])}{')' * len(names)}"
        first, last = function.decorator_list[0].lineno - 1, function.end_lineno
        whole = lines[first + len(names) : last]
        lines[first:last] = [*whole, f"{' ' * function.col_offset}{function.name} = {applied}"]
    return "\n".join(lines) + "\n"


def _decorated(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions and methods that carry decorators, all of them in MOVED."""
    for node in ast.walk(tree):
        for child in node.body if isinstance(node, ast.Module | ast.ClassDef) else []:
            if isinstance(child, ast.FunctionDef) and child.decorator_list:
                names = {ast.unparse(decorator) for decorator in child.decorator_list}
                if names <= MOVED:
                    yield child


def copied() -> None:
    """Write the copy that mutmut mutates."""
    shutil.rmtree(COPY, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("src", "tests"):
        shutil.copytree(ROOT / folder, COPY / folder, ignore=ignored)
    shutil.copy2(ROOT / "pyproject.toml", COPY)
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name in config["tool"]["mutmut"]["only_mutate"]:
        module = COPY / name
        module.write_text(undecorated(module.read_text(encoding="utf-8")), encoding="utf-8")


def results() -> Mapping[str, str]:
    """Return the status of every mutant, by its name."""
    said = subprocess.run(  # noqa: S603 - our own tool
        [MUTMUT, "results", "--all", "true"], cwd=COPY, check=True, capture_output=True, text=True
    )
    lines = (line.strip().partition(": ") for line in said.stdout.splitlines())
    return {name: status for name, _, status in lines if status}


def report(statuses: Mapping[str, str]) -> bool:
    """Print the score of each module; say whether all reach what is demanded."""
    by_module: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, status in statuses.items():
        by_module[name.split(".x")[0]][status] += 1
    by_module["all"] = sum(by_module.values(), Counter[str]())
    print(f"{'module':24}{'mutants':>8}{'killed':>8}{'timeout':>8}{'survived':>9}{'score':>8}")
    enough = True
    for module, counts in by_module.items():
        killed, total = sum(counts[status] for status in KILLED), counts.total()
        alive = total - killed
        print(
            f"{module:24}{total:8}{counts['killed']:8}{counts['timeout']:8}{alive:9}"
            f"{100 * killed / total:6.1f} %"
        )
        enough = enough and 100 * killed >= DEMANDED * total
    return enough


def main() -> int:
    """Run, or show."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--show", action="store_true", help="show the mutants that survived")
    if options.parse_args().show:
        for name, status in results().items():
            if status not in KILLED:
                subprocess.run([MUTMUT, "show", name], cwd=COPY, check=True)  # noqa: S603 - see above
        return 0
    copied()
    subprocess.run([MUTMUT, "run"], cwd=COPY, check=True)  # noqa: S603 - see above
    return 0 if report(results()) else 1


if __name__ == "__main__":
    sys.exit(main())
