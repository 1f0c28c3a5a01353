"""From arguments to the bodies of the REST contract."""

from __future__ import annotations

import json
import re
import sys
from argparse import Namespace
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from airflow_rerun_downstream.cli.exit_codes import Usage
from airflow_rerun_downstream.domain.rerun_request import RerunSettings
from airflow_rerun_downstream.domain.words import USUAL_CONDITIONS
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody

INDEXED = re.compile(r"^(?P<task_id>.+)\[(?P<map_index>\d+)\]$")

PARTITION = "partition:"
FUTURE = re.compile(r"^[^/]*@")
"""What names a run that isn't made yet; an id of a run may have an @ of its own."""

Body = TypeVar("Body", bound=BaseModel)


def plan_body(args: Namespace) -> PlanBody:
    """The body of ``plan``."""
    return from_file(args, PlanBody) or PlanBody.model_validate(plan_fields(args))


def rerun_body(args: Namespace) -> RerunBody:
    """The body of ``submit``."""
    given = from_file(args, RerunBody)
    if given is not None:
        return given
    fields = plan_fields(args)
    fields |= {
        "members": members(args),
        "freeze_mode": args.freeze_mode or bool(args.freeze),
        "frozen": [frozen_run(each) for each in args.freeze] if args.freeze else None,
        "settings": settings(args),
        "notifications": [notification(each) for each in args.notify or ()],
        "plan_token": args.plan_token,
        "name": args.name,
        "reason": args.reason,
    }
    return RerunBody.model_validate({name: value for name, value in fields.items() if value is not None})


def from_file(args: Namespace, kind: type[Body]) -> Body | None:
    """The body that ``--file`` names."""
    if not args.file:
        return None
    if args.dag_id is not None:
        raise Usage("Give either DAG_ID and RUN_ID or --file, not both.")
    try:
        text = sys.stdin.read() if args.file == "-" else Path(args.file).read_text(encoding="utf-8")
        return kind.model_validate(json.loads(text))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Usage(f"{args.file} can't be read as JSON: {error}") from error


def plan_fields(args: Namespace) -> dict[str, Any]:
    """What ``plan`` and ``submit`` have in common."""
    if args.run_id is None:
        raise Usage("Give DAG_ID and RUN_ID, or --file.")
    options = {"link_kinds": args.link_kind, "max_runs": args.max_runs, "max_depth": args.max_depth}
    return {
        "source": {"dag_id": args.dag_id, "run_id": args.run_id},
        "task_ids": [task(each) for each in args.task_id] if args.task_id else None,
        "rerun_source": not args.already_right,
        "options": {"include_manual": args.include_manual, **options},
    }


def task(text: str) -> str | dict[str, Any]:
    """``task_id``, or ``task_id[3]`` for one index of a mapped task."""
    found = INDEXED.match(text)
    return {"task_id": found["task_id"], "map_index": int(found["map_index"])} if found else text


def members(args: Namespace) -> list[dict[str, Any]] | None:
    """The selected downstream runs; None: the plan's default selection."""
    if args.only_source and args.member:
        raise Usage("Give either --only-source or --member, not both.")
    if args.only_source:
        return []
    return [member(each) for each in args.member] if args.member else None


def member(given: str | tuple[str, str]) -> dict[str, Any]:
    """``DAG_ID/RUN_ID``, and ``task,task`` where only these are meant. A run's id may hold any sign."""
    text, tasks = (given, None) if isinstance(given, str) else given
    dag_id, slash, run_id = text.partition("/")
    if not (dag_id and slash and run_id):
        raise Usage(f"{text!r} is not DAG_ID/RUN_ID.")
    if tasks is None:
        return {"dag_id": dag_id, "run_id": run_id}
    if not all(tasks.split(",")):
        raise Usage(f"{tasks!r} names an empty task.")
    return {"dag_id": dag_id, "run_id": run_id, "task_ids": [task(each) for each in tasks.split(",")]}


def frozen_run(text: str) -> dict[str, Any]:
    """``DAG_ID/RUN_ID``, ``DAG_ID@next``, ``DAG_ID@partition:KEY`` or ``DAG_ID@LOGICAL_DATE``."""
    dag_id, mark, which = text.partition("@" if FUTURE.search(text) else "/")
    if not (dag_id and mark and which):
        raise Usage(f"{text!r} is not DAG_ID@LOGICAL_DATE, DAG_ID@next, DAG_ID@partition:KEY or DAG_ID/RUN_ID.")
    if mark == "/":
        return {"dag_id": dag_id, "run_id": which}
    if which == "next":
        return {"dag_id": dag_id, "next": True}
    if which.startswith(PARTITION):
        return {"dag_id": dag_id, "partition_key": which.removeprefix(PARTITION)}
    return {"dag_id": dag_id, "logical_date": which}


def settings(args: Namespace) -> dict[str, Any]:
    """How the rerun is carried out; what isn't said keeps its default."""
    if args.latest_version and args.same_version:
        raise Usage("Give either --latest-version or --same-version, not both.")
    # An argument that is called as a setting, and given, is one.
    names = [each.name for each in fields(RerunSettings)]
    said = {name: value for name in names if (value := getattr(args, name, None))}
    if args.latest_version or args.same_version:
        said["run_on_latest_version"] = args.latest_version
    if args.no_stop_on_terminate:
        said["stop_running_on_terminate"] = False
    return said


def notification(text: str) -> dict[str, Any]:
    """``TARGET``, or ``TARGET:condition,condition``."""
    target, _, conditions = text.partition(":")
    return {"target": target, "on": conditions.split(",") if conditions else list(USUAL_CONDITIONS)}
