"""The kinds of link, a file for each: which runs it leads to, which edges definitions declare, what it foresees.

A new kind is a finder in a file of its own, listed here, and a value of `LinkKind`.
"""

from __future__ import annotations

from airflow_rerun_downstream.lineage.kinds.asset import AssetLinks
from airflow_rerun_downstream.lineage.kinds.base import LinkFinder
from airflow_rerun_downstream.lineage.kinds.declared import DeclaredLinks
from airflow_rerun_downstream.lineage.kinds.inlet import InletLinks
from airflow_rerun_downstream.lineage.kinds.marker import MarkerLinks
from airflow_rerun_downstream.lineage.kinds.previous_run import PreviousRunLinks
from airflow_rerun_downstream.lineage.kinds.sensor import SensorLinks
from airflow_rerun_downstream.lineage.kinds.trigger import TriggerLinks

KINDS: tuple[LinkFinder, ...] = (
    AssetLinks(),
    TriggerLinks(),
    SensorLinks(),
    MarkerLinks(),
    InletLinks(),
    DeclaredLinks(),
    PreviousRunLinks(),
)
"""Every kind of link, in the order in which a walk asks them."""
