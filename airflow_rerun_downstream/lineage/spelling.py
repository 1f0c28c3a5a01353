"""Which Dags the templates of sensors and of triggering tasks have named in some runs of their Dags."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from airflow_rerun_downstream.domain.definitions import SensorDefinition, TriggerDefinition
from airflow_rerun_downstream.domain.facts import RunConf, RunFacts
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.templates import is_template, may_be_reckoned, reckoned
from airflow_rerun_downstream.ports.lineage import LineageFacts, RunFilter

NEWEST = 1_000
"""So many runs of the Dags that are asked for together are looked at."""


@dataclass(frozen=True)
class Spelled:
    """The Dags that a template named; not ``complete``: it may have named others, too."""

    names: frozenset[str] = frozenset()
    complete: bool = False


UNKNOWN = Spelled()


def of_triggers(
    triggers: Iterable[TriggerDefinition], runs: Collection[RunFacts], facts: LineageFacts
) -> dict[TriggerDefinition, Spelled]:
    """What triggering tasks named in ``runs``, as if these were all runs of their Dags. At most one statement."""
    asked = [one for one in triggers if not one.mapped and one.params is not None]
    asked = [one for one in asked if is_template(one.trigger_dag_id) and may_be_reckoned(one.trigger_dag_id)]
    mine = runs_of(runs, {one.dag_id for one in asked})
    confs = facts.runs.confs([run.ref for some in mine.values() for run in some]) if mine else {}
    return {one: spelled(one, one.trigger_dag_id, mine.get(one.dag_id, ()), confs) for one in asked}


def of_sensors(sensors: Iterable[SensorDefinition], facts: LineageFacts) -> dict[int, Spelled]:
    """What sensors named in the newest runs of their Dags, by the definitions' identity. A few statements."""
    asked = [one for one in sensors if is_template(one.external_dag_id) and can_be_reckoned(one, one.external_dag_id)]
    if not asked:
        return {}
    newest, count = facts.runs.page(RunFilter(dag_ids=frozenset(one.dag_id for one in asked), limit=NEWEST))
    mine, confs = runs_of(newest, {one.dag_id for one in asked}), facts.runs.confs([run.ref for run in newest])
    found = {id(one): spelled(one, one.external_dag_id, mine.get(one.dag_id, ()), confs) for one in asked}
    if count > len(newest):
        return {key: Spelled(one.names) for key, one in found.items()}
    return found


def can_be_reckoned(sensor: SensorDefinition, *texts: str) -> bool:
    """Whether texts of a sensor may be known of a run that nobody watched.

    Of a mapped one only where it is known which of them is of which index.
    """
    if sensor.own_class is not None or sensor.params is None or (sensor.mapped and sensor.map_indexes is None):
        return False
    return may_be_reckoned(*texts)


def runs_of(runs: Iterable[RunFacts], dag_ids: Collection[str]) -> dict[str, list[RunFacts]]:
    """The runs of some Dags."""
    found: dict[str, list[RunFacts]] = {}
    for run in runs:
        if run.ref.dag_id in dag_ids:
            found.setdefault(run.ref.dag_id, []).append(run)
    return found


def spelled(
    by: SensorDefinition | TriggerDefinition, name: str, runs: Sequence[RunFacts], confs: Mapping[RunRef, RunConf]
) -> Spelled:
    """What a template came to in runs; without any it isn't known."""
    found = [reckoned([name], run, by.params, confs[run.ref]) for run in runs if run.ref in confs]
    names = frozenset(some[0] for some in found if some is not None)
    return Spelled(names, complete=bool(found) and None not in found)
