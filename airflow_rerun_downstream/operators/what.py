"""What is to be rerun, as a Dag author says it, and the request that it comes to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from airflow.sdk.timezone import parse

from airflow_rerun_downstream.client import RerunDownstreamClient
from airflow_rerun_downstream.operators.server import Server
from airflow_rerun_downstream.operators.task_errors import AirflowFailException

SIGNS = {"%": ".*", "_": "."}


@dataclass(frozen=True, kw_only=True)
class What:
    """A rerun. ``source_run_id`` or ``source_logical_date`` names the source; None elsewhere: the server's default.

    ``dag_id_pattern`` and ``dag_tags`` keep of the plan's selection the runs of Dags that match both.
    """

    source_dag_id: str
    source_run_id: str | None = None
    source_logical_date: str | datetime | None = None
    task_ids: Sequence[str | Mapping[str, Any]] | None = None
    rerun_source: bool = True
    members: Sequence[Mapping[str, Any]] | None = None
    dag_id_pattern: str | None = None
    dag_tags: Sequence[str] | None = None
    link_kinds: Sequence[str] | None = None
    max_runs: int | None = None
    max_depth: int | None = None
    include_manual: bool = False
    freeze_mode: bool = False
    frozen: Sequence[Mapping[str, Any]] | None = None
    settings: Mapping[str, Any] | None = None
    notifications: Sequence[Mapping[str, Any]] | None = None
    name: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.source_run_id is None) == (self.source_logical_date is None):
            raise ValueError("give source_run_id or source_logical_date, and not both")
        if self.members is not None and self.filtered:
            raise ValueError("give members, or dag_id_pattern and dag_tags, which choose them")
        self._check_templates()

    def _check_templates(self) -> None:
        """Refuse what a template may have come to instead of a choice: it would choose everything, or nothing."""
        pattern = self.dag_id_pattern
        if pattern is not None and (not pattern.strip(" |") or is_template(pattern)):
            raise ValueError(f"dag_id_pattern has come to {pattern!r}, which chooses no Dag")
        for name in ("task_ids", "members", "dag_tags"):
            value = getattr(self, name)
            if isinstance(value, (str, Mapping)):
                raise ValueError(f"{name} has come to {value!r} instead of a list")
        if self.dag_tags is not None and not (self.dag_tags and all(self.dag_tags)):
            raise ValueError(f"dag_tags has come to {list(self.dag_tags)!r}, which chooses no Dag")

    @classmethod
    def of(cls, said: object) -> What:
        """What an object says in attributes of the same names."""
        return cls(**{each.name: getattr(said, each.name) for each in fields(cls)})

    @property
    def filtered(self) -> bool:
        """Whether a part of the plan's selection is kept."""
        return self.dag_id_pattern is not None or self.dag_tags is not None

    @property
    def source(self) -> str:
        """The source, as it was named."""
        return f"{self.source_dag_id} / {self.source_run_id or self.source_logical_date}"

    def body(self, server: Server, client: RerunDownstreamClient) -> dict[str, Any]:
        """The request. Where runs are filtered, a plan is made for it."""
        body = self._plan(server)
        members = self._kept(server, client, body) if self.filtered else self.members
        chosen = {
            "members": None if members is None else [dict(one) for one in members],
            "frozen": self.frozen,
            "settings": self.settings,
            "notifications": self.notifications,
            "name": self.name,
            "reason": self.reason,
        }
        switches = {"freeze_mode": True} if self.freeze_mode else {}
        return {**body, **switches, **{name: value for name, value in chosen.items() if value is not None}}

    def _plan(self, server: Server) -> dict[str, Any]:
        run_id = self.source_run_id or server.run_at(self.source_dag_id, moment(self.source_logical_date))
        options = {"link_kinds": self.link_kinds, "max_runs": self.max_runs, "max_depth": self.max_depth}
        said = {name: value for name, value in options.items() if value is not None}
        if self.include_manual:
            said["include_manual"] = True
        return {
            "source": {"dag_id": self.source_dag_id, "run_id": run_id},
            **({"task_ids": list(self.task_ids)} if self.task_ids is not None else {}),
            **({} if self.rerun_source else {"rerun_source": False}),
            **({"options": said} if said else {}),
        }

    def _kept(self, server: Server, client: RerunDownstreamClient, body: dict[str, Any]) -> list[dict[str, Any]]:
        plan = client.plan(body, task_instances=False)
        tagged = None if self.dag_tags is None else server.dags_with_tags(list(self.dag_tags))
        return [
            {"dag_id": run.dag_id, "run_id": run.run_id}
            for run in plan.runs
            if run.selected and run.run_id is not None
            if tagged is None or run.dag_id in tagged
            if self.dag_id_pattern is None or matches(run.dag_id, self.dag_id_pattern)
        ]


def is_template(said: object) -> bool:
    """Whether it is a text that Jinja would render."""
    return isinstance(said, str) and ("{{" in said or "{%" in said)


def moment(said: str | datetime | None) -> datetime:
    """A logical date. Raises `AirflowFailException` for a text that is none."""
    try:
        return said if isinstance(said, datetime) else parse(str(said))
    except ValueError as error:
        raise AirflowFailException(f"source_logical_date: {error}") from error


def matches(dag_id: str, pattern: str) -> bool:
    """Whether an id matches a pattern, as the REST API's filters understand it."""
    parts = [part.strip() for part in pattern.split("|") if part.strip()] or [pattern]
    wanted = ("".join(SIGNS.get(sign) or re.escape(sign) for sign in part) for part in parts)
    return any(re.search(one, dag_id, re.IGNORECASE | re.DOTALL) for one in wanted)
