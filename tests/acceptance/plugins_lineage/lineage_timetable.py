"""A timetable of the deployment's own, as a plugin brings it."""

from __future__ import annotations

from datetime import timedelta

from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable


class EveryThirdDay(Timetable):
    """A run every third day at midnight; its interval ends there, and so the logical date is three days before."""

    def infer_manual_data_interval(self, *, run_after):
        """Three days up to the moment."""
        return DataInterval(run_after - timedelta(days=3), run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Three days after the last run, or at the Dag's start."""
        if restriction.earliest is None:
            return None
        start = restriction.earliest if last_automated_data_interval is None else last_automated_data_interval.end
        if restriction.latest is not None and start > restriction.latest:
            return None
        return DagRunInfo.interval(start=start, end=start.add(days=3))


class LineagePlugin(AirflowPlugin):
    """Registers the timetable, as Airflow wants it."""

    name = "lineage_timetable"
    timetables = (EveryThirdDay,)
