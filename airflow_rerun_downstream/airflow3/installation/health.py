"""The installation's state. Every component answers for itself, also when another one can't."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
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
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.ports.installation import Clock, ComponentHealth
from airflow_rerun_downstream.ports.lease import MAX_CLOCK_OFFSET, beside_the_database
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

ADD_ASSET_MANAGER = (
    "Without it, a rerun's repeated asset events start extra runs. Configure it and restart: "
    "[core] asset_manager_class = airflow_rerun_downstream.asset_manager.RerunAssetManager"
)

WITHOUT_SUPPORT = (
    "the package supports PostgreSQL and SQLite. Elsewhere, a rerun's asset events start extra runs, and "
    "no run is held."
)

WITHOUT_SETTINGS = "Unknown: an option is wrong; see `configuration`."

WITHOUT_HOOK = "Until then, no scheduled run can be frozen before it is created."

WITHOUT_US = "Airflow went on without the package, so runs may have started that shouldn't have."
NOT_TOLD = "Metrics, traces, lineage events, pages or links may be missing; runs and their data aren't affected."


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

    def components(self) -> Mapping[str, ComponentHealth]:
        """All components."""
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
        return {name: checked(look) for name, look in looks.items()}

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
            wrong = [str(each) for each in error.wrong]
            return ComponentHealth(UNHEALTHY, " ".join([*wrong, *options_without_effect()]))
        if found := options_without_effect():
            return ComponentHealth(DEGRADED, " ".join(found))
        return ComponentHealth(HEALTHY, "Every option can be used.")

    def database(self) -> ComponentHealth:
        """Are our tables there, and the code's?"""
        transactions().look_again()
        with transactions().session():
            if name := unsupported_database():
                return ComponentHealth(DEGRADED, f"{name} isn't supported: {WITHOUT_SUPPORT}")
            return ComponentHealth(HEALTHY, "The tables are up to date.")

    def conductor(self) -> ComponentHealth:
        """Does somebody conduct?"""
        with transactions().session() as session:
            found = SqlLease(session).read()
        if found is None or found.owner is None:
            return ComponentHealth(UNHEALTHY, f"No conductor leads. {self._how_to_conduct()}")
        age = found.silence
        if found.impossible:
            return ComponentHealth(
                UNHEALTHY,
                f"The last tick of {found.owner} is {-age.total_seconds():.0f} s in the future by the "
                "database's clock. Another conductor takes over; correct the clocks.",
            )
        age = max(age, timedelta())
        said = f"{found.owner} leads; its last tick was {age.total_seconds():.0f} s ago."
        if age > max(10 * self._settings().poll_interval, timedelta(seconds=15)):
            return ComponentHealth(UNHEALTHY, f"{said} {self._how_to_conduct()}")
        return ComponentHealth(HEALTHY, said)

    def clocks(self) -> ComponentHealth:
        """Do the processes' own clocks agree with the database's?"""
        with transactions().session() as session:
            found = live_processes(session, within=process_reports.ALIVE)
        off = [each for each in found if abs(each.clock_offset or 0.0) > MAX_CLOCK_OFFSET.total_seconds()]
        if off:
            named = "; ".join(
                f"{each.id} ({each.kind}) is {beside_the_database(timedelta(seconds=each.clock_offset or 0.0))}"
                for each in off
            )
            return ComponentHealth(
                DEGRADED, f"{named}. Such a process doesn't conduct, and Airflow itself misjudges there what is alive."
            )
        return ComponentHealth(HEALTHY, f"The clocks of all {len(found)} processes agree with the database's.")

    def asset_manager(self) -> ComponentHealth:
        """Are repeated asset events recognised?"""
        if name := unsupported_database():
            return ComponentHealth(DEGRADED, f"It does nothing on {name}: {WITHOUT_SUPPORT}")
        found = self._api_servers()
        without = [each.id for each in found if not each.asset_manager]
        if without:
            return ComponentHealth(DEGRADED, f"It is not active in {', '.join(without)}. {ADD_ASSET_MANAGER}")
        if found:
            return ComponentHealth(HEALTHY, f"It is active in all {len(found)} api-server processes.")
        if process_reports.asset_manager_configured():
            return ComponentHealth(HEALTHY, "It is configured; no api-server has reported yet.")
        return ComponentHealth(DEGRADED, f"It is not configured. {ADD_ASSET_MANAGER}")

    def freeze_hook(self) -> ComponentHealth:
        """Can a run be held before it exists?"""
        if name := unsupported_database():
            return ComponentHealth(DEGRADED, f"It does nothing on {name}: {WITHOUT_SUPPORT}")
        with transactions().session() as session:
            jobs = set(airflow_processes.live_jobs(session, airflow_processes.SCHEDULER, now=self._clock.now()))
            without = jobs - self._with_hook(session)
        if not jobs:
            return ComponentHealth(DEGRADED, f"No scheduler is alive. {WITHOUT_HOOK}")
        if without:
            named = ", ".join(f"#{number}" for number in sorted(without))
            return ComponentHealth(
                DEGRADED,
                f"Not every scheduler has it: job {named} hasn't reported. {WITHOUT_HOOK} Install the package there "
                "too, and restart it.",
            )
        return ComponentHealth(HEALTHY, f"It is in place in all {len(jobs)} live schedulers.")

    def hooks(self) -> ComponentHealth:
        """Has anything of ours failed lately where Airflow had called it?"""
        with transactions().session() as session:
            found = {
                each.id: each.trouble for each in live_processes(session, within=process_reports.ALIVE) if each.trouble
            }
        if here := process_reports.lately():
            found.setdefault(process_reports.process_name(), here)
        alarming, aside = (process_reports.trouble_of(found, aside=each) for each in (False, True))
        told = [f"Errors of the last hour, in {alarming}. {WITHOUT_US}"] if alarming else []
        if aside:
            begins = "Also in" if alarming else "Errors of the last hour, in"
            told.append(f"{begins} {aside}. {NOT_TOLD}")
        if told:
            return ComponentHealth(DEGRADED, f"{' '.join(told)} The logs of these processes have the errors.")
        return ComponentHealth(HEALTHY, "No error of the package inside Airflow in the last hour.")

    def frozen(self) -> ComponentHealth:
        """Is every run that is held named by a record?"""
        with transactions().session() as session:
            found = lost_runs.lost(session)
        if found:
            named = ", ".join(str(each.ref) for each in found[:5]) + (", …" if len(found) > 5 else "")
            return ComponentHealth(
                UNHEALTHY,
                f"{len(found)} runs are held without a record ({named}). Run `airflow-rerun-downstream "
                "release --all` on an Airflow host to let them start at their own time.",
            )
        return ComponentHealth(HEALTHY, "Every held run has a record.")

    def policy(self, sensors: Sensors = sensors_of_all_dags) -> ComponentHealth:
        """Does a Dag's parsing say how far back its sensors look?"""
        from airflow.utils.session import create_session

        if not entry_points(group="airflow.policy", name="rerun_downstream"):
            return ComponentHealth(DEGRADED, "It is not installed; links of sensors with an offset are guesses.")
        unmarked = sorted({(each.dag_id, each.task_id) for each in sensors() if each.unmarked})
        if not unmarked:
            return ComponentHealth(HEALTHY, "Every sensor was parsed with it.")
        with create_session(scoped=False) as session:
            parsed = airflow_processes.last_parsed(session, {dag_id for dag_id, _ in unmarked})
            jobs = airflow_processes.live_jobs(session, airflow_processes.DAG_PROCESSOR, now=self._clock.now())
        when = f", the last of them at {parsed.isoformat(timespec='seconds')}" if parsed else ""
        named = ", ".join(
            f"job #{number} on {hostname or 'an unknown host'}" for number, hostname in sorted(jobs.items())
        )
        return ComponentHealth(
            DEGRADED,
            f"{len(unmarked)} sensors were parsed without it{when}; runs that read from them may be missing "
            f"in plans. Live Dag processors: {named or 'none'}. Install the package there, restart them, "
            "and run `airflow dags reserialize`.",
            tasks=tuple(unmarked),
        )

    def listener(self, sensors: Sensors = sensors_of_all_dags) -> ComponentHealth:
        """Are the dates recorded that a sensor waited for, here and on the workers?"""
        from airflow.listeners.listener import get_listener_manager
        from airflow.plugins_manager import ensure_plugins_loaded
        from airflow.utils.session import create_session

        ensure_plugins_loaded()
        modules = {getattr(each, "__name__", "") for each in get_listener_manager().pm.get_plugins()}
        if not any(name.startswith(f"{__name__.partition('.')[0]}.") for name in modules):
            return ComponentHealth(DEGRADED, "It is not registered: the plugin could not be loaded.")
        pairs = {(each.dag_id, each.task_id) for each in sensors() if each.recordable}
        with create_session(scoped=False) as session:
            found = airflow_processes.workers_without(
                session, pairs, since=self._clock.now() - airflow_processes.LATELY
            )
        if found:
            named = ", ".join(f"{each.hostname} ({each.without_record})" for each in found)
            return ComponentHealth(
                DEGRADED,
                "In runs of the last day, sensors succeeded without a record, including the latest one on "
                f"that worker: {named}. Install the package there, and restart the worker.",
            )
        return ComponentHealth(HEALTHY, "It is registered, and no worker is known to miss it.")

    def declared_links(self) -> ComponentHealth:
        """Is the file of declared links right?"""
        found = declarations()
        if found.problems:
            return ComponentHealth(DEGRADED, f"Links are missing from plans. {' '.join(found.problems)}")
        if self._settings().declared_links_file is None:
            return ComponentHealth(HEALTHY, "No links are declared.")
        return ComponentHealth(HEALTHY, f"{len(found.links)} links are declared.")

    def notifications(self) -> ComponentHealth:
        """Can every target be told?"""
        found = self._targets().found
        if found.problems:
            said = "; ".join(f"{name}: {problem}" for name, problem in sorted(found.problems.items()))
            return ComponentHealth(DEGRADED, f"Notification targets are wrong. {said}.")
        return ComponentHealth(HEALTHY, f"{len(found.targets)} notification targets are configured.")

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

    def _how_to_conduct(self) -> str:
        if self._settings().conductor == "api_server":
            return "It is a thread of the api-server; see the api-server log."
        return "Start `airflow-rerun-downstream conductor`."


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
        return ComponentHealth(UNHEALTHY, WITHOUT_SETTINGS)
    except Exception as error:
        log.exception("A part of the installation can't be checked")
        return ComponentHealth(UNHEALTHY, f"Unknown ({type(error).__name__}); see this process's log.")
