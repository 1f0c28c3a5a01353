"""What tasks have left behind that tells who read what of whom: asset events, triggered runs, sensors' waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_rerun_downstream.domain.facts import UNFINISHED_TASK_STATES, RunFacts
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence

SHOWN_DATES = 10
"""How many of the dates that a sensor waited for are shown."""


@dataclass(frozen=True, slots=True)
class AssetConsumption:
    """Airflow's record that ``consumer`` was started with an asset event of ``producer``'s task."""

    producer: RunRef
    task_id: str
    map_index: int
    event_id: int
    asset: str
    consumer: RunFacts


@dataclass(frozen=True, slots=True)
class AssetEmission:
    """An asset event of ``producer``'s task.

    ``until``: when another run of its Dag emitted the asset's next one; None: never.
    """

    producer: RunRef
    task_id: str
    event_id: int
    asset_id: int
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class TaskStart:
    """When a task instance of ``run``, which did not skip its work, last started without a rerun.

    ``consumed``: the assets of which events started the run.
    """

    run: RunFacts
    task_id: str
    map_index: int
    at: datetime
    consumed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class TriggeredRun:
    """Airflow's record (XCom ``trigger_run_id``, or the link of the UI) that a task of ``parent`` made ``child``, or
    cleared it.

    ``by_run_id``: its Dag is told by the run's id alone, which only one of the Dags has that the task may name.
    """

    parent: RunRef
    task_id: str
    map_index: int
    child: RunFacts
    by_run_id: bool = False


@dataclass(frozen=True, slots=True)
class DoubtfulRecord:
    """A record of a task of ``run`` that can't be read, or can't be true; ``why`` is part of a sentence.

    ``dag_id``: the other Dag that it is about, as far as that is known. Whoever may write XComs has written it.
    """

    run: RunRef
    task_id: str
    map_index: int
    why: Sentence
    dag_id: str | None = None


@dataclass(frozen=True, slots=True)
class SensorInstance:
    """A task instance of a sensor. ``skipped_itself``: its own code skipped it, as for a failure of what it waited for.

    ``end_date`` is that of its last try, as Airflow keeps it.
    """

    run: RunRef
    task_id: str
    map_index: int
    state: str | None
    skipped_itself: bool = False
    end_date: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether it has waited to an end: what it waited for had come, had failed, or came too late."""
        return self.state in ("success", "failed") or (self.state == "skipped" and self.skipped_itself)

    @property
    def counts(self) -> bool:
        """Whether it has waited or is still to: another one's skip, or failure, means that it never looked."""
        return self.ended or self.state in UNFINISHED_TASK_STATES


@dataclass(frozen=True, slots=True)
class RecordedWait:
    """What the package's worker listener recorded when a sensor of ``consumer`` succeeded.

    ``dates``: those that were asked for, and the first few to be shown. ``date_count``: how many it recorded in all;
    None: no more than these.
    """

    consumer: RunRef
    task_id: str
    map_index: int
    external_dag_id: str
    task_ids: frozenset[str]
    group_id: str | None
    dates: tuple[datetime, ...]
    date_count: int | None = None

    def shown(self, date: datetime | None = None) -> dict[str, object]:
        """The first dates, ``date`` among them, and how many there are if these aren't all."""
        first = self.dates[:SHOWN_DATES]
        if date is not None and date not in first:
            first = (*first[: SHOWN_DATES - 1], date)
        count = len(self.dates) if self.date_count is None else self.date_count
        more = {"date_count": count} if count > len(first) else {}
        return {"dates": [each.isoformat() for each in first], **more}
