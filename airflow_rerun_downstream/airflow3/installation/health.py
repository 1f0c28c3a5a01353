"""The installation's state. Every component answers for itself, also when another one can't."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import cache, partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from airflow_rerun_downstream.airflow3.configuration import declarations, options_without_effect
from airflow_rerun_downstream.airflow3.database.transactions import transactions
from airflow_rerun_downstream.airflow3.holding import lost_runs
from airflow_rerun_downstream.airflow3.installation import airflow_processes, process_reports
from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.domain.sentence import Param, Sentence
from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.ports.installation import Clock, ComponentHealth
from airflow_rerun_downstream.ports.lease import MAX_CLOCK_OFFSET
from airflow_rerun_downstream.settings import InvalidSetting, Settings
from airflow_rerun_downstream.store.lease import SqlLease
from airflow_rerun_downstream.store.processes import ProcessReport, live_processes
from airflow_rerun_downstream.store.schema import DIALECTS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

Sensors = Callable[[], Sequence[SensorDefinition]]
"""Reads the sensors of all Dags, at most once."""

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"


def sensors_of_all_dags() -> Sequence[SensorDefinition]:
    """The sensors that the Dags declare, from Airflow's tables alone: ours may be missing."""
    from airflow.utils.session import create_session

    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    with create_session(scoped=False) as session:
        return readers(session).dags.definitions().sensors


class AirflowHealth:
    """`Health` on Airflow 3."""

    def __init__(
        self, *, settings: Callable[[], Settings], clock: Clock, targets: Callable[[], ConfiguredTargets] | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._targets = targets or cache(lambda: ConfiguredTargets(settings()))

    def components(self, only: Collection[str] | None = None) -> Mapping[str, ComponentHealth]:
        """See `Health.components`."""
        sensors = cache(sensors_of_all_dags)
        looks: dict[str, Callable[[], ComponentHealth]] = {
            "configuration": self.configuration,
            "database": self.database,
            "conductor": self.conductor,
            "clocks": self.clocks,
            "asset_manager": self.asset_manager,
            "freeze_hook": self.freeze_hook,
            "hooks": self.hooks,
            "frozen": self.frozen,
            "policy": partial(self.policy, sensors),
            "listener": partial(self.listener, sensors),
            "declared_links": self.declared_links,
            "notifications": self.notifications,
        }
        return {name: checked(look) for name, look in looks.items() if only is None or name in only}

    def asset_manager_active(self) -> bool:
        """In every api-server that is alive; by the configuration where none has reported."""
        if unsupported_database():
            return False
        found = self._api_servers()
        return all(each.asset_manager for each in found) if found else process_reports.asset_manager_configured()

    def freeze_hook_active(self) -> bool:
        """In every scheduler that is alive, and there is one."""
        return checked(self.freeze_hook).status == HEALTHY

    def cannot_freeze(self) -> Sentence | None:
        """On a database that isn't supported, nothing of ours takes part in Airflow's transactions."""
        name = unsupported_database()
        return None if name is None else Sentence("refusal.nothing_freezes_on", database=name)

    def configuration(self) -> ComponentHealth:
        """Are this process's options right, all of them, and does each do something?"""
        try:
            self._settings()
        except InvalidSetting as error:
            wrong = [each.detail for each in error.wrong]
            options = [*wrong, *options_without_effect()]
            return ComponentHealth(UNHEALTHY, Sentence("health.options", options=options))
        if found := options_without_effect():
            return ComponentHealth(DEGRADED, Sentence("health.options", options=found))
        return ComponentHealth(HEALTHY, Sentence("health.options_right"))

    def database(self) -> ComponentHealth:
        """Are our tables there, and the code's?"""
        transactions().look_again()
        with transactions().session():
            if name := unsupported_database():
                return ComponentHealth(DEGRADED, Sentence("health.database_unsupported", database=name))
            return ComponentHealth(HEALTHY, Sentence("part.tables_ready"))

    def conductor(self) -> ComponentHealth:
        """Does somebody conduct?"""
        with transactions().session() as session:
            found = SqlLease(session).read()
        if found is None or found.owner is None:
            last = None if found is None or found.impossible else found.last_tick_at
            return ComponentHealth(UNHEALTHY, Sentence("health.no_conductor", how=self._how_to_conduct()), since=last)
        age = found.silence
        if found.impossible:
            return ComponentHealth(
                UNHEALTHY,
                Sentence("health.conductor_in_future", owner=found.owner, count=round(-age.total_seconds())),
            )
        age = max(age, timedelta())
        owner, seconds = found.owner, round(age.total_seconds())
        if age > max(10 * self._settings().poll_interval, timedelta(seconds=15)):
            how = self._how_to_conduct()
            silent = Sentence("health.conductor_silent", owner=owner, count=seconds, how=how)
            return ComponentHealth(UNHEALTHY, silent, since=found.last_tick_at)
        return ComponentHealth(HEALTHY, Sentence("health.conductor_leads", owner=owner, count=seconds))

    def clocks(self) -> ComponentHealth:
        """Do the processes' own clocks agree with the database's?"""
        with transactions().session() as session:
            found = live_processes(session, within=process_reports.ALIVE)
        off = [each for each in found if abs(each.clock_offset or 0.0) > MAX_CLOCK_OFFSET.total_seconds()]
        if off:
            return ComponentHealth(DEGRADED, Sentence("health.clocks_off", clocks=list(map(clock_off, off))))
        return ComponentHealth(HEALTHY, Sentence("health.clocks_agree", count=len(found)))

    def asset_manager(self) -> ComponentHealth:
        """Are repeated asset events recognised?"""
        if name := unsupported_database():
            return ComponentHealth(DEGRADED, Sentence("health.does_nothing_on", database=name))
        found = self._api_servers()
        without = [each.id for each in found if not each.asset_manager]
        if without:
            return ComponentHealth(DEGRADED, Sentence("health.asset_manager_not_in", processes=without))
        if found:
            return ComponentHealth(HEALTHY, Sentence("health.asset_manager_active", count=len(found)))
        if process_reports.asset_manager_configured():
            return ComponentHealth(HEALTHY, Sentence("health.asset_manager_configured"))
        return ComponentHealth(DEGRADED, Sentence("health.asset_manager_not_configured"))

    def freeze_hook(self) -> ComponentHealth:
        """Can a run be held before it exists?"""
        if name := unsupported_database():
            return ComponentHealth(DEGRADED, Sentence("health.does_nothing_on", database=name))
        with transactions().session() as session:
            jobs = set(airflow_processes.live_jobs(session, airflow_processes.SCHEDULER, now=self._clock.now()))
            without = jobs - self._with_hook(session)
        if not jobs:
            return ComponentHealth(DEGRADED, Sentence("health.no_scheduler"))
        if without:
            named = [f"#{number}" for number in sorted(without)]
            return ComponentHealth(DEGRADED, Sentence("health.hook_not_in", jobs=named))
        return ComponentHealth(HEALTHY, Sentence("health.hook_in_place", count=len(jobs)))

    def hooks(self) -> ComponentHealth:
        """Has anything of ours failed lately where Airflow had called it?"""
        with transactions().session() as session:
            found = {
                each.id: each.trouble for each in live_processes(session, within=process_reports.ALIVE) if each.trouble
            }
        if here := process_reports.lately():
            found.setdefault(process_reports.process_name(), here)
        alarming, aside = (process_reports.trouble_of(found, aside=each) for each in (False, True))
        if alarming and aside:
            return ComponentHealth(DEGRADED, Sentence("health.errors_of_both", alarming=alarming, aside=aside))
        if alarming:
            return ComponentHealth(DEGRADED, Sentence("health.errors", alarming=alarming))
        if aside:
            return ComponentHealth(DEGRADED, Sentence("health.errors_aside", aside=aside))
        return ComponentHealth(HEALTHY, Sentence("health.no_errors"))

    def frozen(self) -> ComponentHealth:
        """Is every run that is held named by a record?"""
        with transactions().session() as session:
            found = lost_runs.lost(session)
        if found:
            named = [*(str(each.ref) for each in found[:5]), *(["…"] if len(found) > 5 else [])]
            return ComponentHealth(UNHEALTHY, Sentence("health.held_without_record", count=len(found), runs=named))
        return ComponentHealth(HEALTHY, Sentence("health.holds_recorded"))

    def policy(self, sensors: Sensors = sensors_of_all_dags) -> ComponentHealth:
        """Does a Dag's parsing say how far back its sensors look?"""
        from airflow.utils.session import create_session

        if not entry_points(group="airflow.policy", name="rerun_downstream"):
            return ComponentHealth(DEGRADED, Sentence("health.policy_missing"))
        unmarked = sorted({(each.dag_id, each.task_id) for each in sensors() if each.unmarked})
        if not unmarked:
            return ComponentHealth(HEALTHY, Sentence("health.policy_everywhere"))
        with create_session(scoped=False) as session:
            parsed = airflow_processes.last_parsed(session, {dag_id for dag_id, _ in unmarked})
            jobs = airflow_processes.live_jobs(session, airflow_processes.DAG_PROCESSOR, now=self._clock.now())
        named = {"count": len(unmarked), "processors": processors(jobs)}
        if parsed is None:
            detail = Sentence("health.policy_not_everywhere", **named)
        else:
            detail = Sentence("health.policy_not_everywhere_since", **named, parsed_at=parsed)
        return ComponentHealth(DEGRADED, detail, tasks=tuple(unmarked))

    def listener(self, sensors: Sensors = sensors_of_all_dags) -> ComponentHealth:
        """Are the dates recorded that a sensor waited for, here and on the workers?"""
        from airflow.listeners.listener import get_listener_manager
        from airflow.plugins_manager import ensure_plugins_loaded
        from airflow.utils.session import create_session

        ensure_plugins_loaded()
        modules = {getattr(each, "__name__", "") for each in get_listener_manager().pm.get_plugins()}
        if not any(name.startswith(f"{__name__.partition('.')[0]}.") for name in modules):
            return ComponentHealth(DEGRADED, Sentence("health.listener_missing"))
        pairs = {(each.dag_id, each.task_id) for each in sensors() if each.recordable}
        with create_session(scoped=False) as session:
            found = airflow_processes.workers_without(
                session, pairs, since=self._clock.now() - airflow_processes.LATELY
            )
        if found:
            named = [f"{each.hostname} ({each.without_record})" for each in found]
            return ComponentHealth(DEGRADED, Sentence("health.workers_without_listener", workers=named))
        return ComponentHealth(HEALTHY, Sentence("health.listener_registered"))

    def declared_links(self) -> ComponentHealth:
        """Is the file of declared links right?"""
        found = declarations()
        if found.problems:
            problems = [each.sentence() for each in found.problems]
            return ComponentHealth(DEGRADED, Sentence("health.declared_links_wrong", problems=problems))
        if self._settings().declared_links_file is None:
            return ComponentHealth(HEALTHY, Sentence("health.no_declared_links"))
        return ComponentHealth(HEALTHY, Sentence("health.declared_links", count=len(found.links)))

    def notifications(self) -> ComponentHealth:
        """Can every target be told?"""
        found = self._targets().found
        if found.problems:
            wrong = sorted(found.problems.items())
            said = [Sentence("health.target_wrong", target=name, problem=problem) for name, problem in wrong]
            return ComponentHealth(DEGRADED, Sentence("health.targets_wrong", targets=said))
        return ComponentHealth(HEALTHY, Sentence("health.targets", count=len(found.targets)))

    def _api_servers(self) -> list[ProcessReport]:
        try:
            with transactions().session() as session:
                alive = live_processes(session, within=process_reports.ALIVE)
                return [each for each in alive if each.kind == process_reports.API_SERVER]
        except Refusal:
            return []

    def _with_hook(self, session: Session) -> set[int]:
        """The jobs of the schedulers that reported lately that they have the hook."""
        alive = live_processes(session, within=process_reports.ALIVE)
        return {one.job_id for one in alive if one.kind == process_reports.SCHEDULER and one.freeze_hook and one.job_id}

    def _how_to_conduct(self) -> Sentence:
        in_thread = self._settings().conductor == "api_server"
        return Sentence("health.conductor_is_a_thread" if in_thread else "health.start_a_conductor")


def clock_off(process: ProcessReport) -> Sentence:
    """How far a process's clock is off."""
    offset = process.clock_offset or 0.0
    code = "health.clock_ahead" if offset > 0 else "health.clock_behind"
    return Sentence(code, process=process.id, kind=process.kind, count=round(abs(offset)))


def processors(jobs: Mapping[int, str | None]) -> Param:
    """The Dag processors that are alive."""
    hosts = {number: hostname or Sentence("health.unknown_host") for number, hostname in sorted(jobs.items())}
    found = [Sentence("health.processor", job=number, host=host) for number, host in hosts.items()]
    return found or Sentence("health.none")


def unsupported_database() -> str | None:
    """The name of Airflow's database, if it isn't one that is supported."""
    from airflow import settings

    name = None if settings.engine is None else settings.engine.dialect.name
    return None if name is None or name in DIALECTS else name


def checked(look: Callable[[], ComponentHealth]) -> ComponentHealth:
    """A component's answer, or that it has none: why is in the log, with addresses and values that aren't for here."""
    try:
        return look()
    except Refusal as refusal:
        return ComponentHealth(UNHEALTHY, refusal.detail)
    except InvalidSetting:
        return ComponentHealth(UNHEALTHY, Sentence("health.unknown_settings"))
    except Exception as error:
        log.exception("A part of the installation can't be checked")
        return ComponentHealth(UNHEALTHY, Sentence("health.unknown", error=type(error).__name__))
