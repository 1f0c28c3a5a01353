"""`make mutants`: does a test fail when the code is changed? A random sample of such changes is tried, one by one.

mutmut makes the mutants of `domain`, `lineage`, `conductor` and `service` and runs the tests that reach each;
`[tool.mutmut]` in `pyproject.toml` says which tests there are. This adds what mutmut leaves out: a condition that
always or never holds, a call or a refusal that is dropped, and the bodies of properties.

What no test notices is shown to mypy, which `make check` runs. `tests/mutants.yaml` says of a mutant that nothing can
tell it from the code, and why. Such a one isn't tried. All that is made stands in `.mutants/`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import libcst as cst
import yaml
from mutmut import __main__ as mutmut
from mutmut.mutation import file_mutation, mutators
from mutmut.mutation.diff_apply import apply_mutant, get_diff_for_mutant
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, walk_mutatable_files
from mutmut.workers import isolation
from mutmut.workers.timeout import register_timeout

from dev.run_tests import test_environment

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".mutants"
PACKAGE = "airflow_rerun_downstream"
COPIED = (PACKAGE, "tests", "dev", "docs", "pyproject.toml")
KNOWN = ROOT / "tests" / "mutants.yaml"
LAST = ROOT / ".reports" / "mutants.json"
WANTED = 90
"""How many of a hundred mutants that aren't equivalent have to be killed."""
GETTERS = ("property", "cached_property")
TYPES = "killed by mypy"
KILLED = ("killed", "timeout", TYPES)
NEAR = 40
"""How many tests a mutant faces at first."""
CHUNK = 50
"""After how many it is told how far the sample is."""
MINIMUM, TIMES = 20, 3
"""A mutant's tests may take these seconds of a processor, and so many times as long as without it."""
PATIENCE = 40
"""How many times as long they may take by the clock, on a machine that others use."""
REACH: Counter[str] = Counter()
"""How many functions each test reaches."""


Place = tuple[str, int]
"""A mutant: its file, and the how-manieth there it is."""


def main() -> None:
    """Try a sample, or what the last run has left alive, and say which mutants the tests don't notice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sample", type=int, default=600, help="how many mutants; 600")
    parser.add_argument("--seed", type=int, help="draws the same sample again, as long as the code is the same")
    parser.add_argument("--only", default="", help="draw from the files whose path has this in it")
    parser.add_argument("--again", action="store_true", help="try only what the last run has left alive")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    started = time.monotonic()
    last = json.loads(LAST.read_text()) if arguments.again else None
    copy_project()
    os.environ.update(test_environment(str(PLACE / "airflow")))
    os.chdir(PLACE)
    teach_mutmut()
    chosen = draw(arguments) if last is None else [(path, number) for path, number in last]
    places = make_mutants(chosen, arguments.jobs)
    known = equivalents()
    keys = {name: key_of(name) for name in places}
    tried = [name for name in places if keys[name] not in known]
    status = run_tests(tried, arguments.jobs)
    status |= check_types([name for name in tried if status[name] not in KILLED])
    LAST.parent.mkdir(exist_ok=True)
    LAST.write_text(json.dumps([places[name] for name in tried if status[name] not in KILLED]))
    report(status, keys, time.monotonic() - started)


def copy_project() -> None:
    """Copy what the tests need."""
    shutil.rmtree(PLACE, ignore_errors=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, PLACE / name, ignore=shutil.ignore_patterns("__pycache__", "static"))
        else:
            shutil.copy(ROOT / name, PLACE / name)
    for path in (PLACE / PACKAGE).rglob("*.py"):
        path.write_text(without_decorated_getters(path.read_text()))


class BareGetters(cst.CSTTransformer):  # type: ignore[misc]  # `make check` has no libcst
    """Takes the decorator of a property off, since mutmut passes over whatever is decorated."""

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.FlattenSentinel[cst.BaseStatement]:
        """`@property def name` becomes `def get_name` and `name = property(get_name)`."""
        if len(updated_node.decorators) != 1:
            return updated_node
        decorator = updated_node.decorators[0].decorator
        if not isinstance(decorator, cst.Name) or decorator.value not in GETTERS:
            return updated_node
        name = updated_node.name.value
        bare = updated_node.with_changes(name=cst.Name(f"get_{name}"), decorators=[])
        return cst.FlattenSentinel([bare, cst.parse_statement(f"{name} = {decorator.value}(get_{name})")])


def without_decorated_getters(code: str) -> str:
    """The same code with its properties written so that mutmut sees their bodies."""
    return str(cst.parse_module(code).visit(BareGetters()).code)


def constant_condition(node: cst.If | cst.CompIf) -> Iterator[cst.CSTNode]:
    """A condition that always holds, and one that never does."""
    yield node.with_changes(test=cst.Name("True"))
    if isinstance(node, cst.If):
        yield node.with_changes(test=cst.Name("False"))


def dropped(node: cst.Expr | cst.Raise) -> Iterator[cst.CSTNode]:
    """A call for its effect, or a refusal, that isn't there."""
    if isinstance(node, cst.Raise) or isinstance(node.value, cst.Call):
        yield cst.Pass()


def teach_mutmut() -> None:
    """Give mutmut the changes it doesn't know, take one that changes nothing, and let it count a processor's time."""
    mutators.mutation_operators.extend(
        [
            (cst.If, constant_condition),
            (cst.CompIf, constant_condition),
            (cst.Expr, dropped),
            (cst.Raise, dropped),
        ]
    )
    file_mutation.NEVER_MUTATE_FUNCTION_CALLS.add("cast")
    isolation.register_timeout = lambda pid, seconds: register_timeout(pid, seconds * PATIENCE)


def draw(arguments: argparse.Namespace) -> list[Place]:
    """A random sample of all mutants, by a seed that is printed."""
    paths = sorted(str(path) for path in walk_mutatable_files() if arguments.only in str(path))
    with Pool(arguments.jobs) as pool:
        every = [
            (path, number) for path, some in zip(paths, pool.map(mutants_of, paths), strict=True) for number in some
        ]
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"== seed {seed}: {arguments.sample} of {len(every)} mutants", flush=True)
    return random.Random(seed).sample(every, min(arguments.sample, len(every)))


def mutants_of(path: str) -> list[int]:
    """The numbers of a file's mutants; those outside functions are none, as mutmut can't switch them on."""
    _, found, _, _ = file_mutation.create_mutations(path, Path(path).read_text())
    return [
        number for number, one in enumerate(found) if isinstance(one.contained_by_top_level_function, cst.FunctionDef)
    ]


def make_mutants(chosen: list[Place], jobs: int) -> dict[str, Place]:
    """Let mutmut write the chosen ones only, in the order in which they were drawn: names, and where each is from."""
    numbers: dict[str, set[int]] = {}
    for path, number in chosen:
        numbers.setdefault(path, set()).add(number)
    create = file_mutation.create_mutations

    def create_chosen(filename: str, *more: Any) -> tuple[Any, ...]:
        module, found, *rest = create(filename, *more)
        return module, [one for number, one in enumerate(found) if number in numbers.get(filename, ())], *rest

    file_mutation.create_mutations = create_chosen
    Path("mutants").mkdir()
    copy_src_dir()
    copy_also_copy_files()
    mutmut.create_mutants(jobs)
    named: dict[Place, str] = {}
    for path, some in numbers.items():
        data = mutmut.SourceFileMutationData(path=path)
        data.load()
        named |= {(path, number): name for number, name in zip(sorted(some), data.exit_code_by_key, strict=True)}
    return {named[place]: place for place in chosen}


def run_tests(names: list[str], jobs: int) -> dict[str, str]:
    """What became of each mutant. Few tests are tried first, those that reach little else: they find most."""
    mutmut.setup_source_paths()
    runner = mutmut.get_mutant_runner(jobs)
    mutmut.collect_or_load_stats(runner, apply_config_invalidation=True)
    set_mutant_under_test("")
    status: dict[str, str] = {}
    runner.startup()
    try:
        for start in range(0, len(names), CHUNK):
            tests = {name: tests_of(name) for name in names[start : start + CHUNK]}
            status |= try_each(runner, {name: mine[:NEAR] for name, mine in tests.items()})
            rest = {name: mine[NEAR:] for name, mine in tests.items() if status[name] == "survived" and mine[NEAR:]}
            status |= try_each(runner, rest)
            killed = sum(word in KILLED for word in status.values())
            print(f"== {len(status)} of {len(names)}: {killed} killed", flush=True)
            for name in tests:
                if status[name] not in KILLED:
                    print(f"  {status[name]}: {name}", flush=True)
    finally:
        runner.shutdown()
    return status


def tests_of(name: str) -> list[str]:
    """The tests that reach a mutant, those first that reach the fewest functions, and of these the quickest."""
    reached = mutmut.state().tests_by_mangled_function_name
    if not REACH:
        REACH.update(Counter(test for tests in reached.values() for test in tests))
    seconds = mutmut.state().duration_by_test
    mine = reached.get(mutmut.mangled_name_from_mutant_name(name), ())
    return sorted(mine, key=lambda test: (REACH[test], seconds[test], test))


def try_each(runner: mutmut.MutantRunner, tests: dict[str, list[str]]) -> dict[str, str]:
    """Run each mutant's tests until one fails, several mutants at a time."""
    status: dict[str, str] = {}

    def take_one() -> None:
        result = runner.wait_for_result()
        status[result.mutant_name] = mutmut.status_by_exit_code[result.exit_code]

    for name, chosen in tests.items():
        seconds = sum(mutmut.state().duration_by_test[test] for test in chosen)
        while not runner.has_capacity():
            take_one()
        runner.submit(name, chosen, int(MINIMUM + TIMES * seconds), seconds)
    while runner.pending_count():
        take_one()
    return status


def check_types(names: list[str]) -> dict[str, str]:
    """Which of the mutants mypy doesn't take: whoever makes such a change meets `make check`."""
    found = {}
    for name in names:
        path = path_of(name)
        before = path.read_bytes()
        expected = complaints_before(path)
        try:
            apply_mutant(name)
            if complaints(path) - expected:
                found[name] = TYPES
        finally:
            path.write_bytes(before)
    return found


@cache
def complaints_before(path: Path) -> Counter[str]:
    """What mypy says of a file that isn't changed: a property without its decorator has no type."""
    return complaints(path)


def complaints(path: Path) -> Counter[str]:
    """What mypy says of a file, without the lines' numbers."""
    cache_dir = ROOT / ".mypy_cache" / "mutants"
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", str(cache_dir), str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return Counter(line.partition(": error: ")[2] for line in said.splitlines() if ": error: " in line)


def path_of(name: str) -> Path:
    """The file of a mutant."""
    module = Path(name.partition(".x")[0].replace(".", "/"))
    return module / "__init__.py" if (ROOT / module).is_dir() else module.with_suffix(".py")


def key_of(name: str) -> tuple[str, str]:
    """The function, and the change as `before -> after`: names that outlive changes elsewhere in the file."""
    module, _, function = name.partition(".x")
    diff = get_diff_for_mutant(name, path=path_of(name))
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "@@"))]
    before = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    after = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    plain = function.partition("__mutmut")[0].lstrip("_ǁ").replace("ǁ", ".")
    return f"{module.removeprefix(PACKAGE + '.')}.{plain}", f"{before} -> {after}"


def equivalents() -> set[tuple[str, str]]:
    """The mutants that nothing can tell from the code."""
    table = yaml.safe_load(KNOWN.read_text())["equivalent"] or {}
    return {(function, change) for function, changes in table.items() for change in changes}


def report(status: dict[str, str], keys: dict[str, tuple[str, str]], seconds: float) -> None:
    """Print who is alive, the counts and the share; fail if that is too small."""
    alive = [name for name in sorted(status) if status[name] not in KILLED]
    for name in alive:
        function, change = keys[name]
        print(f"\n{status[name]}: {name}\n  {function}\n  {change}")
    counts = ", ".join(f"{list(status.values()).count(word)} {word}" for word in sorted(set(status.values())))
    equivalent = len(keys) - len(status)
    raw, net = (100 * (len(status) - len(alive)) / max(1, number) for number in (len(keys), len(status)))
    print(f"\n== {len(keys)} mutants in {seconds:.0f} s: {counts}, {equivalent} known as equivalent")
    print(f"== killed: {raw:.1f} % of all, {net:.1f} % of those that aren't equivalent")
    sys.exit(0 if net >= WANTED else 1)


if __name__ == "__main__":
    main()
