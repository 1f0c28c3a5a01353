"""Our values as plain JSON, and back. What an older or newer version wrote is read with defaults for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from airflow_rerun_downstream.domain.plan import FutureRef, LinkKind, PlanOptions, PlanWarning
from airflow_rerun_downstream.domain.proof import Counts as ProofCounts
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, Tasks
from airflow_rerun_downstream.domain.rerun_request import Notification, RerunSettings
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.sentence import from_json as sentence_from_json
from airflow_rerun_downstream.domain.sentence import to_json as sentence_to_json


def json_value(value: Any) -> Any:
    """A value as JSON has it: mappings, lists, text, numbers; moments in ISO 8601, anything else as text."""
    if isinstance(value, Enum):
        return json_value(value.value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(key): json_value(inner) for key, inner in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((json_value(inner) for inner in value), key=str)
    if isinstance(value, Iterable):
        return [json_value(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


UNKNOWN_DAG = ""
"""No Dag has this name."""


def known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that ``kind``, a dataclass, has fields for."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def proof_to_json(counts: ProofCounts) -> dict[str, int]:
    """What a proof has counted."""
    return asdict(counts)


def proof_from_json(value: Mapping[str, Any] | None) -> ProofCounts | None:
    """The reverse of `proof_to_json`."""
    return None if value is None else ProofCounts(**known(ProofCounts, value))


def task_to_json(task: TaskRef) -> str | dict[str, Any]:
    """The contract's TaskRef: an id, or an id with a map index."""
    if task.map_index is None:
        return task.task_id
    return {"task_id": task.task_id, "map_index": task.map_index}


def task_from_json(value: str | Mapping[str, Any]) -> TaskRef:
    """The reverse of `task_to_json`."""
    return whole_task(value) if isinstance(value, str) else TaskRef(value["task_id"], value["map_index"])


@lru_cache(maxsize=10_000)
def whole_task(task_id: str) -> TaskRef:
    """A task with all of its indexes. Thousands of members of one Dag have the same ones."""
    return TaskRef(task_id)


def tasks_to_json(tasks: Tasks) -> list[Any]:
    """A selection."""
    return [task_to_json(task) for task in tasks]


def tasks_from_json(values: Sequence[Any]) -> Tasks:
    """The reverse of `tasks_to_json`."""
    return tuple(task_from_json(value) for value in values)


def times_to_json(times: Iterable[datetime]) -> list[str] | None:
    """Moments, oldest first; None: there are none."""
    return [each.isoformat() for each in times] or None


def times_from_json(values: Sequence[str] | None) -> tuple[datetime, ...]:
    """The reverse of `times_to_json`."""
    return tuple(map(datetime.fromisoformat, values or ()))


def future_to_json(ref: FutureRef) -> dict[str, Any]:
    """The contract's FutureRef: the Dag, and what is known of the run."""
    date = ref.logical_date and ref.logical_date.isoformat()
    values = {"logical_date": date, "partition_key": ref.partition_key, "next": ref.next or None}
    return {"dag_id": ref.dag_id, **{name: value for name, value in values.items() if value is not None}}


def future_from_json(values: Mapping[str, Any]) -> FutureRef:
    """The reverse of `future_to_json`."""
    date = values.get("logical_date")
    return FutureRef(
        dag_id=values["dag_id"],
        logical_date=datetime.fromisoformat(date) if date else None,
        partition_key=values.get("partition_key"),
        next=bool(values.get("next")),
    )


def settings_to_json(settings: RerunSettings) -> dict[str, Any]:
    """What the person chose."""
    return asdict(settings)


def settings_from_json(values: Mapping[str, Any]) -> RerunSettings:
    """The reverse of `settings_to_json`."""
    return RerunSettings(**known(RerunSettings, values))


def notifications_to_json(notifications: Iterable[Notification]) -> list[dict[str, Any]]:
    """Whom to tell, and of what."""
    return [{"target": one.target, "on": list(one.on)} for one in notifications]


def notifications_from_json(values: Iterable[Mapping[str, Any]]) -> tuple[Notification, ...]:
    """The reverse of `notifications_to_json`."""
    return tuple(Notification(target=value["target"], on=tuple(value["on"])) for value in values)


def options_to_json(options: PlanOptions) -> dict[str, Any]:
    """The options of the preview that was submitted."""
    return dict(json_value(asdict(options)))


def options_from_json(values: Mapping[str, Any]) -> PlanOptions:
    """The reverse of `options_to_json`."""
    kinds = values.get("link_kinds")
    fields = {**known(PlanOptions, values), "link_kinds": None if kinds is None else tuple(map(LinkKind, kinds))}
    return PlanOptions(**fields)


def detail_to_text(detail: str | None) -> str | None:
    """What a line of a record says: a sentence as its English and its parts in JSON, or a text that nobody can take for
    that. The English is for a version that doesn't know the sentence."""
    if detail is None or not (isinstance(detail, Sentence) or detail.startswith("{")):
        return detail
    parts = sentence_to_json(detail) if isinstance(detail, Sentence) else {}
    return json.dumps({"text": str(detail), **parts})


def detail_from_text(text: str | None) -> str | None:
    """The reverse of `detail_to_text`. What another version wrote is its English, or stays as it is."""
    if text is None or not text.startswith("{"):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if not isinstance(value, dict):
        return text
    said, plain = sentence_from_json(value), value.get("text")
    return said or (plain if isinstance(plain, str) else text)


def warnings_to_json(warnings: Iterable[PlanWarning]) -> list[dict[str, Any]]:
    """What the person was told before submitting."""
    return [warning_to_json(one) for one in warnings]


def warning_to_json(one: PlanWarning) -> dict[str, Any]:
    """One of them: the English for whoever reads the table, and what it is made of."""
    values = {name: value for name, value in asdict(one).items() if value is not None}
    made = {} if one.sentence is None else {"sentence": sentence_to_json(one.sentence)}
    return {**values, "detail": str(one.detail), "dag_ids": sorted(one.dag_ids), **made}


def warnings_from_json(values: Iterable[Mapping[str, Any]]) -> tuple[PlanWarning, ...]:
    """The reverse of `warnings_to_json`. What an older one names isn't known: nobody is shown it."""
    return tuple(warning_from_json(value) for value in values)


def warning_from_json(value: Mapping[str, Any]) -> PlanWarning:
    """One of them."""
    because = value.get("because_of")
    return PlanWarning(
        **{
            **known(PlanWarning, value),
            "detail": sentence_from_json(value.get("sentence")) or value["detail"],
            "dag_ids": frozenset(value.get("dag_ids", (UNKNOWN_DAG,))),
            "because_of": RunRef(**because) if because else None,
        }
    )
