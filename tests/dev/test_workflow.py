"""What runs elsewhere than in `.ci/run` or `make check` runs the same."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml

from dev import check, workflow
from dev.environment import ROOT


def test_the_workflow_runs_what_continuous_integration_runs() -> None:
    assert workflow.WORKFLOW.read_text() == workflow.text(), "python -m dev.workflow"
    steps = yaml.safe_load(workflow.WORKFLOW.read_text())["jobs"]["ci"]["steps"]
    ran = [shlex.split(step["run"]) for step in steps if "run" in step]
    script = (ROOT / ".ci" / "run").read_text()
    listed = re.findall(r"^(?:step|begin) (make(?: -j\d)? \w+(?:-\w+)*)", script, re.MULTILINE)
    assert len(listed) > 10
    named = [" ".join(words[: 3 if words[1].startswith("-") else 2]) for words in ran if words[0] == "make"]
    assert named == listed


def test_the_hooks_of_a_commit_are_the_checks() -> None:
    """What stands in the configuration are the tools of `make check`, each in the environment that it is in there."""
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    hooks = [shlex.split(hook["entry"]) for hook in repository["hooks"]]
    there = [[Path(entry).name, *(word for word in rest if word != "--force-exclude")] for entry, *rest in hooks]
    assert there == [[executable.name, *(word for word in rest if word != ".")] for executable, *rest in check.CHECKS]
    assert {entry.rpartition("/")[0] for entry, *_ in hooks} == {".venvs/3.3/bin", ".venvs/tools/bin"}
    assert all(hook["language"] == "system" for hook in repository["hooks"])
