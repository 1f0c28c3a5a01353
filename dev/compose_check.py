"""`make compose-check`: is dev/docker-compose.yaml valid?

`docker compose config`, or the older `docker-compose config`, judges if it is there. Otherwise the file
is held against the compose schema, and against what the schema can't say: that what it names exists.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from dev.environment import ROOT, compose_schema

COMPOSE_FILE = ROOT / "dev" / "docker-compose.yaml"
COMMANDS = (["docker", "compose"], ["docker-compose"])

Compose = dict[str, Any]


def load(path: Path = COMPOSE_FILE) -> Compose:
    """Read the file; anchors and merges are resolved."""
    return dict(yaml.safe_load(path.read_text()))


def judge_by_docker(path: Path) -> str | None:
    """Let the first compose command that is there judge; None if there is none."""
    for command in COMMANDS:
        if not shutil.which(command[0]):
            continue
        if subprocess.run([*command, "version"], capture_output=True, check=False).returncode:
            continue
        subprocess.run([*command, "-f", str(path), "config", "--quiet"], check=True)
        return " ".join(command)
    return None


def schema_errors(compose: Compose) -> Iterator[str]:
    """Compare with the compose schema."""
    schema = json.loads(compose_schema().read_text())
    for error in jsonschema.Draft7Validator(schema).iter_errors(compose):
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


def dangling_names(compose: Compose, folder: Path) -> Iterator[str]:
    """Find services, volumes and files that are named but don't exist."""
    services, volumes = compose["services"], compose.get("volumes", {})
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            if other not in services:
                yield f"{name} depends on {other}, which is no service"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith(".") and not (folder / source).exists():
                yield f"{name} mounts {source}, which doesn't exist"
            if re.match(r"\w", source) and source not in volumes:
                yield f"{name} mounts {source}, which is no volume"
        if build := service.get("build"):
            dockerfile = folder / build["context"] / build["dockerfile"]
            if not dockerfile.exists():
                yield f"{name} is built from {build['dockerfile']}, which doesn't exist"


def main() -> None:
    """Judge the file; the exit status says how."""
    compose = load()
    problems = list(dangling_names(compose, COMPOSE_FILE.parent))
    judge = judge_by_docker(COMPOSE_FILE)
    if judge is None:
        judge = "the compose schema"
        problems += schema_errors(compose)
    if problems:
        sys.exit("\n".join(problems))
    print(f"{COMPOSE_FILE.relative_to(ROOT)} is valid, says {judge}: {', '.join(compose['services'])}")


if __name__ == "__main__":
    main()
