"""`make release`: everything of a release but the upload. What it makes is in `dist/`.

It refuses to begin while something is missing, builds both distributions from a clean clone, and checks what was built.
A draft does the same for a version that isn't finished; an address and a contact can be given for it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from dev import package_checks
from dev.environment import ROOT, constraints_of, python_of, uv
from hatch_metadata import Published, is_page, published

PARTS = {"airflow_rerun_downstream": ".", "airflow_rerun_downstream_client": "distributions/client"}
"""The distributions, and the folder that each is built from."""

TRIED = {
    "airflow_rerun_downstream": "import airflow_rerun_downstream.plugin as it; print(it.RerunDownstreamPlugin.name)",
    "airflow_rerun_downstream_client": "import airflow_rerun_downstream.client as it; print(it.RerunDownstreamClient)",
}
"""What has to work where only that distribution is installed."""

COMMANDS = {
    "airflow_rerun_downstream": "airflow-rerun-downstream",
    "airflow_rerun_downstream_client": "airflow-rerun-downstream-mcp",
}


def main() -> None:
    """Read the command line and make the release."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("--draft", action="store_true", help="the version may be unreleased, and the checkout dirty")
    parser.add_argument("--repository", help="with --draft: instead of the setting in pyproject.toml")
    parser.add_argument("--contact", help="with --draft: instead of the setting in pyproject.toml")
    parser.add_argument("--fetch", action="store_true", help="ask for the readme's links, once the tag is published")
    parser.add_argument("--sign", metavar="KEY", help="sign with this key of gpg's; without it, nothing is signed")
    parser.add_argument("--airflow", default="3.3", help="the Airflow that the wheel is installed beside")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for what is built")
    chosen = parser.parse_args()
    if not chosen.draft and (chosen.repository or chosen.contact):
        parser.error("--repository and --contact are for drafts; a release takes what pyproject.toml says")
    setting = published(ROOT)
    where = Published((chosen.repository or setting.repository).rstrip("/"), chosen.contact or setting.contact)
    stop_if(reasons_against(ROOT, where, draft=chosen.draft))
    with tempfile.TemporaryDirectory() as folder:
        release(where, chosen, Path(folder))


def release(where: Published, chosen: argparse.Namespace, folder: Path) -> None:
    """Build, check, and leave what was built in the folder that was chosen."""
    clone = cloned(folder / "clone", where)
    say("building")
    made = folder / "made"
    os.environ["SOURCE_DATE_EPOCH"] = git(clone, "log", "-1", "--format=%ct")  # anybody who builds it gets the same
    for source in PARTS.values():
        build(clone / source, made, "--sdist", "--wheel")
    compare(made, folder)
    say("looking at what was built")
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, packages(made)))
    licences = package_checks.licence_problems(wheel_of(made, "airflow_rerun_downstream"))
    stop_if(chain(licences, links(made, clone, where)))
    if chosen.fetch:
        say(f"asking {where.repository} for what the readmes lead to")
        found = set().union(*(package_checks.links_of_readme(wheel_of(made, name)) for name in PARTS))
        stop_if(package_checks.unanswered(found, where.repository))
    for name in PARTS:
        try_out(wheel_of(made, name), name, folder / f"venv-{name}", chosen.airflow)
    finish(made, chosen.out, chosen.sign)


def reasons_against(root: Path, where: Published, *, draft: bool) -> Iterator[str]:
    """Why nothing can be released from this checkout."""
    setting = "[tool.rerun-downstream] in pyproject.toml"
    if not is_page(where.repository):
        yield f"`repository` of {setting} doesn't say where the project is published"
    if not where.contact:
        yield f"`contact` of {setting} doesn't say whom to tell of a security hole"
    version = version_of(root)
    heading = re.search(rf"^## {re.escape(version)} \((.+)\)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    if heading is None:
        yield f"CHANGELOG.md has no section `## {version} (date)`"
    elif not draft and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[1]):
        yield f"CHANGELOG.md says {heading[1]!r} where the date of {version} should stand"
    if git(root, "status", "--porcelain") and not draft:
        yield "there are changes that aren't committed"
    tagged = git(root, "tag", "--list", f"v{version}", "--format", "%(objectname) %(*objectname)").split()
    if tagged and not draft and git(root, "rev-parse", "HEAD") not in tagged:
        yield f"the tag v{version} is on another commit"


def version_of(root: Path) -> str:
    """The version, from the one place that says it."""
    text = (root / "airflow_rerun_downstream" / "__init__.py").read_text()
    (found,) = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    return str(found)


def cloned(folder: Path, where: Published) -> Path:
    """A clone of what is committed. A draft's address and contact are written into it."""
    git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder))
    git(folder, "checkout", "--quiet", "--detach", git(ROOT, "rev-parse", "HEAD"))
    path = folder / "pyproject.toml"
    text = path.read_text()
    for name, value in where._asdict().items():
        before, after = re.split(rf'^{name} = ".*?"', text, maxsplit=1, flags=re.MULTILINE)
        text = f'{before}{name} = "{value}"{after}'
    path.write_text(text)
    if published(folder) != where:
        sys.exit("The settings could not be written into the clone.")
    return folder


def build(source: Path, out: Path, *kinds: str) -> None:
    """Build distributions of a folder."""
    command = [str(uv()), "build", "--quiet", *kinds, "--python", str(python_of("tools")), "--out-dir", str(out)]
    run(*command, str(source))


def compare(made: Path, folder: Path) -> None:
    """Build each wheel again from the source distribution, and from its sources alone, and compare the bytes."""
    for name in PARTS:
        (archive,) = made.glob(f"{name}-[0-9]*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(folder / name, filter="data")
        (unpacked,) = (folder / name).iterdir()
        wheel = wheel_of(made, name)
        for what in ("as it is", "without the built pages"):
            say(f"building {wheel.name} from {archive.name}, {what}")
            again = folder / "again" / name / what.replace(" ", "-")
            build(unpacked, again, "--wheel")
            stop_if(package_checks.differences(wheel, wheel_of(again, name)))
            pages = unpacked / "airflow_rerun_downstream" / "static"
            if not pages.is_dir():
                break
            shutil.rmtree(pages)


def packages(folder: Path) -> list[Path]:
    """Everything that can be installed from a folder."""
    return sorted((*folder.glob("*.whl"), *folder.glob("*.tar.gz")))


def wheel_of(folder: Path, name: str) -> Path:
    """The wheel of a distribution."""
    (found,) = folder.glob(f"{name}-[0-9]*.whl")
    return found


def links(made: Path, clone: Path, where: Published) -> Iterator[str]:
    """What is wrong with the links of the readmes."""
    for name in PARTS:
        yield from package_checks.link_problems(wheel_of(made, name), where, version_of(clone), clone)


def try_out(wheel: Path, name: str, venv: Path, airflow: str) -> None:
    """Install the wheel into a fresh environment and use it there."""
    say(f"installing {wheel.name}")
    run(str(uv()), "venv", "--quiet", "--python", str(python_of("tools")), str(venv))
    install = [str(uv()), "pip", "install", "--quiet", "--python", str(venv / "bin" / "python")]
    run(*install, "--constraints", str(constraints_of(airflow)), str(wheel))
    home = {"AIRFLOW_HOME": str(venv / "airflow")}
    run(str(venv / "bin" / COMMANDS[name]), "--help", environment=home)
    run(str(venv / "bin" / "python"), "-I", "-c", TRIED[name], environment=home)


def finish(made: Path, out: Path, key: str | None) -> None:
    """Put what was built, its checksums and, if there is a key, the signatures into a folder of their own."""
    out.mkdir(parents=True, exist_ok=True)
    for path in (*out.glob("airflow_rerun_downstream*"), *out.glob("SHA256SUMS*")):
        path.unlink()
    files = [Path(shutil.copy(path, out)) for path in packages(made)]
    sums = out / "SHA256SUMS"
    sums.write_text("".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files))
    for path in (*files, sums) if key else ():
        run("gpg", "--batch", "--yes", "--local-user", str(key), "--armor", "--detach-sign", str(path))
    say(f"{out} has {len(files)} files and SHA256SUMS, {'signed' if key else 'not signed: no --sign KEY was given'}")


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints."""
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def run(*command: str, environment: dict[str, str] | None = None) -> None:
    """Run a command; the release ends with it if it fails."""
    if status := subprocess.run(command, env={**os.environ, **(environment or {})}, check=False).returncode:
        sys.exit(f"failed with status {status}: {' '.join(command)}")


def stop_if(problems: Iterator[str]) -> None:
    """End with all of the problems, if there are any."""
    if found := list(problems):
        sys.exit("\n".join(["Nothing is released:", *(f"- {each}" for each in found)]))


def say(sentence: str) -> None:
    """Print what comes next, before the output of it."""
    print(f"== {sentence}", flush=True)


if __name__ == "__main__":
    main()
