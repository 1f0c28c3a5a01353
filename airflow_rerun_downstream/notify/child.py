"""The process in which a notifier runs: `python -m airflow_rerun_downstream.notify.child FD SECONDS`.

It reads what to do from stdin and writes one word to FD: ``sent``, or the class of the error. It ends by itself after
SECONDS, also where the process that has started it, and would end it before, is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from types import SimpleNamespace
from typing import Any

SENT = "sent"
BASE = "BaseNotifier"
"""The class of Airflow that every notifier has among its bases, wherever it stands."""


class NotANotifier(TypeError):
    """The path doesn't lead to a notifier."""


def notifier_at(path: str) -> Any:
    """The notifier's class."""
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except ModuleNotFoundError:
        import_module("airflow")  # which knows of more places: its folders of plugins and of its configuration
        found = getattr(import_module(module), name)
    if not isinstance(found, type) or BASE not in {each.__name__ for each in found.__mro__}:
        raise NotANotifier(path)
    return found


def context_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """What notifiers fill their templates from: Airflow's names as far as a rerun has them, and the message."""
    rerun = message["rerun"] or {}
    source = rerun.get("source") or {}
    first = next(iter(message["members"]), None) or source
    run = SimpleNamespace(
        dag_id=first.get("dag_id") or "", run_id=first.get("run_id") or "", state=first.get("state") or "", conf={}
    )
    task = SimpleNamespace(
        dag_id=run.dag_id, run_id=run.run_id, task_id="", map_index=-1, try_number=0, log_url=message["url"] or ""
    )
    at = datetime.fromisoformat(message["occurred_at"])
    return {
        "dag": None,  # Airflow would ask one for its templates' environment
        "dag_run": run,
        "run_id": run.run_id,
        "ti": task,
        "task_instance": task,
        "task": SimpleNamespace(task_id="", dag_id=run.dag_id, owner=""),
        "ts": at.isoformat(),
        "ds": at.date().isoformat(),
        "logical_date": at,
        "params": {},
        "exception": None,
        "reason": message["headline"],
        "message": message["text"],
        "rerun": SimpleNamespace(**rerun) if rerun else None,
        "notification": SimpleNamespace(**message),
    }


def act(question: Mapping[str, Any]) -> None:
    """Make the notifier, and let it tell the message, if there is one."""
    notifier = notifier_at(question["path"])(**question["arguments"])
    if question["message"] is not None:
        notifier(context_of(question["message"]))


def main(arguments: list[str]) -> None:
    """See the module."""
    answer, seconds = int(arguments[0]), float(arguments[1])
    os.set_inheritable(answer, False)
    end = threading.Timer(seconds, os._exit, [1])
    end.daemon = True
    end.start()
    try:
        act(json.load(sys.stdin))
        said = SENT
    except BaseException as error:
        said = type(error).__name__
    os.write(answer, said.encode("ascii", "replace")[:100])
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
