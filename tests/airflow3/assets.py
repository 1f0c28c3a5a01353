"""Assets, and events for them as Airflow's own asset manager, or ours, registers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import history, scene

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def asset(name: str) -> Any:
    """An asset of that name."""
    from airflow.sdk import Asset

    return Asset(name=name, uri=f"test://assets/{name}")


def partitioned(dag_id: str, *names: str, **more: Any) -> Any:
    """A Dag that starts for each partition key that all the assets have."""
    from airflow.sdk import PartitionedAssetTimetable

    condition = asset(names[0])
    for name in names[1:]:
        condition = condition & asset(name)
    return history.dag(dag_id, schedule=PartitionedAssetTimetable(assets=condition, **more))


def emit(ref: RunRef, name: str, *, session: Session, manager: Any = None, task_id: str = "t", **more: Any) -> int:
    """What a task's success does with one of its assets; answer the event's id."""
    if manager is None:
        from airflow.assets.manager import AssetManager as manager
    event = manager().register_asset_change(
        task_instance=scene.instance(ref, task_id, session=session),
        asset=asset(name),
        session=session,
        **more,
    )
    session.commit()
    return int(event.id)


def manager() -> Any:
    """Our asset manager, over Airflow's own."""
    from airflow_rerun_downstream.asset_manager import RerunAssetManager

    return RerunAssetManager
