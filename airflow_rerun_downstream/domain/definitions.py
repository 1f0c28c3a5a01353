"""What Dags declare of edges to other Dags, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.values import Params

MAX_LENGTH = 1_000
"""Longest id, or template of one or of a date, that is read of a Dag's definition, in characters."""

TOO_LONG = "{{ too_long }}"
"""Stands for a text of a Dag's definition that is longer: a template, of which nothing is known."""


@dataclass(frozen=True)
class SensorDefinition:
    """A sensor of one version of a Dag that waits for another Dag, as far as its arguments and our policy tell.

    ``offset`` is what the policy wrote about an ExternalTaskSensor: a number of seconds, or relativedelta fields;
    both 0/empty mean "same logical date". ``offset_known`` is False when the policy's mark is missing.
    ``has_date_function`` says that ``execution_date_fn`` decides the dates: no offset can be told.
    Ids may hold templates (``templated``); then only the rendered fields of a run tell whom it waited for.
    ``task_ids`` empty and ``group_id`` None: it waits for the whole Dag run.
    ``own_class``: the class that decides by code of its own what is waited for; the arguments say no more than which
    Dag it names. ``recordable``: the listener records what it waited for; it does so of Airflow's own class and what
    is made from that. ``map_indexes``: those of a mapped sensor that this is said of; None: all, or nobody knows which.
    """

    dag_id: str
    task_id: str
    external_dag_id: str
    task_ids: frozenset[str] = frozenset()
    group_id: str | None = None
    offset: float | Mapping[str, float] = 0.0
    offset_known: bool = False
    has_date_function: bool = False
    mapped: bool = False
    own_class: str | None = None
    recordable: bool = True
    map_indexes: frozenset[int] | None = None
    params: Params | None = ()

    @property
    def templated(self) -> bool:
        """Whether a field that names the upstream holds a template."""
        return any("{{" in text or "{%" in text for text in (self.external_dag_id, self.group_id or "", *self.task_ids))

    @property
    def decides_itself(self) -> bool:
        """Whether code decides for which dates it waits, so that no offset is there to go by."""
        return self.has_date_function or self.own_class is not None

    @property
    def unmarked(self) -> bool:
        """Whether it was parsed without the policy; a mapped one has no mark in any case."""
        return not self.offset_known and not self.mapped

    @property
    def tells_its_dag(self) -> bool:
        """Whether a record of it can name no other Dag than the definition does."""
        return self.offset_known and self.own_class is None and not self.templated

    def is_of(self, map_index: int) -> bool:
        """Whether this is said of an index; -1 stands for all of a task that isn't expanded."""
        return self.map_indexes is None or map_index < 0 or map_index in self.map_indexes


@dataclass(frozen=True, slots=True)
class MarkerDefinition:
    """An ExternalTaskMarker: its Dag declares that a task of another Dag depends on it."""

    dag_id: str
    task_id: str
    external_dag_id: str
    external_task_id: str
    logical_date: str
    mapped: bool = False


@dataclass(frozen=True, slots=True)
class TriggerDefinition:
    """A TriggerDagRunOperator; ``trigger_dag_id`` may hold a template.

    ``waits``: until the run that it makes ends. ``last``: no task of its own Dag follows that could read the run's
    data. ``params``: as of `SensorDefinition`.
    """

    dag_id: str
    task_id: str
    trigger_dag_id: str
    mapped: bool = False
    waits: bool = False
    last: bool = False
    params: Params | None = ()


@dataclass(frozen=True, slots=True)
class PastDependency:
    """A task with ``depends_on_past``: it waits for itself in the previous run of its Dag.

    ``waits_for`` has its own id and, with ``wait_for_downstream``, the ids of the tasks right after it.
    ``scheduled_only``: the Dag catches up, so that Airflow takes no manual run for the previous one.
    """

    dag_id: str
    task_id: str
    waits_for: frozenset[str]
    scheduled_only: bool = False


@dataclass(frozen=True, slots=True)
class InletDefinition:
    """A task that reads an asset. In a run that events of the asset have started, these tell what was read."""

    dag_id: str
    task_id: str
    asset_id: int
    asset: str


@dataclass(frozen=True, slots=True)
class OutletDefinition:
    """A task that makes an asset which others take: each time it succeeds, Airflow keeps an event of it.

    ``alias``: it names its assets as it runs, and this is one of those that came through the alias so far.
    """

    dag_id: str
    task_id: str
    asset_id: int
    asset: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class AssetSchedule:
    """A Dag whose runs the events of an asset start; ``alias``: those that come through it."""

    dag_id: str
    asset_id: int
    alias: str | None = None


@dataclass(frozen=True)
class DeclaredLink:
    """What the deployment's file says at ``line``: the consumer's logical date is the upstream one plus ``offset``.

    ``offset`` has the fields of a relativedelta; empty: the same date. A task of None means the run as a whole.
    ``within``: of consumers without a logical date the first counts that is ready so long after the offset; with
    ``run_id`` (``*`` stands for anything) or ``conf`` all whose id or configuration is that. Both may hold templates,
    filled in for the upstream run.
    """

    upstream_dag_id: str
    upstream_task_id: str | None
    downstream_dag_id: str
    downstream_task_id: str | None
    offset: Mapping[str, float]
    offset_text: str
    reason: str
    file: str
    line: int
    within: Mapping[str, float] | None = None
    run_id: str | None = None
    conf: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Definitions:
    """The edges between runs that the latest serialized Dags declare; ``declared``: those of the deployment's file."""

    sensors: tuple[SensorDefinition, ...] = ()
    markers: tuple[MarkerDefinition, ...] = ()
    triggers: tuple[TriggerDefinition, ...] = ()
    past_dependencies: tuple[PastDependency, ...] = ()
    inlets: tuple[InletDefinition, ...] = ()
    declared: tuple[DeclaredLink, ...] = ()
    changed: frozenset[str] = frozenset()
    """Of those of earlier versions: the Dags that had any."""

    outlets: tuple[OutletDefinition, ...] = ()
    asset_schedules: tuple[AssetSchedule, ...] = ()
    gone_schedules: tuple[AssetSchedule, ...] = ()
    """Those of Dags that are gone, whose runs are still there."""

    unreadable: frozenset[str] = frozenset()
    """The Dags of which something can't be read, so that more may be declared."""

    complete: bool = True
    """Of those of earlier versions: False where there were more versions than are read."""

    structures: Mapping[str, DagStructure] = field(default_factory=dict, compare=False, repr=False)
    """The tasks of those Dags that declare all this, as `Dags.structures` has them."""

    def of_tasks(self, task_ids: Collection[str] | None) -> Definitions:
        """Those of some tasks of a Dag; None: of all."""
        if task_ids is None:
            return self
        return Definitions(
            tuple(each for each in self.sensors if each.task_id in task_ids),
            tuple(each for each in self.markers if each.task_id in task_ids),
            tuple(each for each in self.triggers if each.task_id in task_ids),
            tuple(each for each in self.past_dependencies if each.task_id in task_ids),
            tuple(each for each in self.inlets if each.task_id in task_ids),
            outlets=tuple(each for each in self.outlets if each.task_id in task_ids),
        )


@dataclass(frozen=True)
class DagVersion:
    """A Dag as the tasks of a run have it that isn't, or not all of it, of the latest version."""

    structure: DagStructure
    definitions: Definitions = Definitions()
